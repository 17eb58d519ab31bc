"""Starts a run after a breach by creating a Job from the pipeline's CronJob. Existing Jobs record earlier runs."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

from modelyard_runtime.jobs.cluster_api import ApiError, ClusterApi, Object
from modelyard_runtime.jobs.siblings import CRON_JOBS, JOBS, forbidden, job_of, mapping
from modelyard_runtime.jobs.starting import Start, start_guarded
from modelyard_runtime.workload.records import BreachRun, Request

_MONITOR_LABEL = "modelyard.dev/started-by"


@dataclass(frozen=True, slots=True)
class JobStarter:
    """Creates Jobs through the cluster's API."""

    api: ClusterApi

    def deciding(self) -> AbstractContextManager[None]:
        """Return a no-op context. No lock is needed, since a second attempt would find the Job's name taken."""
        return nullcontext()

    def last(self, monitor: str) -> datetime | None:
        """Return the time at which a monitor last started a run."""
        earlier = [_created(job) for job in self.api.list(JOBS, f"{_MONITOR_LABEL}={monitor}")]
        return max((created for created in earlier if created is not None), default=None)

    def prevented(self, run: BreachRun | Request) -> bool:
        """Return whether an active run prevents a new run."""
        return forbidden(self.api, self.api.get(CRON_JOBS, run.cron_job))

    def begin(self, run: BreachRun | Request, start: Start) -> None:
        """Create the Job, unless another attempt has already created it."""
        parent = self.api.get(CRON_JOBS, run.cron_job)
        body = job_of(parent, start.ending, {_MONITOR_LABEL: start.monitor, **start.labels}, start.kept_s)
        metadata = mapping(body, "metadata")
        annotated = {**metadata, "annotations": {**mapping(metadata, "annotations"), **start.annotations}}
        try:
            self.api.create(JOBS, {**body, "metadata": annotated})
        except ApiError as problem:
            if problem.status != 409:
                raise


def start_run(api: ClusterApi, run: BreachRun | Request, start: Start) -> str:
    """Create a Job from the CronJob of `run`, and return a sentence describing the result.

    No Job is created during the monitor's cooldown, or while another run is active if runs must not overlap.
    """
    return start_guarded(JobStarter(api), run, start)


def _created(job: Object) -> datetime | None:
    stamp = mapping(job, "metadata").get("creationTimestamp")
    return datetime.fromisoformat(stamp).astimezone(UTC) if isinstance(stamp, str) else None
