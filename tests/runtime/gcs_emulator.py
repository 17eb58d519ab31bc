"""Runs a Google Cloud Storage emulator. Prints its port, and then each request on its own line.

The emulator's own server handles one request at a time, but Arrow keeps a request open while it reads part of a file,
so here each request has its own thread. Arrow also holds the GIL while it waits, so the emulator is a separate process.

The emulator ignores preconditions and retention policies. Like the real service, this module therefore refuses an
upload that would overwrite an object if the request requires a new object or if the object is in `locked/`.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Callable
from functools import partial
from http.server import ThreadingHTTPServer
from io import BytesIO
from typing import Any
from urllib.parse import parse_qs, urlsplit

from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage

BUCKET = "lake"
LOCKED = "locked/"
"""The folder whose objects are under retention and cannot be overwritten."""

_NAME = re.compile(rb'"name":\s*"([^"]+)"')

_storage_lock = threading.Lock()


class Handler(RequestHandler):  # type: ignore[misc]  # the emulator has no types
    """The emulator's HTTP handler, with a lock because the emulator's storage is not thread-safe."""

    def do_GET(self) -> None:
        self._handle(super().do_GET)

    def do_POST(self) -> None:
        self._handle(self._insert)

    def do_PUT(self) -> None:
        self._handle(super().do_PUT)

    def do_DELETE(self) -> None:
        self._handle(super().do_DELETE)

    def _insert(self) -> None:
        """Handle an object upload. The object name is either in the query or in the body."""
        if not self.path.startswith("/upload/"):
            super().do_POST()
            return
        query = parse_qs(urlsplit(self.path).query)
        connection, body = self.rfile, self.rfile.read(int(self.headers.get("Content-Length") or 0))
        match = _NAME.search(body)
        name = query["name"][0] if "name" in query else match[1].decode() if match else ""
        exists = name in self.storage.objects.get(BUCKET, {})
        if exists and query.get("ifGenerationMatch") == ["0"]:
            self._refuse(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")
        elif exists and LOCKED in name:
            why = f"Object '{BUCKET}/{name}' is subject to bucket's retention policy and cannot be overwritten"
            self._refuse(403, "retentionPolicyNotMet", why)
        else:
            self.rfile = BytesIO(body) if body else connection
            try:
                super().do_POST()
            finally:
                self.rfile = connection

    def _refuse(self, status: int, reason: str, message: str) -> None:
        error = {"code": status, "message": message, "errors": [{"reason": reason, "message": message}]}
        content = json.dumps({"error": error}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _handle(self, handle: Callable[[], None]) -> None:
        """Handle a request under the lock, but respond only after releasing it in case the client is slow."""
        connection, answer = self.wfile, BytesIO()
        self.wfile = answer
        try:
            with _storage_lock:
                handle()
        finally:
            self.wfile = connection
        connection.write(answer.getvalue())

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the base class
        _print_line(format % args)


def _print_line(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> None:
    """Serve one in-memory bucket until the process ends."""
    storage = Storage(use_memory_fs=True)
    storage.create_bucket(BUCKET, {})
    handler: Any = Handler
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, storage))
    _print_line(str(server.server_address[1]))
    server.serve_forever()


if __name__ == "__main__":
    main()
