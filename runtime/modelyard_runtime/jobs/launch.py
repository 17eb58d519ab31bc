"""`launch`: from a Pod of a CronJob to one RayJob, and to its end.

The Pod lives as long as the RayJob, so that the CronJob's concurrency policy, history and `kubectl get jobs` tell
the truth about the run. That policy is about the runs that the CronJob made: where a monitor or another pipeline starts
runs too, the Pod keeps it by itself. The run itself belongs to the Job, and not to the Pod: with a deleted or replaced
Job it goes, while a Pod that has to leave its machine leaves hours of training running, and the Job's next Pod follows
them. When a run has succeeded, the Pod starts the pipelines that come after it.
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
from modelyard_runtime.jobs.siblings import others
from modelyard_runtime.refusals import Refusal

TEMPLATE = Path("/etc/modelyard/rayjob.json")

_RAY_JOBS = "apis/ray.io/v1/rayjobs"
_LONGEST_NAME = 47  # a RayJob's; the operator appends to it. Source: ray-operator/controllers/ray/utils, v1.7.0
_RUN = "-run-"
_POLL_S = 10.0
_ENDED = 128 + signal.SIGTERM
"""The exit code of a Pod that was asked to leave; one for a run that failed would end the Job."""

_NOT_FOLLOWED = os.EX_TEMPFAIL
"""The exit code where a run succeeded and what follows it did not start: the Job's next Pod tries that again."""

_log = logging.getLogger(__name__)


class Stopped(Exception):
    """The Pod was asked to end: its machine is drained, or its Job is gone."""


@dataclass(frozen=True, slots=True)
class Replacing:
    """Of a pipeline whose newest run stops the others: what they are named after, and which Job this one is."""

    template: Object
    job: str

    def of_others(self, api: ClusterApi, name: str) -> bool:
        """Stop the runs that began before; False where a newer one has begun, so that this one is stopped instead.

        Only asked when the own RayJob is there: of two that look at once, one sees the other's.
        """
        before, after = others(api, self.job)
        if after:
            _log.warning("RayJob %s is stopped: Job %s has begun after it and replaces it", name, after[-1])
            _remove(api, name)
            return False
        for job in before:
            older = named_after(self.template, job)["metadata"]
            assert isinstance(older, dict)
            _log.warning("RayJob %s of Job %s is stopped: %s replaces it", older["name"], job, name)
            _remove(api, str(older["name"]))
        return True


def run() -> int:
    """Create the RayJob of the mounted template and wait: 0 when it succeeds, 1 when it fails, 143 when told to end, 75
    when it succeeds and what follows it cannot be started.
    """
    signal.signal(signal.SIGTERM, stop)
    template = json.loads(Path(os.environ.get("MODELYARD_RAYJOB", TEMPLATE)).read_text(encoding="utf-8"))
    job, uid = _said("MODELYARD_JOB"), _said("MODELYARD_JOB_UID")
    overlap, api = os.environ.get("MODELYARD_OVERLAP", "allow"), ClusterApi.of_this_pod()
    if overlap == "forbid" and skipped(api, job):
        return 0
    stops = Replacing(template, job) if overlap == "replace" else None
    follow = [name for name in os.environ.get("MODELYARD_FOLLOWERS", "").split(",") if name]
    following = Following(tuple(follow), job, uid)
    return launch(api, owned_by(named_after(template, job), job, uid), replacing=stops, following=following)


def _said(variable: str) -> str:
    value = os.environ.get(variable, "")
    if not value:
        raise Refusal(f"{variable} is not set; it says which Job this Pod belongs to")
    return value


def named_after(template: Object, job: str) -> Object:
    """The template with the Job's own suffix, so that a second Pod of a Job finds the RayJob of the first.

    Never the name of the Job itself: KubeRay creates a Job named after the RayJob, to submit it, and would find that
    name taken (`RayJobK8sJobNamespacedName` in ray-operator/controllers/ray/common/association.go, v1.6.2).
    """
    metadata = template["metadata"]
    assert isinstance(metadata, dict)
    base = str(metadata["name"])
    suffix = job.removeprefix(base).strip("-") or "run"
    ending = f"{_RUN}{suffix[-20:].lstrip('-')}"
    name = f"{base[: _LONGEST_NAME - len(ending)].rstrip('-')}{ending}"
    return {**template, "metadata": {**metadata, "name": name}}


def owned_by(body: Object, job: str, uid: str) -> Object:
    """The RayJob as a child of the Job: a deleted Job takes it along, and so do the CronJob's limits of history."""
    metadata = body["metadata"]
    assert isinstance(metadata, dict)
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job, "uid": uid, "controller": True}
    return {**body, "metadata": {**metadata, "ownerReferences": [owner]}}


def skipped(api: ClusterApi, job: str) -> bool:
    """Whether a run of the pipeline began before this one and is under way, where none may overlap another."""
    before, _ = others(api, job)
    if before:
        _log.warning("not started: the run of Job %s is under way, and runs of this pipeline do not overlap", before[0])
    return bool(before)


def launch(
    api: ClusterApi,
    body: Object,
    poll_s: float = _POLL_S,
    *,
    replacing: Replacing | None = None,
    following: Following | None = None,
) -> int:
    """Create or find the RayJob, follow it until it ends or this Pod is asked to leave, and start what comes after."""
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
        _log.info("asked to end; RayJob %s goes on as long as its Job does", name)
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
        if problem.status != 404:  # it has ended, or was never made
            raise Refusal(f"RayJob {name} cannot be stopped: {problem}") from None


def _follow(api: ClusterApi, name: str, poll_s: float) -> int:
    told = ""
    while True:
        try:
            status = api.get(_RAY_JOBS, name).get("status")
        except ApiError as problem:
            if problem.status == 404:
                raise Refusal(f"RayJob {name} was removed before it ended") from None
            _log.warning("the API server answered %s; asking again", problem)
            status = None
        except OSError as problem:
            _log.warning("the API server cannot be reached (%s); asking again", problem)
            status = None
        found = status if isinstance(status, dict) else {}
        state = str(found.get("jobDeploymentStatus", ""))
        if state and state != told:
            _log.info("RayJob %s: %s", name, state)
            told = state
        if state in {"Complete", "Failed"}:
            good = state == "Complete" and found.get("jobStatus") == "SUCCEEDED"
            if not good:
                _log.error(
                    "RayJob %s ended as %s: %s",
                    name,
                    found.get("jobStatus"),
                    found.get("message") or found.get("reason"),
                )
            return 0 if good else 1
        time.sleep(poll_s)


def stop(signum: int, frame: FrameType | None) -> None:
    """What SIGTERM does, which Python alone would not take as the first process of a container."""
    raise Stopped
