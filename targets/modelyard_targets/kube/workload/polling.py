"""CronJobs that run the runtime every few minutes, for workloads that poll."""

from __future__ import annotations

from modelyard.manifest import labels, metadata, object_of, resources
from modelyard.plan import Resource
from modelyard.stack import Value
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.placement.fixed import EVERY_MINUTES
from modelyard_targets.kube.pods.frame import container, pod_spec, support_place
from modelyard_targets.kube.pods.sizes import Size
from modelyard_targets.kube.workload.environment import (
    description_mount,
    description_volume,
    service_account,
    variables,
)
from modelyard_targets.kube.workload.foreign import foreign_mounts, foreign_volumes

_KEPT = 3


def polling_cron_job(
    resource: Resource,
    context: Context,
    component: str,
    verb: str,
    size: Size,
    *,
    token: bool,
    longest_s: int,
    scratch_bytes: int | None = None,
) -> KubeObject:
    """Build a polling CronJob. Runs never overlap, so each one can continue where the last one ended.

    `verb` is the runtime command. If `token` is set, the Pod gets an API token. Runs are stopped after `longest_s`
    seconds, and Pods are evicted if their scratch volume exceeds `scratch_bytes`.
    """
    labelled = labels(context.system.metadata.name, resource.name, resource.workload, component)
    runtime = container(
        component,
        context.runtime_image,
        resources(size.cpu_millis, size.memory_bytes),
        environment=variables(resource, context),
        mounts=[description_mount(), *foreign_mounts(resource.workload, context)],
        command=["python", "-m", "modelyard_runtime", verb],
    )
    pod = pod_spec(
        [runtime],
        context,
        account=service_account(resource, context),
        token=token,
        place=support_place(context),
        scratch_bytes=scratch_bytes,
        volumes=[description_volume(resource), *foreign_volumes(resource.workload, context)],
        restartPolicy="Never",
    )
    job: dict[str, Value] = {
        "activeDeadlineSeconds": longest_s,
        "backoffLimit": 0,
        "template": {"metadata": {"labels": {**labelled, **context.identity_labels(resource.workload)}}, "spec": pod},
    }
    spec: dict[str, Value] = {
        "schedule": f"*/{EVERY_MINUTES} * * * *",
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": 60 * EVERY_MINUTES,
        "successfulJobsHistoryLimit": 1,
        "failedJobsHistoryLimit": _KEPT,
        "jobTemplate": {"spec": job},
    }
    meta = metadata(resource.name, context.namespace, labelled)
    return KubeObject(resource.origin, object_of("batch/v1", "CronJob", meta, spec=spec))
