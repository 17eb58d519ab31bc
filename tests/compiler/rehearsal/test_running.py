"""Tests of the environment of a plan's commands: nothing of the user's own leads past the stand-ins."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from modelyard.migration.records import Step
from modelyard.rehearsal.running import command_environment, runtime_environment
from modelyard.rehearsal.steps import run_step


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a rehearsal, with a stand-in for Pulumi."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pulumi").write_text("#!/bin/sh\necho stand-in\n", encoding="utf-8")
    (tmp_path / "bin" / "pulumi").chmod(0o755)
    return tmp_path


def output(folder: Path, line: str, where: Path | None = None) -> str:
    """Return what a command of a plan prints in a rehearsal."""
    environment = command_environment(folder, {"old_lake": folder / "objects"})
    with TemporaryFile() as log:
        return run_step(Step("Try.", (line,)), where or folder, environment, log, log.fileno()).output


def test_the_users_shell_cannot_replace_stand_ins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """BASH_ENV and exported functions, which every bash reads, would run the real programs."""
    (folder / "env.sh").write_text("pulumi() { echo real; }\n", encoding="utf-8")
    monkeypatch.setenv("BASH_ENV", str(folder / "env.sh"))
    monkeypatch.setenv("BASH_FUNC_pulumi%%", "() { echo real; }")

    assert output(folder, "pulumi up") == "stand-in\n"


def test_commands_inherit_no_logins_and_no_proxy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = ("AWS_PROFILE", "GOOGLE_APPLICATION_CREDENTIALS", "ARM_CLIENT_ID", "AZURE_CLIENT_ID", "PULUMI_ACCESS_TOKEN")
    for name in (*gone, "KUBECONFIG", "http_proxy", "HTTPS_PROXY", "RCLONE_CONFIG_OLD_LAKE_ENDPOINT"):
        monkeypatch.setenv(name, "inherited")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    variables = output(folder, "env").splitlines()

    assert not [line for line in variables if line.endswith("=inherited")]
    assert {"LC_ALL=C.UTF-8", "NO_PROXY=127.0.0.1,localhost", "RCLONE_CONFIG_OLD_LAKE_TYPE=alias"} <= set(variables)


def test_sides_reach_this_machine_without_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The user's exceptions stay, whichever spelling they have."""
    monkeypatch.setenv("no_proxy", "acme.example")
    monkeypatch.delenv("NO_PROXY", raising=False)

    environment = runtime_environment(tmp_path, tmp_path)

    assert environment["NO_PROXY"] == environment["no_proxy"] == "acme.example,127.0.0.1,localhost"


def test_files_next_to_the_spec_replace_no_module(folder: Path, tmp_path: Path) -> None:
    """Commands run where the user's files are, which may be called like any module."""
    system = tmp_path / "system"
    system.mkdir()
    for name in ("modelyard", "types", "yaml", "json"):
        (system / f"{name}.py").write_text("raise SystemExit('the user's file')\n", encoding="utf-8")

    assert output(folder, f"{sys.executable} -c 'import json, types; print(1)'", system) == "1\n"
