"""Pipelines: a RayJob for each run, and the CronJob or Job that starts runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from modelyard.manifest import config_map, labels, metadata, object_of
from modelyard.names import object_name
from modelyard.plan import Hardware, Job, Resource
from modelyard.source import Json
from modelyard.spec import Pipeline, Step
from modelyard.stack import Manifest, Value
from modelyard.writers.json_text import repeated_json_text
from modelyard_targets.kube.data.disk import disk_mounts, disk_volumes, lower_disk
from modelyard_targets.kube.pipelines.launcher import (
    launcher,
    launcher_once,
    ray_job_of,
    started_after,
    template_name,
)
from modelyard_targets.kube.pipelines.machines import longest_start_s, trains_together
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.placement.fixed import PIPELINE_COMPONENT
from modelyard_targets.kube.pods.frame import container, pod_spec, support_place, support_resources
from modelyard_targets.kube.pods.priorities import NORMAL, priority_class_of
from modelyard_targets.kube.pods.sizes import SUBMITTER, SUPPORT_DISK_BYTES
from modelyard_targets.kube.workload.describe import describe_job
from modelyard_targets.kube.workload.describe_parts import brief_digest, digest
from modelyard_targets.kube.workload.describe_pipeline import step_group
from modelyard_targets.kube.workload.durations import try_seconds
from modelyard_targets.kube.workload.environment import (
    description,
    description_mount,
    description_volume,
    service_account,
    variables,
)
from modelyard_targets.kube.workload.foreign import foreign_mounts, foreign_volumes
from modelyard_targets.kube.workload.ray_cluster import Group, RayCluster, cluster_spec, scaling_groups

COMPONENT = PIPELINE_COMPONENT
ENTRYPOINT = "python -m modelyard_runtime run"

_KEEP_CLUSTER_S = 60
_SUBMITTER_RETRIES = 3


def lower_job(resource: Resource[Job], context: Context) -> Iterator[KubeObject]:
    """Yield the description and a RayJob (for `once`), or a RayJob template and the CronJob that uses it.

    If a pipeline runs once and other pipelines follow it, a Job creates the RayJob.
    """
    job = resource.value
    described = describe_job(resource, context)
    yield description(resource, described, COMPONENT, context)
    yield from lower_disk(resource, context)
    spec = ray_job_spec(resource, described, context)
    labelled = labels(context.system.metadata.name, resource.name, resource.workload, COMPONENT)
    if not context.launched(job.pipeline):
        name = once_name(resource, context)
        yield KubeObject(resource.origin, ray_job(metadata(name, context.namespace, labelled), spec))
        return
    template = ray_job({"name": resource.name, "namespace": context.namespace, "labels": labelled}, spec)
    meta = metadata(template_of(resource, context), context.namespace, labelled)
    yield KubeObject(resource.origin, config_map(meta, {"rayjob.json": repeated_json_text(template)}))
    yield KubeObject((*resource.origin, "schedule"), _launcher(resource, context))


def _launcher(resource: Resource[Job], context: Context) -> Manifest:
    if resource.value.pipeline.schedule.kind == "once":
        return launcher_once(resource, once_job(resource, context), template_of(resource, context), context)
    return launcher(resource, context)


def template_of(resource: Resource[Job], context: Context) -> str:
    """Return the name of the ConfigMap holding the RayJob template.

    For pipelines that run once, it changes with the spec.
    """
    if resource.value.pipeline.schedule.kind == "once":
        return f"{once_job(resource, context)}-rayjob"
    return template_name(resource)


def once_job(resource: Resource[Job], context: Context) -> str:
    """Return the name of the Job that launches a pipeline once. Like `once_name`, it changes with the spec."""
    return f"{resource.name}-{_once_digest(resource, context)}"


def once_name(resource: Resource[Job], context: Context) -> str:
    """Return the RayJob name of a pipeline that runs once. It changes with the spec, which starts a new run."""
    ending = _once_digest(resource, context)
    launched = context.launched(resource.value.pipeline)
    return ray_job_of(resource.name, ending) if launched else object_name(resource.name, ending)


def _once_digest(resource: Resource[Job], context: Context) -> str:
    described = describe_job(resource, context)
    started = started_after(resource.value.pipeline, context)
    return brief_digest([described, ray_job_spec(resource, described, context), *started], 10)


def ray_job(meta: dict[str, Value], spec: dict[str, Value]) -> Manifest:
    """Build a RayJob."""
    return object_of("ray.io/v1", "RayJob", meta, spec=spec)


def ray_job_spec(resource: Resource[Job], described: dict[str, Json], context: Context) -> dict[str, Value]:
    """Return the RayJob spec. The whole DAG runs in one Ray cluster, which is deleted afterwards."""
    job = resource.value
    pipeline = job.pipeline
    groups = job_groups(job, context)
    needed = [group.hardware for group in groups if group.minimum]  # other groups scale up when a step starts
    cluster = RayCluster(
        name=resource.name,
        workload=resource.workload,
        component=COMPONENT,
        account=service_account(resource, context),
        image=head_image(job, context),
        digest=digest(described),
        groups=groups,
        environment=tuple(variables(resource, context)),
        volumes=(description_volume(resource), *foreign_volumes(resource.workload, context)),
        mounts=(description_mount(), *foreign_mounts(resource.workload, context)),
        scales=scaling_groups(groups),
        serves=False,
        worker_volumes=disk_volumes(resource, context),
        worker_mounts=disk_mounts(resource, context),
        priority_class=priority_class_of(resource, context),
    )
    return {
        "entrypoint": ENTRYPOINT,
        "submissionMode": "K8sJobMode",
        "backoffLimit": pipeline.retries,
        "activeDeadlineSeconds": try_seconds(pipeline),
        "preRunningDeadlineSeconds": _longest_wait_s(pipeline, needed),
        "shutdownAfterJobFinishes": True,
        "ttlSecondsAfterFinished": _KEEP_CLUSTER_S,
        "submitterConfig": {"backoffLimit": _SUBMITTER_RETRIES},
        "submitterPodTemplate": _submitter(resource, job, context),
        "rayClusterSpec": cluster_spec(cluster, context),
    }


def _longest_wait_s(pipeline: Pipeline, needed: Iterable[Hardware]) -> int:
    """Return how many seconds a run may wait for machines. Below normal priority, this is its whole timeout."""
    if pipeline.priority != NORMAL:
        return pipeline.timeout_s
    return min(longest_start_s(needed), pipeline.timeout_s)


def head_image(job: Job, context: Context) -> str:
    """Return the image of a pipeline's first step, which is also used by the Ray head running the driver."""
    return context.image(job.pipeline.steps[0].source.image)


def job_groups(job: Job, context: Context) -> tuple[Group, ...]:
    """Return a pipeline's worker groups. If there are several, they start without Pods to avoid idle ones."""
    members: dict[str, list[Step]] = {}
    for step in job.pipeline.steps:
        members.setdefault(step_group(job, step), []).append(step)
    alone = len(members) == 1
    return tuple(
        Group(
            name=name,
            hardware=job.hardware[steps[0].name],
            image=context.image(steps[0].source.image),
            minimum=min(step.workers.minimum for step in steps) if alone else 0,
            maximum=max(step.workers.maximum for step in steps),
            together=any(trains_together(job, step) for step in steps),
        )
        for name, steps in members.items()
    )


def _submitter(resource: Resource[Job], job: Job, context: Context) -> dict[str, Value]:
    """Build the Pod that submits the run. Network policies let it reach the head thanks to its name label."""
    labelled = labels(context.system.metadata.name, resource.name, resource.workload, COMPONENT)
    submitter = container(
        "ray-job-submitter",
        context.runtime_image,
        support_resources(SUBMITTER),
    )
    spec = pod_spec(
        [submitter],
        context,
        account=service_account(resource, context),
        token=False,
        place=support_place(context),
        scratch_bytes=SUPPORT_DISK_BYTES,
        priority_class=priority_class_of(resource, context),
        restartPolicy="Never",
    )
    return {"metadata": {"labels": labelled}, "spec": spec}
