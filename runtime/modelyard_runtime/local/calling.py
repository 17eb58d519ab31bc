"""Sends requests to an endpoint on this machine, as a client would."""

from __future__ import annotations

import http.client
import json
import time
from pathlib import Path
from typing import Any

from modelyard_runtime.local.state import State

_BATCH = 50
_TIMEOUT_S = 120


class Endpoint:
    """An endpoint client that sends the first caller's token if the endpoint requires one."""

    def __init__(self, name: str, path: str, port: int, token: Path | None) -> None:
        self.url = f"http://127.0.0.1:{port}/{name}{path.rstrip('/')}"
        self._port, self._path = port, f"/{name}{path.rstrip('/')}"
        self.token = token

    @classmethod
    def of(cls, name: str, path: str, port: int, callers: tuple[str, ...], state: State) -> Endpoint:
        """Return a client for an endpoint in the plan."""
        return cls(name, path, port, state.token(name, callers[0]) if callers else None)

    def is_ready(self) -> tuple[int, str]:
        """Return the status and text of the health check response."""
        return self.get("/healthz")

    def await_ready(self, patience_s: float) -> str:
        """Wait until a model version is served. Returns "" on success, or else the reason why none is served."""
        deadline = time.monotonic() + patience_s
        while True:
            status, text = self.is_ready()
            if status == http.client.OK:
                return ""
            if time.monotonic() > deadline:
                return text
            time.sleep(0.5)

    def get(self, below: str) -> tuple[int, str]:
        """Request a path below the endpoint's own path, returning the response's status and text."""
        return self._send("GET", f"{self._path}{below}", None)

    def post(self, body: str, below: str = "") -> tuple[int, str]:
        """Send a body unchanged, and return the status and text of the response."""
        return self._send("POST", f"{self._path}{below}", body)

    def predict(self, rows: list[dict[str, Any]]) -> tuple[int, str]:
        """Send rows in one request, and return the status and text of the response."""
        return self.post(json.dumps({"instances": rows}))

    def predict_all(self, rows: list[dict[str, Any]]) -> str:
        """Send many rows in small requests. Returns the first error, or "" if there is none."""
        for start in range(0, len(rows), _BATCH):
            status, text = self.predict(rows[start : start + _BATCH])
            if status != http.client.OK:
                return f"{status}: {text[:300]}"
        return ""

    def curl(self, content: dict[str, Any], below: str = "") -> str:
        """Return a shell command that sends JSON."""
        body = json.dumps(content).replace("'", "'\\''")
        token = f' -H "Authorization: Bearer $(cat {self.token})"' if self.token else ""
        return f"curl -s{token} {self.url}{below} -d '{body}'"

    def _send(self, method: str, path: str, body: str | None) -> tuple[int, str]:
        headers = {"Content-Type": "application/json"}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token.read_text(encoding='utf-8').strip()}"
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_TIMEOUT_S)
        try:
            connection.request(method, path or "/", body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as problem:
            return 0, str(problem)
        finally:
            connection.close()
