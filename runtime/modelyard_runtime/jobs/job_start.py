"""Starts a run after a breach with a Job from the pipeline's CronJob, subject to the monitor's cooldown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from modelyard_runtime.jobs.cluster_api import ApiError, ClusterApi, Object
from modelyard_runtime.jobs.siblings import CRON_JOBS, JOBS, forbidden, job_of, mapping
from modelyard_runtime.workload.records import BreachRun, Request

_MONITOR_LABEL = "modelyard.dev/started-by"


@dataclass(frozen=True, slots=True)
class Start:
    """Which monitor starts a run and when, the suffix of the Job's name, and how long to keep the Job.

    `labels` and `annotations` record on the Job what triggered the run.
    """

    monitor: str
    ending: str
    now: datetime
    cooldown: timedelta
    kept_s: int
    labels: Object = field(default_factory=dict[str, object])
    annotations: Object = field(default_factory=dict[str, object])


def start_run(api: ClusterApi, run: BreachRun | Request, start: Start) -> str:
    """Create a Job from the CronJob of `run`, and return a sentence that describes the result.

    No Job is created within this monitor's cooldown, or while another run is active if runs must not overlap.
    """
    pipeline = run.pipeline
    earlier = [_created(job) for job in api.list(JOBS, f"{_MONITOR_LABEL}={start.monitor}")]
    last = max((created for created in earlier if created is not None), default=None)
    if last is not None and start.now - last < start.cooldown:
        return (
            f"pipeline {pipeline} is not started: its last start was at {last.isoformat()}, "
            f"and the cooldown is {start.cooldown}"
        )
    parent = api.get(CRON_JOBS, run.cron_job)
    if forbidden(api, parent):
        return f"pipeline {pipeline} is not started: a run is in progress, and runs must not overlap"
    body = job_of(parent, start.ending, {_MONITOR_LABEL: start.monitor, **start.labels}, start.kept_s)
    metadata = mapping(body, "metadata")
    annotated = {**metadata, "annotations": {**mapping(metadata, "annotations"), **start.annotations}}
    try:
        api.create(JOBS, {**body, "metadata": annotated})
    except ApiError as problem:
        if problem.status != 409:  # another attempt has already created it
            raise
    return f"pipeline {pipeline} is started"


def _created(job: Object) -> datetime | None:
    stamp = mapping(job, "metadata").get("creationTimestamp")
    return datetime.fromisoformat(stamp).astimezone(UTC) if isinstance(stamp, str) else None
