"""Runs a Google Cloud Storage emulator; prints its port, and then each request on its own line.

The emulator's own server handles one request at a time, but Arrow keeps a request open while it reads part of a file,
so each request gets a thread here. Arrow also holds the GIL while it waits, so the emulator is a separate process.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import partial
from http.server import ThreadingHTTPServer
from io import BytesIO
from typing import Any

from gcp_storage_emulator.server import RequestHandler
from gcp_storage_emulator.storage import Storage

BUCKET = "lake"

_storage_lock = threading.Lock()


class Handler(RequestHandler):  # type: ignore[misc]  # the emulator has no types
    """The emulator's handler with a lock, since its storage is not thread-safe."""

    def do_GET(self) -> None:
        self._handle(super().do_GET)

    def do_POST(self) -> None:
        self._handle(super().do_POST)

    def do_PUT(self) -> None:
        self._handle(super().do_PUT)

    def do_DELETE(self) -> None:
        self._handle(super().do_DELETE)

    def _handle(self, handle: Callable[[], None]) -> None:
        """Handle a request under the lock, but answer after releasing it, since a client may read slowly."""
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
    """Serve one bucket from memory until this process ends."""
    storage = Storage(use_memory_fs=True)
    storage.create_bucket(BUCKET, {})
    handler: Any = Handler
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, storage))
    _print_line(str(server.server_address[1]))
    server.serve_forever()


if __name__ == "__main__":
    main()
