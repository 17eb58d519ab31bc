"""Tests that `modelyard approve` signs a model version's digest with a key listed in the spec."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from modelyard.cli.approve import NAMESPACE
from modelyard_runtime.promotion import approvals
from modelyard_runtime.workload.records import Promotion, Workload
from tests.compiler.cli.approving import DIGEST, ask
from tests.compiler.cli.commands import Run
from tests.runtime.described import record
from tests.specs import VALID_SPEC


def test_a_signed_approval_has_the_fields_that_the_runtime_needs(run: Run, tmp_path: Path, key: Path) -> None:
    """ssh-keygen verifies the signature, and the statement has the fields the runtime compares."""
    result = run(*ask(tmp_path, key, "--digest", DIGEST, "--reason", "ticket 7"))

    assert result.code == 0
    assert "on behalf of model-risk; set it as the tag modelyard.approval.model-risk" in result.err
    assert "the version needs 2 of model-risk, payments-risk" in result.err
    approval = json.loads(result.out)
    pipeline: dict[str, Any] = {"model": {"registeredName": "fraud-fraud-xgb"}, "promoteTo": "champion"}
    workload = record(Workload, {"system": "fraud", "environment": "default"})
    subject = approvals.subject(workload, record(Promotion, pipeline), DIGEST)
    statement = json.loads(approval["statement"])
    assert {name: statement[name] for name in subject} == subject
    assert (statement["by"], statement["reason"]) == ("ada@acme.example", "ticket 7")
    assert (NAMESPACE, "modelyard.approval.") == (approvals.NAMESPACE, approvals.APPROVAL_TAG)
    (tmp_path / "allowed").write_text(f"ada {key.with_suffix('.pub').read_text()}")
    (tmp_path / "signature").write_text(approval["signature"])
    command = ["ssh-keygen", "-Y", "verify", "-I", "ada", "-n", NAMESPACE, "-f", str(tmp_path / "allowed")]
    command += ["-s", str(tmp_path / "signature")]
    subprocess.run(command, input=approval["statement"].encode(), check=True, capture_output=True)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ((), "set --digest sha256:… to the version's tag modelyard.digest"),
        (("--digest", "sha256:1"), "--digest must be sha256: and 64 digits of 0-9 and a-f, not 'sha256:1'"),
        (("--digest", ""), "--digest must be sha256: and 64 digits"),
        (("--digest", DIGEST, "--model", "other"), "the spec has no model 'other'; it has fraud-xgb"),
        (("--digest", DIGEST, "--model", "fraud-xg"), "the spec has no model 'fraud-xg'; it has fraud-xgb; did you"),
        (
            ("--digest", DIGEST, "--alias", "champoin"),
            "no promotion moves alias 'champoin' of model 'fraud-xgb', only champion, candidate; did you mean",
        ),
        (("--version", "7"), "--version requires --registry URL; without a registry, use --digest"),
        (("--version", "7", "--digest", DIGEST), "--version requires --registry URL"),
        (("--registry", "http://127.0.0.1:9"), "set the version's number with --version"),
        (("--registry", "http://127.0.0.1:9", "--version", "seven"), "set the version's number with --version"),
        (
            ("--registry", "http://127.0.0.1:9", "--version", "7"),
            "no response from http://127.0.0.1:9: Connection refused\n",
        ),
        (("--registry", "http://[bad", "--version", "7"), "--registry is not a URL such as http://localhost:5000"),
        (("--registry", "http://localhost:99999999", "--version", "7"), "--registry is not a URL such as"),
        (("--registry", "http://local host", "--version", "7"), "--registry contains a space or another character"),
        (
            ("--registry", "localhost:5000", "--version", "7"),
            "--registry must begin with http:// or https://; did you mean http://localhost:5000?\n",
        ),
        (("--registry", "file:///etc/passwd", "--version", "7"), "--registry must begin with http:// or https://"),
        (("--registry", "http://host/?a=b", "--version", "7"), "--registry must be only MLflow's address, "),
        (("--registry", "", "--version", "7"), "--registry must begin with http:// or https://; "),
        (("--key", "/nowhere/id"), "neither /nowhere/id nor /nowhere/id.pub exists\n"),
        (("--key", "/nowhere/id.pub"), "/nowhere/id.pub does not exist\n"),
        (("--key", ""), "set the key with --key FILE, such as ~/.ssh/id_ed25519"),
        (("--key", "/"), "set the key with --key FILE, such as ~/.ssh/id_ed25519"),
        (("--digest", DIGEST, "--reason", os.fsdecode(b"\xff")), "--reason is not valid UTF-8\n"),
    ],
)
def test_failed_approvals_print_one_line(run: Run, tmp_path: Path, key: Path, more: tuple[str, ...], why: str) -> None:
    result = run(*ask(tmp_path, key, *more))

    assert result.code == 1
    assert result.err.startswith(f"error: {why}"), result.err
    assert result.out == ""


def test_a_password_in_the_address_is_never_printed(run: Run, tmp_path: Path, key: Path) -> None:
    """The error names the environment variables to use instead of a password in the address."""
    result = run(*ask(tmp_path, key, "--registry", "http://ada:pw-of-hers@localhost:5000", "--version", "7"))

    assert result.code == 1
    assert "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD" in result.err
    assert "pw-of-hers" not in result.err


def test_a_missing_public_key_prints_the_command_to_create_it(run: Run, tmp_path: Path, key: Path) -> None:
    """If the public key is missing, the error shows the ssh-keygen command that extracts it."""
    key.with_suffix(".pub").unlink()

    result = run(*ask(tmp_path, key, "--digest", DIGEST))

    assert result.code == 1
    assert f"ssh-keygen -y -f {key} > {key}.pub" in result.err


@pytest.mark.parametrize("content", [b"\xff", b"", b"ssh-ed25519 AAAA", b"-----BEGIN OPENSSH PRIVATE KEY-----\n"])
def test_an_invalid_public_key_file_is_reported(run: Run, tmp_path: Path, key: Path, content: bytes) -> None:
    key.with_suffix(".pub").write_bytes(content)

    result = run(*ask(tmp_path, key, "--digest", DIGEST))

    assert result.code == 1
    assert result.err.startswith(f"error: {key}.pub is not a public key"), result.err


def test_an_unlisted_key_signs_nothing(run: Run, tmp_path: Path, key: Path) -> None:
    (tmp_path / "system.yaml").write_text(VALID_SPEC, encoding="utf-8")

    result = run(*ask(tmp_path, key, "--digest", DIGEST))

    assert result.code == 1
    assert "no group that may approve lists this key; see governance.approvers" in result.err


def test_a_key_with_another_type_is_refused(run: Run, tmp_path: Path, key: Path) -> None:
    """An SSH key with the same body as the listed key but a different type isn't accepted."""
    public = key.with_suffix(".pub")
    public.write_text(public.read_text().replace("ssh-ed25519", "ssh-rsa"))

    result = run(*ask(tmp_path, key, "--digest", DIGEST))

    assert result.code == 1
    assert "its type is ssh-rsa, but its body is for a key of type ssh-ed25519" in result.err


def test_a_missing_ssh_keygen_is_reported(run: Run, tmp_path: Path, key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert shutil.which("ssh-keygen")
    monkeypatch.setenv("PATH", str(tmp_path))

    result = run(*ask(tmp_path, key, "--digest", DIGEST))

    assert result.code == 1
    assert result.err == "error: ssh-keygen is not installed; it is part of OpenSSH\n"
