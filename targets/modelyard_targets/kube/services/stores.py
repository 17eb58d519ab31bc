"""Object stores with an endpoint. Unless a bucket is adopted, it is created by a Job."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.manifest import env, labels, metadata, object_of
from modelyard.names import object_name, short_hash
from modelyard.plan import Resource, expiries
from modelyard.spec import Store
from modelyard.stack import Value
from modelyard.writers.json_text import json_text
from modelyard_targets.kube.data.openings import opening_of
from modelyard_targets.kube.network.policies import network_policy, reach
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.placement.fixed import BUCKET_NAME
from modelyard_targets.kube.pods.frame import container, pod_spec, support_place, support_resources
from modelyard_targets.kube.pods.platform_sizes import STORE_JOB
from modelyard_targets.kube.pods.sizes import SUPPORT_DISK_BYTES
from modelyard_targets.kube.storage.buckets import bucket_name, driver_of

COMPONENT: Final = BUCKET_NAME

_RETRIES = 5
_DEADLINE_S = 600


def lower_object_store(resource: Resource[Store], context: Context) -> Iterator[KubeObject]:
    """Yield the ServiceAccount, network policy and Job that create a bucket.

    The Job's name contains a hash of its spec, so it runs again when the spec changes.
    """
    store = resource.value
    if store.adopt or not store.endpoint:  # in a cloud, the program creates buckets instead of a Job
        return
    name = object_name(COMPONENT, resource.name)
    labelled = labels(context.system.metadata.name, name, f"stores.{store.name}", COMPONENT)
    account = object_of(
        "v1", "ServiceAccount", metadata(name, context.namespace, labelled), automountServiceAccountToken=False
    )
    yield KubeObject(resource.origin, account)
    selector: dict[str, Value] = {"app.kubernetes.io/name": name}
    yield network_policy(resource, name, selector, context, egress=reach(store.endpoint, context))
    spec = _job_spec(store, name, labelled, context)
    described = metadata(object_name(name, short_hash(json_text(spec))), context.namespace, labelled)
    yield KubeObject(resource.origin, object_of("batch/v1", "Job", described, spec=spec))


def _job_spec(store: Store, name: str, labelled: dict[str, Value], context: Context) -> dict[str, Value]:
    command: list[Value] = ["python", "-m", "modelyard_runtime", "store"]
    job_container = container(
        COMPONENT,
        context.runtime_image,
        support_resources(STORE_JOB),
        environment=_environment(store, context),
        command=command,
    )
    pod = pod_spec(
        [job_container],
        context,
        account=name,
        token=False,
        place=support_place(context),
        scratch_bytes=SUPPORT_DISK_BYTES,
        restartPolicy="Never",
    )
    return {
        "backoffLimit": _RETRIES,
        "activeDeadlineSeconds": _DEADLINE_S,
        "template": {"metadata": {"labels": labelled}, "spec": pod},
    }


def _environment(store: Store, context: Context) -> list[Value]:
    return [
        env("MODELYARD_BUCKET", bucket_name(store, context.system)),
        env("MODELYARD_VERSIONED", "true" if store.versioned else "false"),
        env("MODELYARD_RETENTION_SECONDS", str(store.retention_s or 0)),
        env("MODELYARD_EXPIRE", json_text({**expiries(context.system, store)})),
        *driver_of(store, context.system).maker(opening_of(store, f"stores.{store.name}", context)),
    ]
