"""Fixtures for run requests: the store shared by the monitor and the starter, and the cluster that runs the Jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard_runtime.jobs.cluster_api import ClusterApi
from tests.runtime.api_server import ApiServer
from tests.runtime.object_store import ObjectStore
from tests.runtime.requesting import BATCH, Bucket, Folder, Place


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    """Yield the store shared by the monitor and the starter: a local folder or a bucket."""
    if request.param == "folder":
        yield Folder(tmp_path / "store")
        return
    store = ObjectStore()
    yield Bucket(store, monkeypatch)
    store.cut()


@pytest.fixture
def server() -> Iterator[ApiServer]:
    """Run an API server with two pipelines' CronJobs. Monitors may request only runs of the first pipeline."""
    with ApiServer() as running:
        for at, name in enumerate(("retrain", "wipe")):
            running.objects[f"{BATCH}/cronjobs/{name}"] = {
                "metadata": {"name": name, "uid": f"u-{at}", "labels": {"app.kubernetes.io/name": name}},
                "spec": {"suspend": True, "jobTemplate": {"spec": {"ttlSecondsAfterFinished": 60}}},
            }
        yield running


@pytest.fixture
def api(server: ApiServer, tmp_path: Path) -> ClusterApi:
    """Return the client that a Pod with a token uses for the Kubernetes API."""
    (tmp_path / "token").write_text("secret")
    return ClusterApi(server.url, "cards", tmp_path / "token", None)
