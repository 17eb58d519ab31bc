"""The launcher for pipeline runs, a CronJob whose Pod creates a RayJob, waits, and exits with its result.

KubeRay's own RayCronJob (v1.7.0, behind a feature gate that is off by default) has no concurrency policy and no history
limits, and it catches up on all missed schedules. A CronJob has none of these problems.
"""

from __future__ import annotations

from modelyard.manifest import env, env_from_field, labels, metadata, object_of
from modelyard.plan import Job, Resource
from modelyard.spec import Pipeline, Schedule
from modelyard.stack import Manifest, Value
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.pods.frame import container, pod_spec, support_place, support_resources
from modelyard_targets.kube.pods.priorities import priority_class_of
from modelyard_targets.kube.pods.sizes import LAUNCHER, SUPPORT_DISK_BYTES
from modelyard_targets.kube.workload.describe import DESCRIPTION_FOLDER
from modelyard_targets.kube.workload.durations import run_seconds
from modelyard_targets.kube.workload.environment import service_account

COMPONENT = "launcher"

NEVER = "0 0 1 1 *"
"""Placeholder schedule for a suspended CronJob. People, monitors or preceding pipelines create its runs."""

_OVERLAP = {"forbid": "Forbid", "replace": "Replace", "allow": "Allow"}
_SLACK_S = 600
_HISTORY = 5
_LONGEST_HISTORY = 100
_LONGEST_RUN = 47


def launcher_name(resource: Resource) -> str:
    """Return the label value that selects the launcher's Pods."""
    return f"{resource.name}-launcher"


def template_name(resource: Resource) -> str:
    """Return the name of the ConfigMap with the launcher's RayJob template."""
    return f"{resource.name}-rayjob"


def job_seconds(pipeline: Pipeline) -> int:
    """Return the longest duration, in seconds, of a run's Job."""
    return run_seconds(pipeline) + _SLACK_S * (pipeline.retries + 1)


def launcher(resource: Resource[Job], context: Context) -> Manifest:
    """Build a pipeline's CronJob, which is suspended unless the pipeline has a cron schedule."""
    job = resource.value
    template = _job(resource, template_name(resource), keep(context), context)
    spec = {**cron_fields(job.pipeline.schedule, context), "jobTemplate": {"spec": template}}
    meta = metadata(resource.name, context.namespace, _labels(resource, context))
    return object_of("batch/v1", "CronJob", meta, spec=spec)


def launcher_once(resource: Resource[Job], name: str, template: str, context: Context) -> Manifest:
    """Build the Job that launches a pipeline once, if other pipelines follow it.

    The finished Job is kept so that it isn't repeated by another deployment. Deployments don't wait for it.
    """
    meta = metadata(name, context.namespace, _labels(resource, context), annotations={"pulumi.com/skipAwait": "true"})
    return object_of("batch/v1", "Job", meta, spec=_job(resource, template, {}, context))


def _job(resource: Resource[Job], rayjob: str, retention: dict[str, Value], context: Context) -> dict[str, Value]:
    """Build the spec of a Job that starts a run and waits for its end."""
    job = resource.value
    labelled = labels(context.system.metadata.name, launcher_name(resource), resource.workload, COMPONENT)
    return {
        "activeDeadlineSeconds": job_seconds(job.pipeline),
        **_retried_unless_failed(),
        **retention,
        "template": {"metadata": {"labels": labelled}, "spec": _pod(resource, rayjob, context)},
    }


def ray_job_of(pipeline: str, suffix: str) -> str:
    """Return the name of the RayJob that the launcher creates for the Job `PIPELINE-SUFFIX`."""
    ending = f"-run-{suffix}"
    return f"{pipeline[: _LONGEST_RUN - len(ending)].rstrip('-')}{ending}"


def _labels(resource: Resource, context: Context) -> dict[str, Value]:
    return labels(context.system.metadata.name, resource.name, resource.workload, COMPONENT)


def cron_fields(schedule: Schedule, context: Context) -> dict[str, Value]:
    """Return a CronJob's schedule and history limits.

    Scheduled CronJobs don't set `suspend`, so users can pause them without causing conflicts in later deployments.
    """
    history = _HISTORY if context.system.governance.retention.runs_s is None else _LONGEST_HISTORY
    return {
        "schedule": schedule.cron if schedule.kind == "cron" else NEVER,
        "timeZone": schedule.time_zone,
        **({} if schedule.kind == "cron" else {"suspend": True}),
        "concurrencyPolicy": _OVERLAP[schedule.overlap],
        "startingDeadlineSeconds": schedule.starting_deadline_s,
        "successfulJobsHistoryLimit": history,
        "failedJobsHistoryLimit": history,
    }


def keep(context: Context) -> dict[str, Value]:
    """Return how long a finished Job and its RayJob are kept, if limited by the spec."""
    seconds = context.system.governance.retention.runs_s
    return {} if seconds is None else {"ttlSecondsAfterFinished": seconds}


def kept_apart(pipeline: Pipeline, context: Context) -> str:
    """Return the overlap policy the launcher must enforce (`forbid` or `replace`), or "".

    CronJobs only apply their own policy to runs they created. The result is empty if only the CronJob starts runs or if
    runs may overlap.
    """
    started = pipeline.name in context.starters or pipeline.schedule.kind == "after"
    return pipeline.schedule.overlap if started and pipeline.schedule.overlap != "allow" else ""


def started_after(pipeline: Pipeline, context: Context) -> tuple[str, ...]:
    """Return the CronJobs of subsequent pipelines, which the launcher starts once its own run has succeeded."""
    return tuple(context.cron_jobs[follower.name] for follower in context.followers.get(pipeline.name, ()))


def requested(context: Context) -> tuple[str, ...]:
    """Return the CronJobs of this placement's pipelines that monitors on other targets can request."""
    return tuple(dict.fromkeys(context.cron_jobs[request.pipeline.name] for request in context.requests))


def _retried_unless_failed() -> dict[str, Value]:
    """Retry a launcher that lost its machine, so it can keep following its run, but not one whose run failed."""
    rules: list[Value] = [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget", "status": "True"}]},
        {"action": "FailJob", "onExitCodes": {"containerName": "launch", "operator": "In", "values": [1]}},
    ]
    return {"backoffLimit": 3, "podFailurePolicy": {"rules": rules}}


def _pod(resource: Resource[Job], rayjob: str, context: Context) -> dict[str, Value]:
    """Build the launcher's Pod, which always uses the runtime image because it has an API token."""
    job = resource.value
    overlap, started = kept_apart(job.pipeline, context), started_after(job.pipeline, context)
    launch = container(
        "launch",
        context.runtime_image,
        support_resources(LAUNCHER),
        environment=[
            env_from_field("MODELYARD_JOB", "metadata.labels['batch.kubernetes.io/job-name']"),
            env_from_field("MODELYARD_JOB_UID", "metadata.labels['batch.kubernetes.io/controller-uid']"),
            *([env("MODELYARD_OVERLAP", overlap)] if overlap else []),
            *([env("MODELYARD_FOLLOWERS", ",".join(started))] if started else []),
        ],
        mounts=[{"name": "template", "mountPath": DESCRIPTION_FOLDER, "readOnly": True}],
        command=["python", "-m", "modelyard_runtime", "launch"],
    )
    return pod_spec(
        [launch],
        context,
        account=service_account(resource, context, launcher=True),
        token=True,
        place=support_place(context),
        scratch_bytes=SUPPORT_DISK_BYTES,
        priority_class=priority_class_of(resource, context),
        volumes=[{"name": "template", "configMap": {"name": rayjob}}],
        restartPolicy="Never",
        terminationGracePeriodSeconds=60,
    )
