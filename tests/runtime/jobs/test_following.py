"""Tests that a successful run starts each follower pipeline once, and that a failed run starts none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from modelyard_runtime.jobs import launch
from modelyard_runtime.jobs.cluster_api import ApiError, ClusterApi, Object
from modelyard_runtime.jobs.following import Following
from tests.runtime.api_server import ApiServer, launcher_api

BATCH = "/apis/batch/v1/namespaces/cards"
JOBS, CRON_JOBS = f"{BATCH}/jobs", f"{BATCH}/cronjobs"
RAY_JOBS = "/apis/ray.io/v1/namespaces/cards/rayjobs"
TEMPLATE: dict[str, Any] = {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": "collect"}, "spec": {}}
JOB = "collect-29401230"
SUCCEEDED = {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}
FAILED = {"jobDeploymentStatus": "Failed", "jobStatus": "FAILED"}
RETRIED = 75


@pytest.fixture
def server() -> Iterator[ApiServer]:
    """Run an API server with a run's Job and the CronJobs of its two follower pipelines."""
    with ApiServer() as running:
        owner = [{"kind": "CronJob", "uid": "u-1"}]
        running.objects[f"{JOBS}/{JOB}"] = {
            "metadata": {"name": JOB, "creationTimestamp": "2026-11-24T06:00:00Z", "ownerReferences": owner},
            "spec": {"activeDeadlineSeconds": 30 * 86400},
            "status": {},
        }
        for at, name in enumerate(("train", "report")):
            running.objects[f"{CRON_JOBS}/{name}"] = {
                "metadata": {"name": name, "uid": f"u-{at + 2}", "labels": {"app.kubernetes.io/name": name}},
                "spec": {
                    "suspend": True,
                    "concurrencyPolicy": "Forbid",
                    "jobTemplate": {"spec": {"backoffLimit": 3, "ttlSecondsAfterFinished": 3600}},
                },
            }
        yield running


@pytest.fixture
def api(server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterApi:
    """Return the API client of a launcher Pod that mounts its RayJob template."""
    monkeypatch.setenv("MODELYARD_JOB", JOB)
    monkeypatch.setenv("MODELYARD_FOLLOWERS", "train,report")
    return launcher_api(server, TEMPLATE, tmp_path, monkeypatch)


def run(server: ApiServer, status: dict[str, str]) -> int:
    """Run a launcher Pod for a RayJob that ends immediately with `status`, and return the launcher's exit code."""

    def end() -> None:
        for path, obj in server.objects.items():
            if path.startswith(f"{RAY_JOBS}/"):
                obj["status"] = status

    server.on_get = end
    return launch.run()


def followers(server: ApiServer) -> list[dict[str, Any]]:
    """Return the Jobs that were created after the run."""
    return [job for path, job in server.objects.items() if path.startswith(f"{JOBS}/") and path != f"{JOBS}/{JOB}"]


def owners(server: ApiServer) -> list[str]:
    """Return the names of the CronJobs that own the follower pipelines' Jobs."""
    return [job["metadata"]["ownerReferences"][0]["name"] for job in followers(server)]


def test_successful_run_starts_each_follower_once(server: ApiServer, api: ClusterApi) -> None:
    assert run(server, SUCCEEDED) == 0

    assert owners(server) == ["train", "report"]
    train, report = followers(server)
    assert train["metadata"]["labels"] == {"app.kubernetes.io/name": "train", "modelyard.dev/follows": JOB}
    assert train["spec"]["backoffLimit"] == 3
    assert train["metadata"]["name"].partition("-")[2] != report["metadata"]["name"].partition("-")[2]


def test_failed_run_starts_no_follower(server: ApiServer, api: ClusterApi) -> None:
    assert run(server, FAILED) == 1
    assert followers(server) == []


def test_terminated_pod_starts_no_follower(server: ApiServer, api: ClusterApi, monkeypatch: pytest.MonkeyPatch) -> None:
    def leave(*_: object) -> None:
        raise launch.Stopped

    monkeypatch.setattr(launch.time, "sleep", leave)

    assert run(server, {"jobDeploymentStatus": "Running"}) == 143
    assert followers(server) == []


@pytest.mark.parametrize("overlap", ["forbid", "replace"])
def test_run_skipped_for_another_starts_no_follower(
    server: ApiServer, api: ClusterApi, monkeypatch: pytest.MonkeyPatch, overlap: str
) -> None:
    """A run skipped because another run is active exits with 0 but doesn't start its followers."""
    created = {"forbid": "2026-11-24T05:00:00Z", "replace": "2026-11-24T07:00:00Z"}[overlap]
    metadata = {
        "name": "collect-2",
        "creationTimestamp": created,
        "ownerReferences": [{"kind": "CronJob", "uid": "u-1"}],
    }
    server.objects[f"{JOBS}/collect-2"] = {"metadata": metadata, "status": {}}
    monkeypatch.setenv("MODELYARD_OVERLAP", overlap)

    assert run(server, SUCCEEDED) == 0
    assert [created["metadata"]["name"] for created in followers(server)] == ["collect-2"]


def test_retried_pod_starts_no_follower_twice(server: ApiServer, api: ClusterApi) -> None:
    """A retried launcher Pod doesn't start a follower again, even if its first run has already ended."""
    run(server, SUCCEEDED)
    for follower in followers(server):
        follower["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}
    before = json.dumps(followers(server))

    assert run(server, SUCCEEDED) == 0
    assert json.dumps(followers(server)) == before


def test_ended_follower_job_is_kept_while_pods_may_retry(server: ApiServer, api: ClusterApi) -> None:
    """If a short `retention.runs` deleted the follower's Job, a retried Pod would start the follower again."""
    run(server, SUCCEEDED)

    assert {follower["spec"]["ttlSecondsAfterFinished"] for follower in followers(server)} == {30 * 86400}


def test_new_run_starts_followers_again(server: ApiServer, api: ClusterApi, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Job that was deleted and recreated with the same name counts as a new run."""
    run(server, SUCCEEDED)
    for follower in followers(server):
        follower["status"] = {"conditions": [{"type": "Complete", "status": "True"}]}
    monkeypatch.setenv("MODELYARD_JOB_UID", "another")
    run(server, SUCCEEDED)

    assert owners(server) == ["train", "report"] * 2


@pytest.mark.parametrize(("policy", "expected"), [("Forbid", ["report"]), ("Replace", ["train", "report"])])
def test_concurrency_policy_applies_to_followers(
    server: ApiServer, api: ClusterApi, policy: str, expected: list[str]
) -> None:
    """With Forbid, a follower's active run blocks the next one. With Replace, the next run's launcher stops it."""
    server.objects[f"{CRON_JOBS}/train"]["spec"]["concurrencyPolicy"] = policy
    by_hand = {"name": "train-by-hand", "ownerReferences": [{"kind": "CronJob", "name": "", "uid": "u-2"}]}
    server.objects[f"{JOBS}/train-by-hand"] = {"metadata": by_hand, "status": {}}

    assert run(server, SUCCEEDED) == 0
    assert [name for name in owners(server) if name] == expected


def test_refused_follower_does_not_block_others(server: ApiServer, api: ClusterApi) -> None:
    """If one follower is refused, the Job is retried, and its next Pod starts only the missing followers."""
    cron_job = server.objects.pop(f"{CRON_JOBS}/train")

    assert run(server, SUCCEEDED) == RETRIED
    assert owners(server) == ["report"]

    server.objects[f"{CRON_JOBS}/train"] = cron_job

    assert run(server, SUCCEEDED) == 0
    assert owners(server) == ["report", "train"]


class Restarting(ClusterApi):
    """An API server that becomes unavailable for a short time."""

    answers: tuple[Exception, ...] = ()

    def get(self, resource: str, name: str) -> Object:
        if type(self).answers:
            first, *rest = type(self).answers
            type(self).answers = tuple(rest)
            raise first
        return super().get(resource, name)


@pytest.mark.parametrize(
    "answers", [(OSError("no route to host"),), (ApiError(503, "starting"), ApiError(429, "too many requests"))]
)
def test_launcher_waits_for_an_unavailable_api_server(
    server: ApiServer, api: ClusterApi, answers: tuple[Exception, ...]
) -> None:
    away = Restarting(api.url, api.namespace, api.token_file, api.trust)
    Restarting.answers = answers

    assert Following(("train",), JOB, "7c9e").start(away, poll_s=0)
    assert owners(server) == ["train"]
