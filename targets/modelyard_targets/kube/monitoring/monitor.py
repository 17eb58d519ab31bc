"""Monitors, i.e. CronJobs whose Pods run checks, push metrics, and start runs or roll back within limits."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.manifest import env_from_field, labels, metadata, object_of
from modelyard.names import object_name
from modelyard.plan import MonitorJob, Resource
from modelyard.spec.watched import state_folder
from modelyard.stack import Manifest, Value
from modelyard_targets.kube.data.disk import disk_mounts, disk_volumes, lower_disk
from modelyard_targets.kube.pipelines.launcher import cron_fields, keep
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.placement.fixed import MONITOR_COMPONENT
from modelyard_targets.kube.pods.frame import container, place_of, pod_spec
from modelyard_targets.kube.workload.describe import describe_monitor
from modelyard_targets.kube.workload.describe_parts import brief_digest
from modelyard_targets.kube.workload.durations import MONITOR_S
from modelyard_targets.kube.workload.environment import (
    description,
    description_mount,
    description_volume,
    service_account,
    variables,
)
from modelyard_targets.kube.workload.foreign import foreign_mounts, foreign_volumes
from modelyard_targets.kube.workload.ray_cluster import worker_resources

COMPONENT = MONITOR_COMPONENT

_RETRIES = 2


def lower_monitor(resource: Resource[MonitorJob], context: Context) -> Iterator[KubeObject]:
    """Yield a MONITOR's description and CronJob, or a Job if it runs once."""
    job = resource.value
    described = describe_monitor(resource, context)
    yield description(resource, described, COMPONENT, context)
    yield from lower_disk(resource, context)
    template = _job(resource, job, context)
    schedule = job.monitor.schedule
    if schedule.kind == "once":
        name = object_name(resource.name, brief_digest([described, template], 10))
        yield KubeObject(
            resource.origin, object_of("batch/v1", "Job", _metadata(name, resource, context), spec=template)
        )
        return
    spec: dict[str, Value] = {**cron_fields(schedule, context), "jobTemplate": {"spec": template}}
    cron_job: Manifest = object_of("batch/v1", "CronJob", _metadata(resource.name, resource, context), spec=spec)
    yield KubeObject(resource.origin, cron_job)


def _look(job: MonitorJob, context: Context) -> list[Value]:
    """Pass the Job's name to the Pod. All retries of a run use the same name."""
    if state_folder(context.system, job.monitor) is None:
        return []
    name = {"fieldRef": {"fieldPath": "metadata.labels['batch.kubernetes.io/job-name']"}}
    return [{"name": "MODELYARD_LOOK", "valueFrom": name}]


def _job_uid(job: MonitorJob) -> list[Value]:
    """Pass the Job's UID to the Pod so that all retries together only request a single pipeline run."""
    if job.request is None:
        return []
    return [env_from_field("MODELYARD_JOB_UID", "metadata.labels['batch.kubernetes.io/controller-uid']")]


def _metadata(name: str, resource: Resource, context: Context) -> dict[str, Value]:
    return metadata(name, context.namespace, _labels(resource, context))


def _labels(resource: Resource, context: Context) -> dict[str, Value]:
    return labels(context.system.metadata.name, resource.name, resource.workload, COMPONENT)


def _job(resource: Resource, job: MonitorJob, context: Context) -> dict[str, Value]:
    compare = container(
        "monitor",
        context.runtime_image,
        worker_resources(job.hardware),
        environment=[*variables(resource, context), *_look(job, context), *_job_uid(job)],
        mounts=[description_mount(), *disk_mounts(resource, context), *foreign_mounts(resource.workload, context)],
        command=["python", "-m", "modelyard_runtime", "monitor"],
    )
    spec = pod_spec(
        [compare],
        context,
        account=service_account(resource, context),
        token=bool(job.monitor.on_breach.run) and job.request is None,
        place=place_of(job.hardware),
        volumes=[
            description_volume(resource),
            *disk_volumes(resource, context),
            *foreign_volumes(resource.workload, context),
        ],
        scratch_bytes=job.hardware.disk_bytes,
        restartPolicy="Never",
    )
    identified = context.identity_labels(resource.workload)
    return {
        "activeDeadlineSeconds": MONITOR_S,
        "backoffLimit": _RETRIES,
        **keep(context),
        "template": {"metadata": {"labels": {**_labels(resource, context), **identified}}, "spec": spec},
    }
