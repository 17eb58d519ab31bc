"""Serves the parts of the Kubernetes API that the runtime uses, on loopback."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from modelyard_runtime.jobs import launch
from modelyard_runtime.jobs.cluster_api import ClusterApi


class ApiServer:
    """Stores objects by path. `on_get` is called before each GET, and `tokens` collects the Authorization headers."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[str, Any]] = {}
        self.tokens: set[str] = set()
        self.on_get: Callable[[], None] = lambda: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> ApiServer:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *problem: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.on_get()
                path, _, query = self.path.partition("?")
                if path in outer.objects:
                    self._answer(200, outer.objects[path])
                elif query:
                    matches = [v for k, v in outer.objects.items() if k.startswith(f"{path}/")]
                    self._answer(200, {"items": [obj for obj in matches if _selected(obj, query)]})
                else:
                    self._answer(404, {"message": "not found"})

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                path = f"{self.path.partition('?')[0]}/{body['metadata']['name']}"
                if outer.objects.setdefault(path, body) is not body:  # of two concurrent requests, only one creates it
                    self._answer(409, {"message": "already exists"})
                    return
                self._answer(201, body)

            def do_DELETE(self) -> None:
                removed = outer.objects.pop(self.path.partition("?")[0], None)
                self._answer(200 if removed else 404, {})

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name is the base class's
                pass

            def _answer(self, status: int, content: Any) -> None:
                outer.tokens.add(self.headers["Authorization"])
                body = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Handler


def launcher_api(
    server: ApiServer, template: dict[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> ClusterApi:
    """Return the API client of a launcher Pod that mounts the given RayJob template."""
    (folder / "token").write_text("secret")
    (folder / "rayjob.json").write_text(json.dumps(template))
    api = ClusterApi(server.url, "cards", folder / "token", None)
    monkeypatch.setenv("MODELYARD_RAYJOB", str(folder / "rayjob.json"))
    monkeypatch.setenv("MODELYARD_JOB_UID", "7c9e")
    monkeypatch.setattr(ClusterApi, "of_this_pod", lambda: api)
    monkeypatch.setattr(launch.signal, "signal", lambda *_: None)
    return api


def _selected(obj: dict[str, Any], query: str) -> bool:
    """Return whether an object matches a query's label selector. Only the form `name=value` is supported."""
    selector = parse_qs(query).get("labelSelector", [""])[0]
    name, _, value = selector.partition("=")
    return not selector or obj.get("metadata", {}).get("labels", {}).get(name) == value
