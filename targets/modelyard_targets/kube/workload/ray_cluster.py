"""Ray clusters for servers and pipelines, with KubeRay v1.7.0.

Facts about the operator, from its source on 2026-11-24:

- A Ray cluster has no authentication unless `authOptions.mode` is set. The operator then creates and distributes a
  token for each cluster, so we do not name a Secret.
- Setting `autoscalerOptions.version` is enough to select autoscaler v2. It manages `replicas`, so we do not set that.
- The operator sets no stable label on the Pods of a RayService or RayJob, so policies select them by our own label.
- The head Service has exactly the ports that the head container names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modelyard.manifest import RESTRICTED, env, labels, memory_text, resources
from modelyard.plan import Hardware
from modelyard.records import record, replace
from modelyard.stack import Value
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.fixed import PORTS, SERVE_PORT
from modelyard_targets.kube.pods.frame import SCRATCH, Place, container, place_of, pod_spec, support_place
from modelyard_targets.kube.pods.sizes import AUTOSCALER, SUPPORT_DISK_BYTES, head_size
from modelyard_targets.kube.workload.describe_pipeline import group_resource

DIGEST = "modelyard.dev/description"
"""The Pod annotation with the description's digest. Without it, a changed ConfigMap would not replace Pods."""

_AUTOSCALER = "cluster-autoscaler.kubernetes.io"
KEPT: Mapping[str, Value] = {f"{_AUTOSCALER}/safe-to-evict": "false", "karpenter.sh/do-not-disrupt": "true"}
"""Annotations that prevent autoscalers from draining a node, for Pods whose loss would end a Ray cluster or a run."""
GIVEN: Mapping[str, Value] = {f"{_AUTOSCALER}/safe-to-evict-local-volumes": "scratch,shared-mem"}
"""Annotations that allow draining a node despite local volumes, for Pods with a disruption budget. Scratch and shared
memory contain no valuable data. The annotation names here and in `KEPT` are from the autoscalers' documentation, read
2026-11-24 (docs/decisions/0014-heads.md).
"""

_API_TOKEN = "api-token"
_AUTOSCALER_SCRATCH = "autoscaler-scratch"
_TOKEN_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount"
_IDLE_S = 120
_DRAIN_S = 15


@record
class Group:
    """A worker group with `minimum` to `maximum` identical Pods."""

    name: str
    hardware: Hardware
    image: str
    minimum: int
    maximum: int
    together: bool = False  # Pods exchange gradients at every training step, so they should be in one zone


@record
class RayCluster:
    """The parts of a Ray cluster's spec. `name` is the label value that selects the cluster's Pods."""

    name: str
    workload: str
    component: str
    account: str
    image: str
    digest: str  # hash of the parts of the description that cause Pods to be replaced when they change
    groups: tuple[Group, ...]
    environment: tuple[Value, ...]
    volumes: tuple[Value, ...]
    mounts: tuple[Value, ...]
    scales: bool
    serves: bool
    grace_s: int = 60  # time for a worker to stop before it is killed
    worker_volumes: tuple[Value, ...] = ()
    worker_mounts: tuple[Value, ...] = ()
    priority_class: str = ""  # priority class of all Pods; may be empty


def scaling_groups(groups: Sequence[Group]) -> bool:
    """Return whether any group scales."""
    return any(group.minimum < group.maximum for group in groups)


def cluster_spec(cluster: RayCluster, context: Context) -> dict[str, Value]:
    """Build the RayCluster spec for a RayService or a RayJob."""
    scaling: dict[str, Value] = {}
    if cluster.scales:
        scaling = {"enableInTreeAutoscaling": True, "autoscalerOptions": _autoscaler(context)}
    return {
        "rayVersion": context.ray_version,
        "authOptions": {"mode": "token"},
        **(_state(context) if cluster.serves else {}),
        **scaling,
        "headGroupSpec": {
            "rayStartParams": {"num-cpus": "0"},
            "template": {"metadata": _pod_metadata(cluster, context, KEPT), "spec": _head(cluster, context)},
        },
        "workerGroupSpecs": [_group(group, cluster, context) for group in cluster.groups],
    }


def _state(context: Context) -> dict[str, Value]:
    """Return the settings for storing a serving head's state externally, so that replicas survive losing the head."""
    state = context.target.head_state
    if state is None:
        return {}
    options: dict[str, Value] = {"redisAddress": state.redis}
    if state.password is not None:
        secret = context.secret(state.password)
        options["redisPassword"] = {"valueFrom": {"secretKeyRef": {"name": secret.name, "key": secret.key}}}
    return {"gcsFaultToleranceOptions": options}


def _autoscaler(context: Context) -> dict[str, Value]:
    """Configure the autoscaler sidecar, the only container in the cluster with the ServiceAccount's token.

    It uses the runtime image, and doesn't load Python code from folders that user code can write to.
    """
    return {
        "version": "v2",
        "idleTimeoutSeconds": _IDLE_S,
        "upscalingMode": "Default",
        "image": context.runtime_image,
        "imagePullPolicy": "IfNotPresent",
        "env": [env("HOME", SCRATCH), env("PYTHONNOUSERSITE", "1")],
        "resources": resources(AUTOSCALER.cpu_millis, AUTOSCALER.memory_bytes),
        "securityContext": {**RESTRICTED, "readOnlyRootFilesystem": True},
        "volumeMounts": [
            {"name": _AUTOSCALER_SCRATCH, "mountPath": SCRATCH},
            {"name": _API_TOKEN, "mountPath": _TOKEN_FOLDER, "readOnly": True},
        ],
    }


def _autoscaler_volumes() -> list[Value]:
    """Return the head's volumes for the autoscaler."""
    scratch: dict[str, Value] = {"sizeLimit": memory_text(SUPPORT_DISK_BYTES)}
    return [{"name": _AUTOSCALER_SCRATCH, "emptyDir": scratch}, _api_token()]


def _api_token() -> dict[str, Value]:
    """Return a volume with the files API clients expect, laid out like an automatically mounted token."""
    namespace: dict[str, Value] = {"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}
    return {
        "name": _API_TOKEN,
        "projected": {
            "sources": [
                {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
                {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
                {"downwardAPI": {"items": [namespace]}},
            ]
        },
    }


def _pod_metadata(cluster: RayCluster, context: Context, annotations: Mapping[str, Value]) -> dict[str, Value]:
    labelled = labels(context.system.metadata.name, cluster.name, cluster.workload, cluster.component)
    labelled = {**labelled, **context.identity_labels(cluster.workload)}
    return {"labels": labelled, "annotations": {DIGEST: cluster.digest, **annotations}}


def _environment(cluster: RayCluster) -> list[Value]:
    return [env("RAY_USAGE_STATS_ENABLED", "0"), *cluster.environment]


def _ports(names: Mapping[str, int]) -> list[Value]:
    return [{"name": name, "containerPort": port} for name, port in names.items()]


def _head(cluster: RayCluster, context: Context) -> dict[str, Value]:
    size = head_size(context.system, context.target)
    head = container(
        "ray-head",
        cluster.image,
        resources(size.cpu_millis, size.memory_bytes),
        environment=_environment(cluster),
        mounts=cluster.mounts,
        ports=_ports({**PORTS, "serve": SERVE_PORT} if cluster.serves else PORTS),
    )
    return pod_spec(
        [head],
        context,
        account=cluster.account,
        token=False,
        place=support_place(context),
        priority_class=cluster.priority_class,
        volumes=[*cluster.volumes, *(_autoscaler_volumes() if cluster.scales else [])],
    )


def _group(group: Group, cluster: RayCluster, context: Context) -> dict[str, Value]:
    sizes: dict[str, Value] = {"minReplicas": group.minimum, "maxReplicas": group.maximum}
    if not cluster.scales:
        sizes = {"replicas": group.minimum, **sizes}
    return {
        "groupName": group.name,
        **sizes,
        "rayStartParams": {"resources": f"'{{\"{group_resource(group.name)}\": 1}}'"},
        "template": {
            "metadata": _pod_metadata(cluster, context, GIVEN if cluster.serves else KEPT),
            "spec": _worker(group, cluster, context),
        },
    }


def _worker(group: Group, cluster: RayCluster, context: Context) -> dict[str, Value]:
    stop = f"sleep {_DRAIN_S} && ray stop" if cluster.serves else "ray stop"
    rest: dict[str, Value] = {"terminationGracePeriodSeconds": cluster.grace_s + (_DRAIN_S if cluster.serves else 0)}
    if cluster.serves:  # even with one replica, because adding another must not replace Pods
        rest["topologySpreadConstraints"] = _spread(cluster)
    worker = container(
        "ray-worker",
        group.image,
        worker_resources(group.hardware),
        environment=_environment(cluster),
        mounts=(*cluster.mounts, *cluster.worker_mounts),
        ports=_ports({"metrics": PORTS["metrics"], **({"serve": SERVE_PORT} if cluster.serves else {})}),
        lifecycle={"preStop": {"exec": {"command": ["/bin/sh", "-c", stop]}}},
    )
    return pod_spec(
        [worker],
        context,
        account=cluster.account,
        token=False,
        place=_place(group, cluster),
        volumes=(*cluster.volumes, *cluster.worker_volumes),
        scratch_bytes=group.hardware.disk_bytes,
        priority_class=cluster.priority_class,
        **rest,
    )


def _place(group: Group, cluster: RayCluster) -> Place:
    """Return the machines for a worker group, keeping workers that train together in one zone where possible."""
    place = place_of(group.hardware)
    near = (("app.kubernetes.io/name", cluster.name), ("ray.io/group", group.name))
    return replace(place, near=near) if group.together else place


def worker_resources(hardware: Hardware) -> dict[str, Value]:
    """Return Pod requests and limits for a compute class, including accelerators and disk."""
    more: dict[str, str] = {}
    if hardware.disk_bytes:
        more["ephemeral-storage"] = memory_text(hardware.disk_bytes)
    if hardware.accelerator is not None:
        more[hardware.accelerator_resource] = str(hardware.accelerator.count)
    return resources(hardware.cpu_millis, hardware.memory_bytes, more)


def _spread(cluster: RayCluster) -> list[Value]:
    """Spread replicas across zones and machines where possible, while still allowing a single machine."""
    selector: dict[str, Value] = {"matchLabels": {"app.kubernetes.io/name": cluster.name, "ray.io/node-type": "worker"}}
    return [
        {"maxSkew": 1, "topologyKey": key, "whenUnsatisfiable": "ScheduleAnyway", "labelSelector": selector}
        for key in ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
    ]
