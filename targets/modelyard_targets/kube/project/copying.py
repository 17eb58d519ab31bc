"""A Job that copies objects using rclone while a system moves, and the other objects it needs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.handover import COPY_ACCOUNT, COPY_COMPONENT, CopyJob
from modelyard.manifest import config_map, env_from_secret, labels, metadata, object_of, resources
from modelyard.stack import Manifest, Value
from modelyard_targets.kube.network.policies import anywhere, ports, reach
from modelyard_targets.kube.placement.context import Context, mirrored
from modelyard_targets.kube.pods.frame import container, pod_spec, support_place
from modelyard_targets.kube.pods.sizes import COPIER, SUPPORT_DISK_BYTES

IMAGE: Final = "docker.io/rclone/rclone:1.73.0@sha256:9f59fda717a48aced38d7f27e9ec8fd9992b5651e7a03897bebf204d3a9197d6"
"""rclone's own image, for all platforms. docs/decisions/0104-jobs-that-copy.md says where the digest is from."""

_CONFIG_FOLDER: Final = "/etc/rclone"
_CONFIG_FILE: Final = "rclone.conf"
_KEEP_S: Final = 7 * 24 * 3600
"""How many seconds a finished Job and its log are kept: long enough for a weekend."""
_HTTPS: Final = 443


def copy_objects(job: CopyJob, context: Context) -> Iterator[Manifest]:
    """Yield the ServiceAccount, rclone's configuration, the network policy and the Job."""
    system = context.system.metadata.name
    shared = metadata(COPY_ACCOUNT, context.namespace, _labels(system, COPY_ACCOUNT))
    labelled = _labels(system, job.name)
    own = metadata(job.name, context.namespace, labelled)
    yield object_of("v1", "ServiceAccount", shared, automountServiceAccountToken=False)
    yield config_map(shared, {_CONFIG_FILE: job.config})
    policy: Manifest = {
        "podSelector": {"matchLabels": {"app.kubernetes.io/name": job.name}},
        "policyTypes": ["Egress"],
        "egress": list(_reached(job, context)),
    }
    yield object_of("networking.k8s.io/v1", "NetworkPolicy", own, spec=policy)
    ignored: Value = {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]}
    spec: Manifest = {
        "backoffLimit": job.retries,
        "podFailurePolicy": {"rules": [ignored]},
        "ttlSecondsAfterFinished": _KEEP_S,
        "template": {
            "metadata": {"labels": {**labelled, **context.platform.identity_labels}},
            "spec": _pod(job, context),
        },
    }
    yield object_of("batch/v1", "Job", own, spec=spec)


def _labels(system: str, name: str) -> dict[str, Value]:
    """Return the usual labels, but for objects that are applied manually and so don't belong to any stack."""
    return {**labels(system, name, component=COPY_COMPONENT), "app.kubernetes.io/managed-by": "kubectl"}


def _reached(job: CopyJob, context: Context) -> Iterator[Value]:
    """Allow egress to the stores and to the services that provide a cloud identity.

    A spec couldn't list the addresses of a cloud's storage and token services.
    """
    for endpoint in dict.fromkeys(job.endpoints):
        if endpoint:
            yield from reach(endpoint, context)
        else:
            yield {"to": anywhere(context), "ports": ports(_HTTPS)}
    agents: list[Value] = [{"ipBlock": {"cidr": cidr}} for cidr in context.platform.identity_agents]
    if agents:
        yield {"to": agents, "ports": ports(*context.platform.identity_ports)}


def _pod(job: CopyJob, context: Context) -> dict[str, Value]:
    config: Value = {"name": "config", "mountPath": _CONFIG_FOLDER, "readOnly": True}
    environment = [env_from_secret(*variable) for variable in job.variables]
    logins: Value = [{"secretRef": {"name": COPY_ACCOUNT, "optional": True}}]
    containers: list[Value] = [
        container(
            f"rclone-{number}",
            mirrored(IMAGE, context.target),
            resources(COPIER.cpu_millis, COPIER.memory_bytes),
            environment=environment,
            mounts=[config],
            command=["rclone", "--config", f"{_CONFIG_FOLDER}/{_CONFIG_FILE}", *arguments],
            envFrom=logins,
        )
        for number, arguments in enumerate(job.commands, 1)
    ]
    return pod_spec(
        containers,
        context,
        account=COPY_ACCOUNT,
        token=False,
        place=support_place(context),
        volumes=[{"name": "config", "configMap": {"name": COPY_ACCOUNT}}],
        scratch_bytes=SUPPORT_DISK_BYTES,
        restartPolicy="Never",
    )
