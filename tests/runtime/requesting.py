"""A store through which a monitor on one target requests runs from a starter on another."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from modelyard_runtime.monitoring.breach import act
from modelyard_runtime.workload.records import MonitorWorkload
from tests.runtime.api_server import ApiServer
from tests.runtime.described import record
from tests.runtime.object_store import BUCKET, ObjectStore

BATCH = "/apis/batch/v1/namespaces/cards"
JOBS = f"{BATCH}/jobs/"
COOLDOWN_S = 3600
WHY = ["check psi of inference.till failed: amount is 0.4"]
FOLDER = "mlflow/run-requests/cards/prod/main"
ASKED, ANSWERED = f"{FOLDER}/asked/retrain/drift", f"{FOLDER}/answered/retrain/drift"


class Place:
    """A store for run requests, with the descriptions of the requesting monitor and the starter."""

    def __init__(self, base: str, stores: dict[str, Any]) -> None:
        own = {"system": "cards", "environment": "prod", **stores}
        self.base = base
        run = {"pipeline": "retrain", "request": {"uri": f"{base}/{ASKED}/", "store": "artifacts", "target": "main"}}
        breach = {"rollback": False, "cooldownSeconds": COOLDOWN_S, "notify": [], "run": run}
        monitor = {"windowSeconds": 86400, "onBreach": breach}
        self.run: dict[str, Any] = run
        self.monitor: dict[str, Any] = {
            **own,
            "type": "monitor",
            "name": "monitor-drift",
            "address": "monitors.drift",
            "target": "shop",
            "monitor": monitor,
        }
        self.starter: dict[str, Any] = {**own, "type": "starter", "name": "starter", "target": "main"}
        self.starter["requests"] = [self.allowed("drift", "retrain")]

    def allowed(self, monitor: str, pipeline: str) -> dict[str, Any]:
        """Return the entry of the starter's description that lets a monitor request runs of a pipeline."""
        folders = {name: f"{self.base}/{FOLDER}/{name}/{pipeline}/{monitor}/" for name in ("asked", "answered")}
        who = {"monitor": monitor, "target": "shop", "startedBy": f"monitor-{monitor}", "store": "artifacts"}
        return {**who, "pipeline": pipeline, "cronJob": pipeline, "cooldownSeconds": COOLDOWN_S, **folders}

    def write(self, name: str, content: bytes) -> None:
        """Write a file into the folder for requests."""
        raise NotImplementedError

    def files(self) -> dict[str, bytes]:
        """Return the content of every file in the store, keyed by path."""
        raise NotImplementedError

    def pending_requests(self) -> list[str]:
        """Return the paths of requests that have not been answered."""
        return [path for path in self.files() if path.startswith(ASKED)]

    def answers(self) -> list[dict[str, Any]]:
        """Return the starter's responses to requests."""
        return [json.loads(content) for path, content in self.files().items() if path.startswith(ANSWERED)]


class Folder(Place):
    """A store in a local folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.as_uri(), {})
        self.folder = folder

    def write(self, name: str, content: bytes) -> None:
        path = self.folder / ASKED / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def files(self) -> dict[str, bytes]:
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in paths}


class Bucket(Place):
    """A store in a bucket of an S3-compatible service."""

    def __init__(self, store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
        super().__init__(f"s3://{BUCKET}", store.described(monkeypatch))
        self.store = store

    def write(self, name: str, content: bytes) -> None:
        self.store.client.put_object(Bucket=BUCKET, Key=f"{ASKED}/{name}", Body=content)

    def files(self) -> dict[str, bytes]:
        client, names = self.store.client, [name for name in self.store.names() if not name.endswith("/")]
        return {name: client.get_object(Bucket=BUCKET, Key=name)["Body"].read() for name in names}


def jobs(server: ApiServer) -> list[dict[str, Any]]:
    """Return the Jobs that have been created."""
    return [job for path, job in server.objects.items() if path.startswith(JOBS)]


def now() -> datetime:
    return datetime.now(UTC)


def breach(place: Place) -> str:
    """Let the monitor find a breach, so that it requests a run."""
    (sentence,) = act(record(MonitorWorkload, place.monitor), now(), reasons=WHY)
    return sentence
