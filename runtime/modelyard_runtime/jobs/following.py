"""Starts one run of each downstream pipeline from its CronJob once a run has succeeded."""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import dataclass

from modelyard_runtime.jobs.cluster_api import ApiError, ClusterApi
from modelyard_runtime.jobs.siblings import CRON_JOBS, JOBS, exists, forbidden, job_named, job_of, mapping

_FOLLOWED_LABEL = "modelyard.dev/follows"
_TOO_MANY = 429
_SERVER = 500
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Following:
    """The CronJobs of downstream pipelines, and the Job whose run they follow."""

    cron_jobs: tuple[str, ...]
    job: str
    uid: str

    def start(self, api: ClusterApi, poll_s: float) -> bool:
        """Start one run of each pipeline. Returns False if the API server refused any of them.

        A retry only starts the missing runs.
        """
        refused = 0
        for cron_job in self.cron_jobs:
            try:
                _log.info("%s", self._patiently(api, cron_job, poll_s))
            except ApiError as problem:
                _log.error(
                    "this run succeeded, but CronJob %s, which follows it, cannot be started: %s", cron_job, problem
                )
                refused += 1
        return not refused

    def _patiently(self, api: ClusterApi, cron_job: str, poll_s: float) -> str:
        while True:
            try:
                return self._started(api, cron_job)
            except ApiError as problem:
                if problem.status != _TOO_MANY and problem.status < _SERVER:
                    raise
                _log.warning("the API server answered %s; retrying", problem)
            except OSError as problem:
                _log.warning("the API server cannot be reached (%s); retrying", problem)
            time.sleep(poll_s)

    def _started(self, api: ClusterApi, cron_job: str) -> str:
        ending = hashlib.sha256(f"{self.uid}/{cron_job}".encode()).hexdigest()[:10]
        name = job_named(cron_job, ending)
        if exists(api, name):
            return f"Job {name} has already been started after this run"
        parent = api.get(CRON_JOBS, cron_job)
        if forbidden(api, parent):
            return f"CronJob {cron_job} is not started after this run: a run is in progress, and runs must not overlap"
        try:
            api.create(JOBS, job_of(parent, ending, {_FOLLOWED_LABEL: self.job}, self._longest_s(api)))
        except ApiError as problem:
            if problem.status != 409:  # another Pod of this Job has already created it
                raise
        return f"started Job {name} after this run"

    def _longest_s(self, api: ClusterApi) -> int:
        """Return for how many seconds this Job's Pods may check whether a run has already been started."""
        longest = mapping(api.get(JOBS, self.job), "spec").get("activeDeadlineSeconds")
        return longest if isinstance(longest, int) else 0
