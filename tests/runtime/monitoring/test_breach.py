"""Tests that a breach starts at most one pipeline run per cooldown, just as the pipeline's CronJob would."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from modelyard_runtime.jobs.cluster_api import ClusterApi
from modelyard_runtime.jobs.job_start import JobStarter
from modelyard_runtime.monitoring.breach import act, start
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.records import BreachRun, MonitorWorkload
from tests.runtime.api_server import ApiServer
from tests.runtime.described import record

NOW = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)
WORKLOAD = {"name": "monitor-drift"}
RUN = {"pipeline": "retrain", "cronJob": "retrain"}
COOLDOWN = timedelta(days=1)
JOBS = "/apis/batch/v1/namespaces/cards/jobs"


@pytest.fixture
def server() -> Iterator[ApiServer]:
    """Run an API server with the CronJob of a pipeline."""
    with ApiServer() as running:
        template = {"metadata": {"labels": {"of": "template"}}, "spec": {"backoffLimit": 3}}
        running.objects["/apis/batch/v1/namespaces/cards/cronjobs/retrain"] = {
            "metadata": {"name": "retrain", "uid": "u-1", "labels": {"app.kubernetes.io/name": "retrain"}},
            "spec": {"suspend": True, "jobTemplate": template},
        }
        yield running


@pytest.fixture
def api(server: ApiServer, tmp_path: Path) -> ClusterApi:
    """Return the client that a Pod with a token uses for the Kubernetes API."""
    (tmp_path / "token").write_text("secret")
    return ClusterApi(server.url, "cards", tmp_path / "token", None)


def jobs(server: ApiServer) -> list[dict[str, Any]]:
    """Return the Jobs that have been created."""
    return [job for path, job in server.objects.items() if path.startswith(f"{JOBS}/")]


def test_job_matches_its_cron_job(server: ApiServer, api: ClusterApi) -> None:
    """The Job gets its CronJob's spec and owner, so it has the same settings and is deleted along with it."""
    assert (
        start(JobStarter(api), record(MonitorWorkload, WORKLOAD), record(BreachRun, RUN), NOW, COOLDOWN)
        == "pipeline retrain is started"
    )

    (job,) = jobs(server)
    assert job["spec"]["backoffLimit"] == 3
    assert job["metadata"]["name"] == "retrain-202611240600"
    assert job["metadata"]["labels"]["of"] == "template"
    owner = job["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["uid"]) == ("CronJob", "u-1")


@pytest.mark.parametrize(
    ("cooldown", "of_runs", "expected"),
    [
        (timedelta(days=30), 3600, 30 * 86400),
        (timedelta(hours=1), 90 * 86400, 90 * 86400),
        (timedelta(days=30), None, 30 * 86400),
        (timedelta(hours=1), None, 7 * 86400),
    ],
)
def test_run_is_kept_until_the_cooldown_ends(
    server: ApiServer, api: ClusterApi, cooldown: timedelta, of_runs: int | None, expected: int
) -> None:
    """A monitor remembers runs it started despite a short `retention.runs` or the CronJob's history limit."""
    template = server.objects["/apis/batch/v1/namespaces/cards/cronjobs/retrain"]["spec"]["jobTemplate"]["spec"]
    if of_runs is not None:
        template["ttlSecondsAfterFinished"] = of_runs
    start(JobStarter(api), record(MonitorWorkload, WORKLOAD), record(BreachRun, RUN), NOW, cooldown)

    (job,) = jobs(server)
    assert job["spec"]["ttlSecondsAfterFinished"] == expected
    assert not any(owner.get("controller") for owner in job["metadata"]["ownerReferences"])


def test_a_second_breach_waits_for_the_cooldown(server: ApiServer, api: ClusterApi) -> None:
    """With a one-day cooldown, a second breach starts the next run only after a day."""
    start(JobStarter(api), record(MonitorWorkload, WORKLOAD), record(BreachRun, RUN), NOW, COOLDOWN)
    jobs(server)[0]["metadata"]["creationTimestamp"] = "2026-11-24T06:00:00Z"

    assert "is not started" in start(
        JobStarter(api), record(MonitorWorkload, WORKLOAD), record(BreachRun, RUN), NOW + timedelta(hours=23), COOLDOWN
    )
    assert len(jobs(server)) == 1
    assert (
        start(
            JobStarter(api),
            record(MonitorWorkload, WORKLOAD),
            record(BreachRun, RUN),
            NOW + timedelta(hours=25),
            COOLDOWN,
        )
        == "pipeline retrain is started"
    )
    assert len(jobs(server)) == 2


def test_a_run_waits_for_the_scheduled_run_with_forbid(server: ApiServer, api: ClusterApi) -> None:
    """With `overlap: forbid`, a breach starts a run only once the scheduled run in progress has ended."""
    cron_job = server.objects["/apis/batch/v1/namespaces/cards/cronjobs/retrain"]
    cron_job["spec"]["concurrencyPolicy"] = "Forbid"
    owner = {"kind": "CronJob", "uid": "u-1"}
    running: dict[str, Any] = {"metadata": {"name": "retrain-1", "ownerReferences": [owner]}, "status": {}}
    server.objects[f"{JOBS}/retrain-1"] = running

    assert "a run is in progress" in start(
        JobStarter(api), record(MonitorWorkload, WORKLOAD), record(BreachRun, RUN), NOW, COOLDOWN
    )
    running["status"] = {"conditions": [{"type": "Failed", "status": "True"}]}
    assert (
        start(JobStarter(api), record(MonitorWorkload, WORKLOAD), record(BreachRun, RUN), NOW, COOLDOWN)
        == "pipeline retrain is started"
    )


def test_refusal_by_the_api_server_is_reported_with_the_consequence(server: ApiServer, api: ClusterApi) -> None:
    """The error is a single sentence instead of a traceback and says what the monitor could not do."""
    del server.objects["/apis/batch/v1/namespaces/cards/cronjobs/retrain"]
    workload: dict[str, Any] = {**WORKLOAD, "monitor": {"onBreach": {"run": RUN, "cooldownSeconds": 60}}}

    with pytest.raises(Refusal, match=r"pipeline retrain is not started.*404.*next run tries again"):
        act(record(MonitorWorkload, workload), NOW, api=api)
