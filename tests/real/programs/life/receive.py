"""Receives webhooks from Alertmanager and appends each request body to a file, one per line."""

from __future__ import annotations

import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import urlsplit

address, kept = urlsplit(sys.argv[1]), Path(sys.argv[2])


class Receiver(BaseHTTPRequestHandler):
    """Accepts POST requests."""

    def do_POST(self) -> None:
        """Append the body to the file."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        with kept.open("a") as file:
            file.write(body.replace("\n", " ") + "\n")
        self.send_response(200 if self.path == address.path else 404)
        self.end_headers()


HTTPServer((address.hostname or "", address.port or 0), Receiver).serve_forever()
