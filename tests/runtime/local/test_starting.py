"""Tests that runs after a breach have the same safeguards in a cluster (Jobs) and on one machine (files)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from modelyard_runtime.jobs.cluster_api import ClusterApi
from modelyard_runtime.jobs.job_start import JobStarter
from modelyard_runtime.jobs.local_runs import FAILED, INTERRUPTED, REQUESTED, RUNNING, RUNS, LocalRuns
from modelyard_runtime.jobs.starting import RunStarter, Start, start_guarded
from modelyard_runtime.monitoring.breach import act
from modelyard_runtime.workload.records import BreachRun, MonitorWorkload
from tests.runtime.api_server import ApiServer
from tests.runtime.described import record

NOW = datetime(2026, 11, 24, 6, tzinfo=UTC)
RUN = BreachRun(pipeline="retrain", cron_job="retrain")
JOBS = "/apis/batch/v1/namespaces/cards/jobs"


class Cluster:
    """The Jobs in a cluster's API, with helpers for tests to change them."""

    def __init__(self, server: ApiServer, folder: Path) -> None:
        (folder / "token").write_text("secret")
        self.server, self.starter = server, JobStarter(ClusterApi(server.url, "cards", folder / "token", None))
        self.overlap("forbid")

    def overlap(self, kind: str) -> None:
        policy = {"forbid": "Forbid", "allow": "Allow"}[kind]
        self.server.objects["/apis/batch/v1/namespaces/cards/cronjobs/retrain"] = {
            "metadata": {"name": "retrain", "uid": "u-1"},
            "spec": {"concurrencyPolicy": policy, "jobTemplate": {"spec": {}}},
        }

    def begun(self, at: datetime) -> None:
        """Set the creation time of Jobs that have none, as the API server does."""
        for path, job in self.server.objects.items():
            if path.startswith(f"{JOBS}/"):
                job["metadata"].setdefault("creationTimestamp", at.isoformat().replace("+00:00", "Z"))

    def end_all(self) -> None:
        for path, job in self.server.objects.items():
            if path.startswith(f"{JOBS}/"):
                job["status"] = {"conditions": [{"type": "Failed", "status": "True"}]}

    def count(self) -> int:
        return len([path for path in self.server.objects if path.startswith(f"{JOBS}/")])


class Machine:
    """The files that record runs on one machine, with helpers that let tests change them."""

    def __init__(self, folder: Path) -> None:
        self.starter = LocalRuns(folder / "runs")
        self.overlap("forbid")

    def overlap(self, kind: str) -> None:
        self.starter.declare({"retrain": kind})

    def begun(self, at: datetime) -> None:
        """Do nothing, because the file that requests a run already records when it was requested."""

    def end_all(self) -> None:
        for entry in list(self.starter.all()):
            self.starter.change(entry["id"], FAILED)

    def count(self) -> int:
        return len(list(self.starter.all()))


@pytest.fixture(params=["cluster", "machine"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    if request.param == "machine":
        yield Machine(tmp_path)
        return
    with ApiServer() as server:
        yield Cluster(server, tmp_path)


def started(starter: RunStarter, at: datetime, monitor: str = "monitor-drift") -> str:
    return start_guarded(starter, RUN, Start(monitor, at.strftime("%Y%m%d%H%M"), at, timedelta(days=1), 86400))


def test_a_breach_starts_a_run(place: Any) -> None:
    assert started(place.starter, NOW) == "pipeline retrain is started"
    assert place.count() == 1


def test_the_cooldown_is_of_one_monitor(place: Any) -> None:
    started(place.starter, NOW)
    place.begun(NOW)
    place.end_all()

    assert "the cooldown is 1 day" in started(place.starter, NOW + timedelta(hours=23))
    assert started(place.starter, NOW + timedelta(hours=23), "monitor-other") == "pipeline retrain is started"
    place.begun(NOW + timedelta(hours=23))
    place.end_all()
    assert started(place.starter, NOW + timedelta(hours=25)) == "pipeline retrain is started"


def test_a_run_under_way_prevents_another_one(place: Any) -> None:
    started(place.starter, NOW)
    place.begun(NOW)
    later = NOW + timedelta(days=2)

    assert "a run is in progress" in started(place.starter, later)
    place.overlap("allow")
    assert started(place.starter, later) == "pipeline retrain is started"


def test_a_run_that_was_killed_prevents_none(tmp_path: Path) -> None:
    """A killed system's unfinished runs are marked as interrupted at the next start and don't block new runs."""
    runs = LocalRuns(tmp_path / "runs")
    runs.add("retrain", NOW, RUNNING)
    assert runs.prevented(RUN)
    runs.interrupt()

    assert [entry["state"] for entry in runs.all()] == [INTERRUPTED]
    assert not runs.prevented(RUN)


def test_a_broken_file_is_no_run(tmp_path: Path) -> None:
    runs = LocalRuns(tmp_path / "runs")
    runs.declare({})
    (runs.folder / "20261124T060000-x.json").write_text('{"pipe')

    assert list(runs.all()) == []
    assert started(runs, NOW) == "pipeline retrain is started"


def test_a_monitor_on_this_machine_requests_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside a cluster, a monitor requests runs through files and never looks for an API server."""
    monkeypatch.setenv(RUNS, str(tmp_path / "runs"))
    action = {"notify": [], "rollback": False, "cooldownSeconds": 3600}
    run = {"pipeline": "retrain", "cronJob": "retrain"}
    described = {"name": "monitor-drift", "monitor": {"type": "data-drift", "onBreach": {**action, "run": run}}}

    sentences = act(record(MonitorWorkload, described), NOW)

    assert sentences == ["pipeline retrain is started"]
    ((_, pipeline, monitor),) = LocalRuns(tmp_path / "runs").requested()
    assert (pipeline, monitor) == ("retrain", "monitor-drift")
    assert [entry["state"] for entry in LocalRuns(tmp_path / "runs").all()] == [REQUESTED]
