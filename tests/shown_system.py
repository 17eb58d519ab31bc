"""A running system as shown on its page: a laptop's compiled plan, a folder of events, and a fake server.

The fake server responds like MLflow's server and like an endpoint behind the router, on a single port.
"""

from __future__ import annotations

import http.client
import http.server
import json
import re
import shutil
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

from modelyard_runtime.local.notes import DECIDED, MEASURED
from modelyard_runtime.local.plan import LocalPlan, read_plan
from modelyard_runtime.local.state import READY, State

COMPILED = Path(__file__).parent / "golden" / "laptop-default" / "main"
HOSTILE = "</td><script>alert(1)</script><img src=x onerror=alert(2)>\"'&\u202e"
LACKS = "row 1 lacks the column 'plan' <b>"
FORM = "application/x-www-form-urlencoded"
PATIENCE_S = 60
INPUTS = (("usage", "FP64"), ("age", "INT64"), ("plan", "BYTES"), ("vip", "BOOL"))


class Visitor:
    """Sends requests to a running system's page, like a browser that has loaded the page."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.port, self.base = parts.port or 0, parts.path
        self.headers: dict[str, str] = {}

    def get(self, path: str = "", method: str = "GET", body: str | None = None, **headers: str) -> tuple[int, str]:
        """Return the status and body of a response, and store its headers in `headers`.

        A path without a leading / is relative to the page.
        """
        path = path if path.startswith("/") else f"{self.base}{path}"
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
            answer = connection.getresponse()
            self.headers = {name.lower(): value for name, value in answer.getheaders()}
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def token(self) -> str:
        """Return the token in the page's form, which appears once the endpoint has described its inputs."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            if match := re.search(r'name="token" value="([^"]+)"', self.get()[1]):
                return match[1]
            time.sleep(0.2)
        raise AssertionError(f"the page has no form: {self.get()[1]}")

    def submit(self, endpoint: str, fields: dict[str, str], **headers: str) -> tuple[int, dict[str, Any]]:
        """Submit an endpoint's form, using the page's token unless `fields` contains another one."""
        form = urlencode({"token": self.token(), **fields})
        status, text = self.get(f"try/{endpoint}", "POST", form, **{"Content_Type": FORM, **headers})
        answer: dict[str, Any] = json.loads(text)
        return status, answer


@dataclass
class RunningSystem:
    """The running system, and the requests that its endpoint has received."""

    plan: LocalPlan
    compiled: Path
    state: State
    inputs: tuple[tuple[str, str], ...] = INPUTS
    received: list[Any] = field(default_factory=list[Any])
    headers: list[dict[str, str]] = field(default_factory=list[dict[str, str]])

    def answer(self, path: str) -> dict[str, Any] | None:
        """Return the fake server's response to a GET request to MLflow or the endpoint, or None for 404."""
        if "/registered-models/get" in path:
            return {"registered_model": {"aliases": [{"alias": "champion", "version": "2"}]}}
        if "/model-versions/search" in path:
            return {"model_versions": [_version(number) for number in (3, 2, 1)]}
        if "/runs/get" in path:
            metrics = [{"key": "auc_roc", "value": 0.7 + 0.05 * int(path[-1])}, {"key": HOSTILE, "value": 1.0}]
            return {"run": {"info": {"status": "FINISHED"}, "data": {"metrics": metrics}}}
        if "/v2/models/" in path:
            inputs = [{"name": name, "datatype": kind, "shape": [-1]} for name, kind in self.inputs]
            return {"name": "churn", "versions": ["2"], "inputs": inputs}
        return None

    def predict(self, body: Any) -> tuple[int, dict[str, Any]]:
        """Return the endpoint's status and response for the given rows."""
        self.received.append(body)
        if not body["instances"][0].get("plan"):
            return 422, {"error": LACKS}
        return 200, {"predictions": [1], "scores": [0.83], "model": {"name": "laptop-churn", "version": "2"}}


def _version(number: int) -> dict[str, Any]:
    gate = "refused" if number == 3 else "held"
    return {
        "version": str(number),
        "run_id": f"r{number}",
        "creation_timestamp": 1795500000000 + number * 3600000,
        "tags": [{"key": "modelyard.gate", "value": gate}],
    }


@contextmanager
def shown_system(folder: Path) -> Generator[RunningSystem]:
    """Yield a running system that serves version 2 of its model, has refused version 3, and has found drift."""
    compiled = folder / "compiled"
    shutil.copytree(COMPILED, compiled)
    state = State.at(folder / "state")
    system = RunningSystem(read_plan(compiled), compiled, state)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _handler(system))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    port = server.server_address[1]
    state.announce(registry=f"http://127.0.0.1:{port}", endpoints=port)
    state.below(READY).touch()
    _record(state)
    try:
        yield system
    finally:
        server.shutdown()
        server.server_close()


def _record(state: State) -> None:
    state.record("", "began", "process 1")
    state.record("pipelines.train", DECIDED, "'champion' of laptop-churn is now version 2")
    for value in (0.05, 0.31):
        state.record("monitors.drift", MEASURED, "psi of usage", {"psi of usage": value, f"psi of {HOSTILE}": 0.1})
    state.record("monitors.drift", DECIDED, "check psi of inference.churn failed: usage is 0.31, must be at most 0.2")
    state.record("monitors.drift", DECIDED, "pipeline train is started")
    state.record("pipelines.train", DECIDED, f"version 3 of laptop-churn is kept, but it fails the gate: {HOSTILE}")


def _handler(system: RunningSystem) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = system.answer(self.path)
            self._send(404 if content is None else 200, content or {"error": "there is nothing here"})

        def do_POST(self) -> None:
            system.headers.append(dict(self.headers.items()))
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self._send(*system.predict(body))

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in http.server
            pass

        def _send(self, status: int, content: dict[str, Any]) -> None:
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Handler
