"""Helpers for tests of `modelyard approve`: keys listed in a spec, and a registry on loopback."""

from __future__ import annotations

import json
import subprocess
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, ClassVar

from tests.specs import VALID_SPEC

DIGEST = "sha256:" + "a" * 64

OTHER = "sha256:" + "b" * 64

TAG = "modelyard.approval.model-risk"


class Registry(BaseHTTPRequestHandler):
    """A server for the two MLflow calls made by approvals, which can be set to return an invalid response."""

    tags: ClassVar[dict[str, str]] = {}
    logins: ClassVar[list[str | None]] = []
    instead: ClassVar[bytes] = b""
    forgets: ClassVar[bool] = False

    def do_GET(self) -> None:
        """Respond with model version 7, which is the only version."""
        if "name=fraud-fraud-xgb&version=7" not in self.path:
            self._answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "version 8 not found"})
            return
        listed = [{"key": key, "value": value} for key, value in self.tags.items()]
        self._answer(200, {"model_version": {"tags": listed}})

    def do_POST(self) -> None:
        """Set a tag of the model version, unless the registry is set to lose it."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self.forgets:
            self.tags[body["key"]] = body["value"]
        self._answer(200, {})

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        self.logins.append(self.headers.get("Authorization"))
        if self.instead:
            self.wfile.write(self.instead)
            return
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
        """Log nothing."""


def listed(folder: Path, group: str, person: str) -> Path:
    """Create an SSH key and list it for a group of approvers in the given folder's spec."""
    path, spec = folder / person.partition("@")[0], folder / "system.yaml"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", str(path)], check=True)
    text = spec.read_text(encoding="utf-8") if spec.exists() else VALID_SPEC
    line = next(line for line in text.splitlines() if line.endswith(f' {group}"]'))
    text = text.replace(line, f'      sshKeys: ["{path.with_suffix(".pub").read_text().strip()}"]')
    spec.write_text(text, encoding="utf-8")
    return path


def ask(folder: Path, key: Path, *more: str) -> list[str]:
    """Return the command-line arguments that approve one model."""
    return ["approve", str(folder), "--model", "fraud-xgb", "--key", str(key), "--alias", "champion", *more]
