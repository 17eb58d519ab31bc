"""Tests the access log, which has one line per request that names the caller but omits the content."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request

from modelyard_runtime.serving.access_log import AccessLog
from modelyard_runtime.serving.application import Server
from modelyard_runtime.serving.request_metrics import RequestMetrics
from modelyard_runtime.serving.selection import Origin
from modelyard_runtime.serving.tokens import Tokens
from modelyard_runtime.workload.records import Model
from tests.runtime.described import record


class OfChampion:
    """The versions of a variant that has none yet."""

    own = Origin("champion", "cards")


def replica(folder: Path) -> Any:
    """Return a server replica that waits for the first version of its model."""
    (folder / "shop").write_text("open sesame")
    server: Any = Server.__new__(Server)
    server.serving, server._timeout_s = None, 5
    server._model = record(Model, {"uri": "models:/cards@champion"})
    server._tokens, server._access_log = Tokens({"shop": str(folder / "shop")}), AccessLog("scorer", "champion")
    server._metrics, server._selection = RequestMetrics("scorer-champion"), OfChampion()
    return server


def ask(server: Any, method: str, path: str, token: str, request_id: str = "r1") -> int:
    """Send a request and return the status code of the response."""
    headers = [(b"authorization", f"Bearer {token}".encode()), (b"x-request-id", request_id.encode())]
    request = Request({"type": "http", "method": method, "path": path, "headers": headers, "query_string": b""})
    return int(asyncio.run(server(request)).status_code)


def test_each_request_is_a_line_that_names_the_caller(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    server = replica(tmp_path)

    assert [ask(server, "POST", "/scorer", token) for token in ("open sesame", "guessed-token")] == [503, 401]
    output = capsys.readouterr().out
    first, second = (json.loads(line) for line in output.splitlines())

    assert "sesame" not in output
    assert "guessed" not in output
    assert {name: first[name] for name in ("log", "endpoint", "variant", "caller", "request", "status", "rows")} == {
        "log": "access",
        "endpoint": "scorer",
        "variant": "champion",
        "caller": "shop",
        "request": "r1",
        "status": 503,
        "rows": None,
    }
    assert first["milliseconds"] >= 0
    assert first["time"].endswith("+00:00")
    assert (second["caller"], second["status"]) == (None, 401)


def test_health_is_not_logged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(replica(tmp_path), "GET", "/scorer/healthz", "") == 503
    assert capsys.readouterr().out == ""


def test_a_request_id_cannot_forge_log_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Request IDs are truncated and logged as JSON strings so that they can't forge log lines."""
    ask(replica(tmp_path), "POST", "/scorer", "", 'x"}\u0085{' + "y" * 5000)
    (line,) = capsys.readouterr().out.splitlines()

    assert len(json.loads(line)["request"]) == 128
