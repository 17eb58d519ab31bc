"""Approvals: signed by ssh-keygen with a key that the spec lists, about one digest, and laid beside a version."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from modelyard.cli.approve import NAMESPACE
from modelyard_runtime import approvals
from tests.compiler.cli.said import Run
from tests.specs import VALID_SPEC

DIGEST = "sha256:" + "a" * 64


class Registry(BaseHTTPRequestHandler):
    """The two calls of MLflow that are made."""

    tags: ClassVar[dict[str, str]] = {}
    logins: ClassVar[list[str | None]] = []

    def do_GET(self) -> None:
        """Version 7 and no other."""
        if "name=fraud-fraud-xgb&version=7" not in self.path:
            self._answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST"})
            return
        self._answer(200, {"model_version": {"tags": [{"key": "modelyard.digest", "value": DIGEST}]}})

    def do_POST(self) -> None:
        """A tag is set."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.tags[body["key"]] = body["value"]
        self._answer(200, {})

    def _answer(self, status: int, content: dict[str, Any]) -> None:
        self.logins.append(self.headers.get("Authorization"))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(content).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
        """Nothing."""


@pytest.fixture
def registry() -> Iterator[str]:
    """The URL of a registry on loopback."""
    Registry.tags, Registry.logins = {}, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The key of somebody whom the spec lists for one of its groups."""
    path = tmp_path / "id_ed25519"
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "ada@acme.example", "-f", str(path)]
    subprocess.run(command, check=True)
    listed = next(line for line in VALID_SPEC.splitlines() if line.endswith(' model-risk"]'))
    text = VALID_SPEC.replace(listed, f'      sshKeys: ["{path.with_suffix(".pub").read_text().strip()}"]')
    (tmp_path / "system.yaml").write_text(text, encoding="utf-8")
    return path


def ask(folder: Path, key: Path, *more: str) -> list[str]:
    """The arguments of an approval of one model."""
    return ["approve", str(folder), "--model", "fraud-xgb", "--key", str(key), "--alias", "champion", *more]


def test_an_approval_is_signed_and_is_what_the_runtime_asks_for(run: Run, tmp_path: Path, key: Path) -> None:
    """ssh-keygen verifies the signature, and the statement names what is compared before the alias moves."""
    said = run(*ask(tmp_path, key, "--digest", DIGEST, "--reason", "ticket 7"))

    assert said.code == 0
    assert "in the name of model-risk; set it as the tag modelyard.approval.model-risk" in said.err
    found = json.loads(said.out)
    pipeline: dict[str, Any] = {"model": {"registeredName": "fraud-fraud-xgb"}, "promoteTo": "champion"}
    asked = approvals.subject({"system": "fraud", "environment": "default"}, pipeline, DIGEST)
    statement = json.loads(found["statement"])
    assert {name: statement[name] for name in asked} == asked
    assert (statement["by"], statement["reason"]) == ("ada@acme.example", "ticket 7")
    assert (NAMESPACE, "modelyard.approval.") == (approvals.NAMESPACE, approvals.APPROVAL_TAG)
    (tmp_path / "allowed").write_text(f"ada {key.with_suffix('.pub').read_text()}")
    (tmp_path / "signature").write_text(found["signature"])
    command = ["ssh-keygen", "-Y", "verify", "-I", "ada", "-n", NAMESPACE, "-f", str(tmp_path / "allowed")]
    command += ["-s", str(tmp_path / "signature")]
    subprocess.run(command, input=found["statement"].encode(), check=True, capture_output=True)


def test_an_approval_is_laid_beside_the_version(
    run: Run, tmp_path: Path, key: Path, registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the digest that training kept, and the login of whoever approves."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", "a password of hers")

    said = run(*ask(tmp_path, key, "--registry", registry, "--version", "7"))

    assert said.code == 0, said.err
    assert said.out == ""
    (content,) = (content for tag, content in Registry.tags.items() if tag == "modelyard.approval.model-risk")
    assert json.loads(json.loads(content)["statement"])["digest"] == DIGEST
    assert set(Registry.logins) == {"Basic YWRhOmEgcGFzc3dvcmQgb2YgaGVycw=="}


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ((), "say which files are approved"),
        (("--digest", "sha256:1"), "say which files are approved"),
        (("--digest", DIGEST, "--model", "other"), "there is no model 'other'; there are fraud-xgb"),
        (("--digest", DIGEST, "--alias", "gone"), "say which alias of 'fraud-xgb'"),
        (("--registry", "http://127.0.0.1:9", "--version", "7"), "the registry does not answer"),
        (("--registry", "http://127.0.0.1:9"), "say which version with --version"),
        (("--key", "/nowhere/id"), "the public key is not readable at /nowhere/id.pub"),
    ],
)
def test_what_cannot_be_approved_is_said_in_a_line(
    run: Run, tmp_path: Path, key: Path, more: tuple[str, ...], why: str
) -> None:
    said = run(*ask(tmp_path, key, *more))

    assert said.code == 1
    assert said.err.startswith(f"error: {why}")
    assert said.out == ""


def test_a_version_that_is_not_there_is_said(run: Run, tmp_path: Path, key: Path, registry: str) -> None:
    said = run(*ask(tmp_path, key, "--registry", registry, "--version", "8"))

    assert said.code == 1
    assert "the registry answers 404" in said.err


def test_a_key_that_is_not_listed_signs_nothing(run: Run, tmp_path: Path, key: Path) -> None:
    (tmp_path / "system.yaml").write_text(VALID_SPEC, encoding="utf-8")

    said = run(*ask(tmp_path, key, "--digest", DIGEST))

    assert said.code == 1
    assert "this key is listed for no group that may approve" in said.err
