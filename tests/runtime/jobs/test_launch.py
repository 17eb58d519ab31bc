"""Tests that the launcher creates one RayJob per Job, which any Pod of the Job can follow to its end."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from modelyard_runtime.jobs import launch
from modelyard_runtime.jobs.cluster_api import ClusterApi
from modelyard_runtime.refusals import Refusal

TEMPLATE: dict[str, Any] = {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": "retrain"}, "spec": {}}
BODY = launch.owned_by(launch.named_after(TEMPLATE, "retrain-29401230"), "retrain-29401230", "7c9e")
PATH = "/apis/ray.io/v1/namespaces/fraud/rayjobs"


class Server(ThreadingHTTPServer):
    """A minimal API server that stores RayJobs and reports preset statuses for them."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.jobs: dict[str, Any] = {}
        self.asked: list[str] = []
        self.says: list[dict[str, str]] = []
        self.asked_for_status = threading.Event()


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        job = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = job["metadata"]["name"]
        exists = name in self._api().jobs
        self._api().jobs.setdefault(name, job)
        self._answer(409 if exists else 201, {"message": "exists"} if exists else job)

    def do_GET(self) -> None:
        api = self._api()
        api.asked_for_status.set()
        status = api.says.pop(0) if len(api.says) > 1 else api.says[0]
        job = api.jobs.get(self.path.rpartition("/")[2])
        self._answer(200 if job else 404, {**(job or {}), "status": status})

    def do_DELETE(self) -> None:
        self._answer(403, {"message": "forbidden"})

    def _api(self) -> Server:
        assert isinstance(self.server, Server)
        return self.server

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        self._api().asked.append(f"{self.command} {self.path.partition('?')[0]}")
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Log nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """Run an API server on loopback."""
    with Server() as running:
        threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True).start()
        yield running
        running.shutdown()


@pytest.fixture
def api(server: Server, tmp_path: Path) -> ClusterApi:
    token = tmp_path / "token"
    token.write_text("a-token")
    return ClusterApi(f"http://127.0.0.1:{server.server_address[1]}", "fraud", token, None)


def test_run_is_named_after_and_owned_by_its_job() -> None:
    """The RayJob is garbage-collected together with its Job, no matter how the Job is deleted."""
    metadata: Any = BODY["metadata"]

    assert metadata["name"] == "retrain-run-29401230"
    assert metadata["ownerReferences"] == [
        {"apiVersion": "batch/v1", "kind": "Job", "name": "retrain-29401230", "uid": "7c9e", "controller": True}
    ]


@pytest.mark.parametrize("pipeline", ["retrain", "p" * 47])
@pytest.mark.parametrize("suffix", ["29401230", "first", "run-29401230"])
def test_run_name_differs_from_its_job_name(pipeline: str, suffix: str) -> None:
    """The launcher's Job needs a different name, because KubeRay names the submitter Job after the RayJob."""
    job = f"{pipeline}-{suffix}"
    metadata: Any = launch.named_after({**TEMPLATE, "metadata": {"name": pipeline}}, job)["metadata"]

    assert metadata["name"] != job
    assert metadata["name"].endswith(f"-run-{suffix}")
    assert len(metadata["name"]) <= 47


def test_a_run_is_followed_to_its_end(server: Server, api: ClusterApi) -> None:
    server.says = [
        {},
        {"jobDeploymentStatus": "Running"},
        {"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"},
    ]

    assert launch.launch(api, BODY, poll_s=0) == 0
    assert server.asked == [f"POST {PATH}", *[f"GET {PATH}/retrain-run-29401230"] * 3]


@pytest.mark.parametrize(
    "status",
    [{"jobDeploymentStatus": "Failed"}, {"jobDeploymentStatus": "Complete", "jobStatus": "FAILED"}],
)
def test_failed_run_is_reported(server: Server, api: ClusterApi, status: dict[str, str]) -> None:
    server.says = [status]

    assert launch.launch(api, BODY, poll_s=0) == 1


def test_retried_pod_follows_the_existing_run(server: Server, api: ClusterApi) -> None:
    server.says = [{"jobDeploymentStatus": "Complete", "jobStatus": "SUCCEEDED"}]

    assert [launch.launch(api, BODY, poll_s=0), launch.launch(api, BODY, poll_s=0)] == [0, 0]
    assert len(server.jobs) == 1


def test_evicted_pod_does_not_stop_the_run(server: Server, api: ClusterApi) -> None:
    """If the launcher Pod is evicted, the run continues. The exit code differs from that of a failed run."""
    server.says = [{"jobDeploymentStatus": "Running"}]
    before = signal.signal(signal.SIGTERM, launch.stop)
    try:
        threading.Thread(target=_end_when_followed, args=(server,), daemon=True).start()
        code = launch.launch(api, BODY, poll_s=0.01)
    finally:
        signal.signal(signal.SIGTERM, before)

    assert code == 143
    assert list(server.jobs) == ["retrain-run-29401230"]
    assert not [request for request in server.asked if request.startswith("DELETE")]


def _end_when_followed(server: Server) -> None:
    server.asked_for_status.wait(10)
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)


def test_deleted_run_is_reported(server: Server, api: ClusterApi) -> None:
    server.says = [{}]
    body: Any = {**BODY, "metadata": {"name": "other"}}
    server.jobs["other"] = None

    with pytest.raises(Refusal, match="removed before it ended"):
        launch.launch(api, body, poll_s=0)


def test_pod_without_a_job_starts_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The launcher starts no run without a Job, because a RayJob without an owner would never be removed."""
    template = tmp_path / "rayjob.json"
    template.write_text(json.dumps(TEMPLATE))
    monkeypatch.setenv("MODELYARD_RAYJOB", str(template))
    monkeypatch.setenv("MODELYARD_JOB", "retrain-29401230")
    monkeypatch.delenv("MODELYARD_JOB_UID", raising=False)
    before = signal.getsignal(signal.SIGTERM)
    try:
        with pytest.raises(Refusal, match="MODELYARD_JOB_UID"):
            launch.run()
    finally:
        signal.signal(signal.SIGTERM, before)
