"""Serves the page on 127.0.0.1, in a thread of the run."""

from __future__ import annotations

import http.client
import http.server
import threading
import traceback
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from modelyard_runtime.local.page.guard import Guard
from modelyard_runtime.local.page.site import Request, Response, Site, refusal
from modelyard_runtime.local.page.watch import Watch
from modelyard_runtime.local.plan import LocalPlan
from modelyard_runtime.local.state import State

_PORT = 8600
_TRIED = 50
_IDLE_S = 30
_LOOK_S = 0.1
_MOST_BYTES = 2**20


class _Handler(http.server.BaseHTTPRequestHandler):
    """Passes requests to the site and returns its responses."""

    timeout = _IDLE_S
    server_version = "modelyard"
    sys_version = ""

    def do_GET(self) -> None:
        """Handle a request without a body."""
        self._respond(b"")

    def do_POST(self) -> None:
        """Handle a request whose body has a known, small length."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length[:10]) > _MOST_BYTES:
            self.close_connection = True
            self.send_error(http.client.REQUEST_ENTITY_TOO_LARGE)
            return
        self._respond(self.rfile.read(int(length)))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name in http.server
        """Print nothing, because the output belongs to the run."""

    def _respond(self, body: bytes) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = urlsplit(self.path).path
        self._send(self._answer(Request(self.command, path, headers, body)))

    def _answer(self, request: Request) -> Response:
        assert isinstance(self.server, _Server)
        site = self.server.site
        try:
            return site.respond(request)
        except Exception:  # noqa: BLE001 - a failure to render the page must be reported, but must not end the run
            log = site.watch.state.below("logs", "page.log")
            with suppress(OSError), log.open("a", encoding="utf-8") as stream:
                stream.write(traceback.format_exc())
            return refusal(http.client.INTERNAL_SERVER_ERROR, f"the page cannot be shown; its log is {log}")

    def _send(self, response: Response) -> None:
        self.send_response(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Type", response.kind)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        self.wfile.write(response.body)


class _Server(http.server.ThreadingHTTPServer):
    """A server for one site. It binds its port on creation so that no other run can take it."""

    daemon_threads = True
    allow_reuse_address = True
    site: Site

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors from disconnected browsers."""


@dataclass(frozen=True, slots=True)
class Page:
    """The page while it is being served."""

    url: str
    _server: _Server

    @classmethod
    def start(cls, plan: LocalPlan, compiled: Path, state: State) -> Page:
        """Start serving on the first free port."""
        server = _bound()
        port = int(server.server_address[1])
        guard = Guard(port)
        server.site = Site(Watch(plan, compiled, state), guard)
        threading.Thread(target=server.serve_forever, args=(_LOOK_S,), name="page", daemon=True).start()
        return cls(guard.url, server)

    def end(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


def _bound() -> _Server:
    for port in (*range(_PORT, _PORT + _TRIED), 0):
        try:
            return _Server(("127.0.0.1", port), _Handler)
        except OSError:
            continue
    raise OSError(f"no port is free on 127.0.0.1, from {_PORT}")
