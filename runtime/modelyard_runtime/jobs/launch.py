"""`launch` creates a RayJob from a CronJob's Pod and follows the RayJob until it ends.

The Pod runs as long as the RayJob, so the CronJob's concurrency policy, its history and `kubectl get jobs` reflect the
run. The policy only covers runs created by the CronJob itself, so if monitors or other pipelines also start runs, the
Pod enforces the policy. The Job owns the RayJob, so deleting or replacing the Job also deletes the RayJob. If the Pod
is evicted, training continues, and the Job's next Pod follows the same RayJob. After a successful run, the Pod starts
the downstream pipelines.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from modelyard_runtime.jobs.cluster_api import ApiError, ClusterApi, Object
from modelyard_runtime.jobs.following import Following
from modelyard_runtime.jobs.siblings import other_runs
from modelyard_runtime.refusals import Refusal

TEMPLATE = Path("/etc/modelyard/rayjob.json")

_RAY_JOBS = "apis/ray.io/v1/rayjobs"
_LONGEST_NAME = 47  # maximum length, to which the operator appends. Source: ray-operator/controllers/ray/utils, v1.7.0
_RUN = "-run-"
_POLL_S = 10.0
_ENDED = 128 + signal.SIGTERM
"""The exit code of a Pod that got SIGTERM. It differs from a failed run's, which would end the Job."""

_NOT_FOLLOWED = os.EX_TEMPFAIL
"""The exit code if the run succeeded but a downstream run did not start. The Job's next Pod tries again."""

_log = logging.getLogger(__name__)


class Stopped(Exception):
    """The Pod received SIGTERM because its machine is being drained or its Job was deleted."""


@dataclass(frozen=True, slots=True)
class Replacing:
    """Replaces older runs of a pipeline with the newest. `template` names the RayJobs, and `job` is this run's Job."""

    template: Object
    job: str

    def of_others(self, api: ClusterApi, name: str) -> bool:
        """Stop the runs that began earlier. Returns False if a newer run exists, in which case this run is stopped.

        Only call this after creating this run's RayJob. If two runs check simultaneously, at least one then sees the
        other.
        """
        before, after = other_runs(api, self.job)
        if after:
            _log.warning("stopping RayJob %s: Job %s started after it and replaces it", name, after[-1])
            _remove(api, name)
            return False
        for job in before:
            older = named_after(self.template, job)["metadata"]
            assert isinstance(older, dict)
            _log.warning("stopping RayJob %s of Job %s: %s replaces it", older["name"], job, name)
            _remove(api, str(older["name"]))
        return True


def run() -> int:
    """Create the RayJob from the mounted template and wait for it.

    Returns 0 on success, 1 on failure, 143 on SIGTERM, and 75 if the run succeeded but a downstream run couldn't be
    started.
    """
    signal.signal(signal.SIGTERM, stop)
    template = json.loads(Path(os.environ.get("MODELYARD_RAYJOB", TEMPLATE)).read_text(encoding="utf-8"))
    job, uid = _required_variable("MODELYARD_JOB"), _required_variable("MODELYARD_JOB_UID")
    overlap, api = os.environ.get("MODELYARD_OVERLAP", "allow"), ClusterApi.of_this_pod()
    if overlap == "forbid" and skipped(api, job):
        return 0
    stops = Replacing(template, job) if overlap == "replace" else None
    follow = [name for name in os.environ.get("MODELYARD_FOLLOWERS", "").split(",") if name]
    following = Following(tuple(follow), job, uid)
    return launch(api, owned_by(named_after(template, job), job, uid), replacing=stops, following=following)


def _required_variable(variable: str) -> str:
    value = os.environ.get(variable, "")
    if not value:
        raise Refusal(f"{variable} is not set; it names the Job that this Pod belongs to")
    return value


def named_after(template: Object, job: str) -> Object:
    """Append the Job's suffix to the template's name so that another Pod of the Job finds the existing RayJob.

    The name must differ from the Job's name. To submit a RayJob, KubeRay creates a Job with the RayJob's name, which
    would already be taken (`RayJobK8sJobNamespacedName` in ray-operator/controllers/ray/common/association.go, v1.6.2).
    """
    metadata = template["metadata"]
    assert isinstance(metadata, dict)
    base = str(metadata["name"])
    suffix = job.removeprefix(base).strip("-") or "run"
    ending = f"{_RUN}{suffix[-20:].lstrip('-')}"
    name = f"{base[: _LONGEST_NAME - len(ending)].rstrip('-')}{ending}"
    return {**template, "metadata": {**metadata, "name": name}}


def owned_by(body: Object, job: str, uid: str) -> Object:
    """Make the Job the RayJob's owner so that both are deleted together, even by a history limit."""
    metadata = body["metadata"]
    assert isinstance(metadata, dict)
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job, "uid": uid, "controller": True}
    return {**body, "metadata": {**metadata, "ownerReferences": [owner]}}


def skipped(api: ClusterApi, job: str) -> bool:
    """Return whether to skip this run because an earlier one is active and overlap is forbidden."""
    before, _ = other_runs(api, job)
    if before:
        _log.warning("not started: the run of Job %s is in progress, and runs must not overlap", before[0])
    return bool(before)


def launch(
    api: ClusterApi,
    body: Object,
    poll_s: float = _POLL_S,
    *,
    replacing: Replacing | None = None,
    following: Following | None = None,
) -> int:
    """Create or find the RayJob, follow it until it ends or this Pod receives SIGTERM, and start downstream runs."""
    metadata = body["metadata"]
    assert isinstance(metadata, dict)
    name = str(metadata["name"])
    try:
        _create(api, name, body)
        if replacing is not None and not replacing.of_others(api, name):
            return 0
        failed = _follow(api, name, poll_s)
        if failed or following is None or following.start(api, poll_s):
            return failed
        return _NOT_FOLLOWED
    except Stopped:
        _log.info("asked to stop; RayJob %s continues as long as its Job exists", name)
        return _ENDED


def _create(api: ClusterApi, name: str, body: Object) -> None:
    try:
        api.create(_RAY_JOBS, body)
        _log.info("created RayJob %s", name)
    except ApiError as problem:
        if problem.status != 409:
            raise Refusal(f"the API server refused RayJob {name}: {problem}") from None
        _log.info("RayJob %s exists; following it", name)


def _remove(api: ClusterApi, name: str) -> None:
    try:
        api.delete(_RAY_JOBS, name)
    except ApiError as problem:
        if problem.status != 404:  # the RayJob has already ended or was never created
            raise Refusal(f"RayJob {name} cannot be stopped: {problem}") from None


def _follow(api: ClusterApi, name: str, poll_s: float) -> int:
    logged = ""
    while True:
        try:
            status = api.get(_RAY_JOBS, name).get("status")
        except ApiError as problem:
            if problem.status == 404:
                raise Refusal(f"RayJob {name} was removed before it ended") from None
            _log.warning("the API server answered %s; retrying", problem)
            status = None
        except OSError as problem:
            _log.warning("the API server cannot be reached (%s); retrying", problem)
            status = None
        fields = status if isinstance(status, dict) else {}
        state = str(fields.get("jobDeploymentStatus", ""))
        if state and state != logged:
            _log.info("RayJob %s: %s", name, state)
            logged = state
        if state in {"Complete", "Failed"}:
            succeeded = state == "Complete" and fields.get("jobStatus") == "SUCCEEDED"
            if not succeeded:
                _log.error(
                    "RayJob %s ended with status %s: %s",
                    name,
                    fields.get("jobStatus"),
                    fields.get("message") or fields.get("reason"),
                )
            return 0 if succeeded else 1
        time.sleep(poll_s)


def stop(signum: int, frame: FrameType | None) -> None:
    """Handle SIGTERM, which Python would otherwise ignore when running as a container's first process."""
    raise Stopped
