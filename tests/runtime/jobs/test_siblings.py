"""Tests that a pipeline's runs overlap only if the spec allows it.

This applies to runs started by monitors and by schedules.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelyard_runtime.jobs import launch
from modelyard_runtime.jobs.cluster_api import ClusterApi
from modelyard_runtime.jobs.siblings import other_runs
from tests.runtime.api_server import ApiServer, launcher_api

JOBS = "/apis/batch/v1/namespaces/cards/jobs"
RAY_JOBS = "/apis/ray.io/v1/namespaces/cards/rayjobs"
TEMPLATE: dict[str, Any] = {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": "retrain"}, "spec": {}}
BY_TIME, BY_MONITOR = "retrain-29401230", "retrain-202611240600"
RUN_BY_TIME, RUN_BY_MONITOR = "retrain-run-29401230", "retrain-run-202611240600"
ENDED = {"conditions": [{"type": "Complete", "status": "True"}]}
SUCCEEDED = {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}


@pytest.fixture
def server() -> Iterator[ApiServer]:
    """Run an API server with a monitor's run, a scheduled run two minutes later, and an unrelated run."""
    with ApiServer() as running:
        for name, created_at, owner in (
            (BY_MONITOR, "2026-11-24T06:00:00Z", "u-1"),
            (BY_TIME, "2026-11-24T06:02:00Z", "u-1"),
            ("nightly-1", "2026-11-24T05:00:00Z", "u-2"),
        ):
            references = [{"kind": "CronJob", "uid": owner}]
            metadata = {"name": name, "creationTimestamp": created_at, "ownerReferences": references}
            running.objects[f"{JOBS}/{name}"] = {"metadata": metadata, "status": {}}
        yield running


@pytest.fixture
def api(server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterApi:
    """Return the API client of a launcher Pod that mounts its RayJob template."""
    return launcher_api(server, TEMPLATE, tmp_path, monkeypatch)


def run(server: ApiServer, monkeypatch: pytest.MonkeyPatch, job: str, overlap: str) -> int:
    """Run the launcher of a Job whose RayJob succeeds immediately, and return the exit code."""

    def succeed() -> None:
        for path, job in server.objects.items():
            if path.startswith(f"{RAY_JOBS}/"):
                job["status"] = SUCCEEDED

    server.on_get = succeed
    monkeypatch.setenv("MODELYARD_JOB", job)
    monkeypatch.setenv("MODELYARD_OVERLAP", overlap)
    return launch.run()


def ray_jobs(server: ApiServer) -> list[str]:
    return [path.rpartition("/")[2] for path in server.objects if path.startswith(f"{RAY_JOBS}/")]


def test_runs_of_a_pipeline_are_ordered_by_age(api: ClusterApi) -> None:
    assert other_runs(api, BY_TIME) == ([BY_MONITOR], [])
    assert other_runs(api, BY_MONITOR) == ([], [BY_TIME])


def test_runs_created_in_the_same_second_have_an_order(server: ApiServer, api: ClusterApi) -> None:
    """Without a tie-break, two Jobs created in the same second would each yield to the other."""
    server.objects[f"{JOBS}/{BY_TIME}"]["metadata"]["creationTimestamp"] = "2026-11-24T06:00:00Z"

    assert other_runs(api, BY_TIME) == ([BY_MONITOR], [])
    assert other_runs(api, BY_MONITOR) == ([], [BY_TIME])


def test_scheduled_run_is_skipped_during_a_monitors_run(
    server: ApiServer, api: ClusterApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The launcher looks for Jobs the CronJob controller didn't create, because the controller ignores them."""
    assert run(server, monkeypatch, BY_TIME, "forbid") == 0
    assert ray_jobs(server) == []


def test_older_of_two_runs_continues(server: ApiServer, api: ClusterApi, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(server, monkeypatch, BY_MONITOR, "forbid") == 0
    assert ray_jobs(server) == [RUN_BY_MONITOR]


def test_ended_run_blocks_nothing(server: ApiServer, api: ClusterApi, monkeypatch: pytest.MonkeyPatch) -> None:
    server.objects[f"{JOBS}/{BY_MONITOR}"]["status"] = ENDED

    assert run(server, monkeypatch, BY_TIME, "forbid") == 0
    assert ray_jobs(server) == [RUN_BY_TIME]


def test_the_newer_run_stops_the_older_one(server: ApiServer, api: ClusterApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """The older run's RayJob is deleted, but its Job is kept because the monitor's cooldown depends on it."""
    server.objects[f"{RAY_JOBS}/{RUN_BY_MONITOR}"] = {"metadata": {"name": RUN_BY_MONITOR}}

    assert run(server, monkeypatch, BY_TIME, "replace") == 0
    assert ray_jobs(server) == [RUN_BY_TIME]
    assert f"{JOBS}/{BY_MONITOR}" in server.objects


def test_run_replaced_before_it_began_does_not_start(
    server: ApiServer, api: ClusterApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The older run ends itself, because the newer run can't stop a run that hasn't started yet."""
    assert run(server, monkeypatch, BY_MONITOR, "replace") == 0
    assert ray_jobs(server) == []


def test_runs_overlap_if_allowed(server: ApiServer, api: ClusterApi, monkeypatch: pytest.MonkeyPatch) -> None:
    for job in (BY_MONITOR, BY_TIME):
        assert run(server, monkeypatch, job, "allow") == 0

    assert ray_jobs(server) == [RUN_BY_MONITOR, RUN_BY_TIME]
