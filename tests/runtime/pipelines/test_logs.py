"""Tests that each node's logs remain in the store after a run's Pods are gone."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from modelyard_runtime.pipelines import logs
from modelyard_runtime.pipelines.logs import copy_folder, keep_logs
from modelyard_runtime.workload.records import PipelineWorkload
from tests.runtime.described import record
from tests.runtime.object_store import BUCKET, ObjectStore
from tests.runtime.storage.services import gcs


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """Return a node's log folder.

    Contains the logs of a driver and two workers (one of them silent), plus files that must not be copied.
    """
    folder = tmp_path / "logs"
    (folder / "serve").mkdir(parents=True)
    (folder / "job-driver-run.log").write_text("step train: try 1\n")
    (folder / "worker-a.out").write_text("loss 0.3\n")
    (folder / "worker-b.err").touch()
    (folder / "gcs_server.out").write_text("of Ray itself\n")
    return folder


def described(store: ObjectStore, patch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Describe a pipeline that copies its logs to a store."""
    logs = {"uri": f"s3://{BUCKET}/mlflow/logs/train/", "store": "artifacts"}
    return {**store.described(patch), "pipeline": {"logs": logs}}


def test_node_logs_are_stored_under_their_run(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each node gets its own folder. Empty files and Ray's own logs are not copied."""
    store = ObjectStore()

    assert copy_folder(record(PipelineWorkload, described(store, monkeypatch)), "run-1", "10.0.0.7", session) == 2
    assert store.names() == [
        "mlflow/logs/train/run-1/10.0.0.7/job-driver-run.log",
        "mlflow/logs/train/run-1/10.0.0.7/worker-a.out",
    ]


def test_logs_can_be_copied_again_where_nothing_may_be_replaced(
    session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Logs can be copied again with create-only permissions.

    Google Cloud Storage then responds to a repeated upload with 403.
    """
    (tmp_path / "service").mkdir()
    with gcs(tmp_path / "service") as service:
        for name, value in service.environment.items():
            monkeypatch.setenv(name, value)
        logs = {"uri": f"{service.uri}/locked/logs/", "store": "lake"}
        workload = record(PipelineWorkload, {"stores": {"lake": dict(service.store)}, "pipeline": {"logs": logs}})

        for _ in range(2):
            assert copy_folder(workload, "run-1", "10.0.0.7", session) == 2

        assert service.get("locked/logs/run-1/10.0.0.7/worker-a.out") == b"loss 0.3\n"


def test_long_log_is_cut_at_the_start(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "_MOST_BYTES", 4)
    store = ObjectStore()

    copy_folder(record(PipelineWorkload, described(store, monkeypatch)), "run-1", "node", session)

    key = "mlflow/logs/train/run-1/node/worker-a.out"
    assert store.client.get_object(Bucket=BUCKET, Key=key)["Body"].read() == b"0.3\n"


def test_unreachable_log_store_does_not_fail_a_run(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Logs of a real Ray cluster are copied to the store. An unreachable store only logs a warning."""
    import ray

    monkeypatch.setenv("PYTHONPATH", str(Path(logs.__file__).parents[2]))  # as in the image
    store = ObjectStore()
    workload = described(store, monkeypatch)
    with caplog.at_level("INFO"):
        ray.init(address="local", num_cpus=1, include_dashboard=False)
        try:
            ray.get(ray.remote(lambda: sys.stdout.write("a line of a worker\n")).remote())
            keep_logs(record(PipelineWorkload, workload), "run-1")
            store.cut()
            keep_logs(record(PipelineWorkload, workload), "run-2")
        finally:
            ray.shutdown()

    assert "were not copied" in caplog.text
    assert any("worker-" in name and name.startswith("mlflow/logs/train/run-1/") for name in _names(store))


def test_without_a_log_folder_ray_is_not_called() -> None:
    keep_logs(record(PipelineWorkload, {"pipeline": {}}), "run-1")


def _names(store: ObjectStore) -> list[str]:
    store.mend()
    return store.names()
