"""Approvals: signed by ssh-keygen with a key that the spec lists, about one digest, and laid beside a version."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from modelyard.cli.approve import NAMESPACE
from modelyard_runtime.promotion import approvals, gate, imports, promoter
from modelyard_runtime.registry import lineage
from modelyard_runtime.workload.records import Promotion, Workload
from tests.compiler.cli.said import Run
from tests.runtime.described import record
from tests.specs import VALID_SPEC

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
TAG = "modelyard.approval.model-risk"


class Registry(BaseHTTPRequestHandler):
    """The two calls of MLflow that are made, or an answer that MLflow would not give."""

    tags: ClassVar[dict[str, str]] = {}
    logins: ClassVar[list[str | None]] = []
    instead: ClassVar[bytes] = b""
    forgets: ClassVar[bool] = False

    def do_GET(self) -> None:
        """Version 7 and no other."""
        if "name=fraud-fraud-xgb&version=7" not in self.path:
            self._answer(404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "version 8 not found"})
            return
        listed = [{"key": key, "value": value} for key, value in self.tags.items()]
        self._answer(200, {"model_version": {"tags": listed}})

    def do_POST(self) -> None:
        """A tag is set."""
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

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
        """Nothing."""


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a registry on loopback, with a version that a gate let through; nobody has a login for it yet."""
    monkeypatch.delenv("MLFLOW_TRACKING_USERNAME", raising=False)
    monkeypatch.delenv("MLFLOW_TRACKING_PASSWORD", raising=False)
    Registry.tags = {
        "modelyard.digest": DIGEST,
        gate.GATE_TAG: "held",
        lineage.WORKLOAD_TAG: "pipelines.retrain",
        "modelyard.environment": "default",
    }
    Registry.logins, Registry.instead, Registry.forgets = [], b"", False
    server = ThreadingHTTPServer(("127.0.0.1", 0), Registry)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    """The key of somebody whom the spec lists for one of its groups."""
    return listed(tmp_path, "model-risk", "ada@acme.example")


def listed(folder: Path, group: str, person: str) -> Path:
    """A new key, which the spec in the folder lists for a group."""
    path, spec = folder / person.partition("@")[0], folder / "system.yaml"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", person, "-f", str(path)], check=True)
    text = spec.read_text(encoding="utf-8") if spec.exists() else VALID_SPEC
    line = next(line for line in text.splitlines() if line.endswith(f' {group}"]'))
    text = text.replace(line, f'      sshKeys: ["{path.with_suffix(".pub").read_text().strip()}"]')
    spec.write_text(text, encoding="utf-8")
    return path


def ask(folder: Path, key: Path, *more: str) -> list[str]:
    """The arguments of an approval of one model."""
    return ["approve", str(folder), "--model", "fraud-xgb", "--key", str(key), "--alias", "champion", *more]


def test_an_approval_is_signed_and_is_what_the_runtime_asks_for(run: Run, tmp_path: Path, key: Path) -> None:
    """ssh-keygen verifies the signature, and the statement names what is compared before the alias moves."""
    said = run(*ask(tmp_path, key, "--digest", DIGEST, "--reason", "ticket 7"))

    assert said.code == 0
    assert "on behalf of model-risk; set it as the tag modelyard.approval.model-risk" in said.err
    assert "the version needs 2 of model-risk, payments-risk" in said.err
    found = json.loads(said.out)
    pipeline: dict[str, Any] = {"model": {"registeredName": "fraud-fraud-xgb"}, "promoteTo": "champion"}
    workload = record(Workload, {"system": "fraud", "environment": "default"})
    asked = approvals.subject(workload, record(Promotion, pipeline), DIGEST)
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
    before = "version 7 of fraud-fraud-xgb for 'champion' in environment 'default': it passed its gate; it was trained"
    assert said.err.startswith(f"{before} by pipelines.retrain in environment 'default'\n")
    assert said.err.endswith("stored with version 7\nit needs 1 more, from payments-risk\n")
    assert json.loads(json.loads(Registry.tags[TAG])["statement"])["digest"] == DIGEST
    assert set(Registry.logins) == {"Basic YWRhOmEgcGFzc3dvcmQgb2YgaGVycw=="}


def test_the_last_approval_says_that_none_is_missing(run: Run, tmp_path: Path, key: Path, registry: str) -> None:
    """Approvals of others count by their signature, as in the runtime, and not by the name of their tag."""
    bob = listed(tmp_path, "payments-risk", "bob@acme.example")
    Registry.tags["modelyard.approval.payments-risk"] = run(*ask(tmp_path, bob, "--digest", OTHER)).out
    said = run(*ask(tmp_path, key, "--registry", registry, "--version", "7"))
    assert said.err.endswith("it needs 1 more, from payments-risk\n"), said.err

    said = run(*ask(tmp_path, bob, "--registry", registry, "--version", "7"))

    assert said.err.endswith("it has all approvals, from model-risk, payments-risk\n"), said.err


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ((), "name the files to approve with --digest sha256:…, the tag modelyard.digest of the version"),
        (("--digest", "sha256:1"), "--digest is sha256: and 64 digits of 0-9 and a-f, not 'sha256:1'"),
        (("--digest", ""), "--digest is sha256: and 64 digits"),
        (("--digest", DIGEST, "--model", "other"), "there is no model 'other'; known: fraud-xgb"),
        (("--digest", DIGEST, "--model", "fraud-xg"), "there is no model 'fraud-xg'; known: fraud-xgb; did you"),
        (
            ("--digest", DIGEST, "--alias", "champoin"),
            "nothing here moves 'champoin' of 'fraud-xgb', only champion, candidate; did you mean 'champion'?",
        ),
        (("--version", "7"), "--version is looked up in a registry: add --registry URL, or use --digest"),
        (("--version", "7", "--digest", DIGEST), "--version is looked up in a registry: add --registry URL"),
        (("--registry", "http://127.0.0.1:9"), "name the version with --version and its number"),
        (("--registry", "http://127.0.0.1:9", "--version", "seven"), "name the version with --version and its number"),
        (
            ("--registry", "http://127.0.0.1:9", "--version", "7"),
            "no response from http://127.0.0.1:9: Connection refused\n",
        ),
        (("--registry", "http://[bad", "--version", "7"), "--registry is not a URL such as http://localhost:5000"),
        (("--registry", "http://localhost:99999999", "--version", "7"), "--registry is not a URL such as"),
        (("--registry", "http://local host", "--version", "7"), "--registry has a space or another character"),
        (
            ("--registry", "localhost:5000", "--version", "7"),
            "--registry must begin with http:// or https://; did you mean http://localhost:5000?\n",
        ),
        (("--registry", "file:///etc/passwd", "--version", "7"), "--registry must begin with http:// or https://"),
        (("--registry", "http://host/?a=b", "--version", "7"), "--registry is the address of MLflow alone, "),
        (("--registry", "", "--version", "7"), "--registry must begin with http:// or https://; "),
        (("--key", "/nowhere/id"), "neither /nowhere/id nor /nowhere/id.pub exists\n"),
        (("--key", "/nowhere/id.pub"), "there is no /nowhere/id.pub\n"),
        (("--key", ""), "name the key with --key FILE, such as ~/.ssh/id_ed25519"),
        (("--key", "/"), "name the key with --key FILE, such as ~/.ssh/id_ed25519"),
        (("--digest", DIGEST, "--reason", os.fsdecode(b"\xff")), "--reason is not text in UTF-8\n"),
    ],
)
def test_what_cannot_be_approved_is_said_in_a_line(
    run: Run, tmp_path: Path, key: Path, more: tuple[str, ...], why: str
) -> None:
    said = run(*ask(tmp_path, key, *more))

    assert said.code == 1
    assert said.err.startswith(f"error: {why}"), said.err
    assert said.out == ""


def test_a_password_in_the_address_is_never_printed(run: Run, tmp_path: Path, key: Path) -> None:
    """Whoever writes it there learns where it is read from."""
    said = run(*ask(tmp_path, key, "--registry", "http://ada:pw-of-hers@localhost:5000", "--version", "7"))

    assert said.code == 1
    assert "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in said.err
    assert "pw-of-hers" not in said.err


def test_a_private_key_without_its_public_half_is_helped_with(run: Run, tmp_path: Path, key: Path) -> None:
    """By the command that makes it."""
    key.with_suffix(".pub").unlink()

    said = run(*ask(tmp_path, key, "--digest", DIGEST))

    assert said.code == 1
    assert f"ssh-keygen -y -f {key} > {key}.pub" in said.err


@pytest.mark.parametrize("content", [b"\xff", b"", b"ssh-ed25519 AAAA", b"-----BEGIN OPENSSH PRIVATE KEY-----\n"])
def test_a_public_half_that_is_none_is_said(run: Run, tmp_path: Path, key: Path, content: bytes) -> None:
    key.with_suffix(".pub").write_bytes(content)

    said = run(*ask(tmp_path, key, "--digest", DIGEST))

    assert said.code == 1
    assert said.err.startswith(f"error: {key}.pub is not a public key"), said.err


def test_a_version_that_is_not_there_is_said(run: Run, tmp_path: Path, key: Path, registry: str) -> None:
    said = run(*ask(tmp_path, key, "--registry", registry, "--version", "8"))

    assert said.code == 1
    assert "the registry responds 404: version 8 not found" in said.err


@pytest.mark.parametrize(
    ("tags", "more", "why"),
    [
        ({}, ("--digest", OTHER), f"version 7 has the digest {DIGEST}, which differs from --digest"),
        ({gate.GATE_TAG: "refused"}, (), "version 7 failed its gate"),
        ({lineage.WORKLOAD_TAG: "pipelines.try-out"}, (), "trained by pipelines.try-out, which moves 'candidate' and"),
        ({"modelyard.environment": "prod"}, (), "would count in 'default' only: add --env prod"),
        ({"modelyard.digest": ""}, (), "version 7 has no digest in its tag modelyard.digest,"),
        ({"modelyard.digest": "sha256:1"}, ("--digest", DIGEST), "version 7 has no digest in its tag"),
    ],
)
def test_a_version_that_an_approval_does_not_help_is_refused(
    run: Run, tmp_path: Path, key: Path, registry: str, tags: dict[str, str], more: tuple[str, ...], why: str
) -> None:
    """Before anything is signed or stored."""
    Registry.tags |= tags

    said = run(*ask(tmp_path, key, "--registry", registry, "--version", "7", *more))

    assert said.code == 1
    assert why in said.err
    assert TAG not in Registry.tags


@pytest.mark.parametrize(("failed", "code"), [('["beats-champion"]', 0), ('["auc-pr"]', 1), ("", 1)])
def test_a_stage_may_do_without_lines_that_failed(
    run: Run, tmp_path: Path, key: Path, registry: str, failed: str, code: int
) -> None:
    """What is approved is then the alias of that stage, to which another training's versions come as well."""
    spec = tmp_path / "system.yaml"
    stages = (
        "    stages: {candidate: {approvals: none}, champion: {after: candidate, checks: [auc-pr]}}\n    explainability"
    )
    text = spec.read_text(encoding="utf-8").replace("    explainability", stages)
    spec.write_text(text.replace("    promoteTo: candidate\n", ""), encoding="utf-8")
    Registry.tags |= {gate.GATE_TAG: "refused", promoter.FAILED_TAG: failed}

    said = run(*ask(tmp_path, key, "--registry", registry, "--version", "7"))

    assert said.code == code, said.err
    assert ("version 7 failed its gate" in said.err) is bool(code)


@pytest.mark.parametrize(
    ("named", "code", "why"),
    [
        (DIGEST, 0, "no gate has evaluated it; it was imported from models:/shared/4"),
        (OTHER, 1, f"version 7 is not the one that the spec imports: that has {OTHER}"),
    ],
)
def test_an_imported_version_is_the_one_that_the_spec_names(
    run: Run, tmp_path: Path, key: Path, registry: str, named: str, code: int, why: str
) -> None:
    """Who signs reads where it came from."""
    source = f'{{uri: "models:/shared/4", digest: "{named}"}}'
    bought = f"{{task: regression, framework: custom, registeredName: fraud-fraud-xgb, import: {source}}}"
    spec = tmp_path / "system.yaml"
    text = spec.read_text(encoding="utf-8").replace("fraud-xgb:\n", "fraud-xgb:\n    registeredName: other\n")
    spec.write_text(text.replace("pipelines:\n", f"  bought: {bought}\npipelines:\n", 1), encoding="utf-8")
    Registry.tags |= {lineage.WORKLOAD_TAG: "models.bought", imports.FROM_TAG: "models:/shared/4"}
    asked = ["approve", str(tmp_path), "--model", "bought", "--key", str(key), "--alias", "champion"]

    said = run(*asked, "--registry", registry, "--version", "7")

    assert said.code == code, said.err
    assert why in said.err


def test_a_tag_begins_no_line_of_ours(run: Run, tmp_path: Path, key: Path, registry: str) -> None:
    """Anybody who may change versions could write what looks like a verdict."""
    Registry.tags[lineage.WORKLOAD_TAG] = "pipelines.x\napproved by everybody"

    said = run(*ask(tmp_path, key, "--registry", registry, "--version", "7"))

    assert "\napproved by everybody" not in said.err
    assert "trained by pipelines.x approved by everybody" in said.err


def test_a_registry_of_others_may_hold_versions_of_other_environments(
    run: Run, tmp_path: Path, key: Path, registry: str
) -> None:
    """Such as one that is trained in staging and goes live in production: where it was trained is printed."""
    spec = tmp_path / "system.yaml"
    adopted = "registry: {adopt: 'https://mlflow.acme.example'}"
    text = spec.read_text(encoding="utf-8").replace("registry: {database: runs, artifacts: lake}", adopted)
    spec.write_text(text.replace("  runs: {type: database}\n", ""), encoding="utf-8")
    Registry.tags["modelyard.environment"] = "staging"

    said = run(*ask(tmp_path, key, "--registry", registry, "--version", "7"))

    assert said.code == 0, said.err
    assert "it passed its gate; it was trained by pipelines.retrain in environment 'staging'" in said.err


def test_what_the_registry_does_not_keep_is_no_success(run: Run, tmp_path: Path, key: Path, registry: str) -> None:
    Registry.forgets = True

    said = run(*ask(tmp_path, key, "--registry", registry, "--version", "7"))

    assert said.code == 1
    assert "accepted the approval but did not keep it" in said.err
    assert "stored with version" not in said.err


def http(body: bytes, head: bytes = b"200 OK\r\nContent-Type: application/json") -> bytes:
    """An answer as it goes over the wire."""
    return b"HTTP/1.0 " + head + b"\r\n\r\n" + body


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (http(b"[]"), "is not one of MLflow's"),
        (http(b"null"), "is not one of MLflow's"),
        (http(b'{"model_version": null}'), "does not describe a version as MLflow does"),
        (http(b'{"model_version": {"tags": null}}'), "version 7 has no digest in its tag modelyard.digest,"),
        (http(b'{"model_version": {"tags": ["a"]}}'), "does not describe a version as MLflow does"),
        (http(b'{"model_version": {"tags": 7}}'), "does not describe a version as MLflow does"),
        (http(b'{"model', b"200 OK\r\nContent-Length: 900"), "ends too early"),
        (http(b"5\r\n{", b"200 OK\r\nTransfer-Encoding: chunked").replace(b"/1.0", b"/1.1"), "ends too early"),
        (b"SSH-2.0-OpenSSH_10.0\r\n", "does not speak HTTP"),
        (http(b"[" * 200_000), "something that is not JSON"),
        (http(b'"' + b"a" * 9 * 2**20), "exceeds 8 MiB"),
        (http(b"\xff\xfe"), "something that is not JSON"),
        (http(b"<!doctype html><title>Log in</title>"), "responds with a web page"),
        (http(b"<html>", b"401 Unauthorized"), "401: Unauthorized; set MLFLOW_TRACKING_USERNAME"),
        (http(b"[" * 200_000, b"500 Internal Server Error"), "the registry responds 500: Internal Server Error"),
    ],
    ids=range(15),
)
def test_whatever_answers_in_place_of_mlflow_is_said_in_a_line(
    run: Run, tmp_path: Path, key: Path, registry: str, answer: bytes, why: str
) -> None:
    Registry.instead = answer

    said = run(*ask(tmp_path, key, "--registry", registry, "--version", "7"))

    assert said.code == 1, said.err
    assert why in said.err
    assert "<html>" not in said.err


def test_a_redirect_is_not_followed(
    run: Run, tmp_path: Path, key: Path, registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The login goes to the address that was typed and to no other, and nothing is called approved."""
    monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", "ada")
    Registry.instead = http(b"", f"302 Found\r\nLocation: {registry}/elsewhere?next=1".encode())

    said = run(*ask(tmp_path, key, "--registry", registry, "--version", "7"))

    assert said.code == 1
    assert f"the registry redirects to {registry}/elsewhere, which is not followed" in said.err
    assert len(Registry.logins) == 1


def test_a_key_that_is_not_listed_signs_nothing(run: Run, tmp_path: Path, key: Path) -> None:
    (tmp_path / "system.yaml").write_text(VALID_SPEC, encoding="utf-8")

    said = run(*ask(tmp_path, key, "--digest", DIGEST))

    assert said.code == 1
    assert "no group that may approve lists this key; see governance.approvers" in said.err


def test_the_whole_key_is_compared(run: Run, tmp_path: Path, key: Path) -> None:
    """A line with the body of a listed key and another type is no listed key."""
    public = key.with_suffix(".pub")
    public.write_text(public.read_text().replace("ssh-ed25519", "ssh-rsa"))

    said = run(*ask(tmp_path, key, "--digest", DIGEST))

    assert said.code == 1
    assert "its type is ssh-rsa, and its body is for a key of type ssh-ed25519" in said.err


def test_without_ssh_keygen_it_is_said(run: Run, tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shutil.which("ssh-keygen")
    monkeypatch.setenv("PATH", str(tmp_path))

    said = run(*ask(tmp_path, key, "--digest", DIGEST))

    assert said.code == 1
    assert said.err == "error: ssh-keygen is not installed; it is part of OpenSSH\n"
