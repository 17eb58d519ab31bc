"""Tests that no user setting makes a plan's commands bypass the stand-ins."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile

import pytest

from modelyard.migration.records import Step
from modelyard.rehearsal import running
from modelyard.rehearsal.running import DoesNotStart, SideProcess, command_environment, run_tied, runtime_environment
from modelyard.rehearsal.steps import run_step


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return the folder of a rehearsal, with a stand-in for Pulumi."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "pulumi").write_text("#!/bin/sh\necho stand-in\n", encoding="utf-8")
    (tmp_path / "bin" / "pulumi").chmod(0o755)
    return tmp_path


def output(folder: Path, line: str, where: Path | None = None) -> str:
    """Return what a plan's command prints when it runs in a rehearsal."""
    environment = command_environment(folder, {"old_lake": folder / "objects"})
    with TemporaryFile() as log:
        return run_step(Step("Try.", (line,)), where or folder, environment, log, log.fileno()).output


def test_the_users_shell_cannot_replace_stand_ins(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every bash reads BASH_ENV and exported functions, which could make commands run the real programs."""
    (folder / "env.sh").write_text("pulumi() { echo real; }\n", encoding="utf-8")
    monkeypatch.setenv("BASH_ENV", str(folder / "env.sh"))
    monkeypatch.setenv("BASH_FUNC_pulumi%%", "() { echo real; }")

    assert output(folder, "pulumi up") == "stand-in\n"


def test_commands_inherit_no_logins_and_no_proxy(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logins = (
        "AWS_PROFILE",
        "GOOGLE_APPLICATION_CREDENTIALS",
        "ARM_CLIENT_ID",
        "AZURE_CLIENT_ID",
        "PULUMI_ACCESS_TOKEN",
    )
    for name in (*logins, "KUBECONFIG", "http_proxy", "HTTPS_PROXY", "RCLONE_CONFIG_OLD_LAKE_ENDPOINT"):
        monkeypatch.setenv(name, "inherited")
    monkeypatch.setenv("LC_ALL", "C.UTF-8")

    variables = output(folder, "env").splitlines()

    assert not [line for line in variables if line.endswith("=inherited")]
    assert {"LC_ALL=C.UTF-8", "NO_PROXY=127.0.0.1,localhost", "RCLONE_CONFIG_OLD_LAKE_TYPE=alias"} <= set(variables)


def test_the_first_run_reaches_this_machine_without_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """User code may fetch data through the user's proxy. Exceptions in `no_proxy` and `NO_PROXY` are kept."""
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.acme.example:3128")
    monkeypatch.setenv("no_proxy", "acme.example")
    monkeypatch.delenv("NO_PROXY", raising=False)

    environment = runtime_environment(tmp_path, tmp_path)

    assert environment["NO_PROXY"] == environment["no_proxy"] == "acme.example,127.0.0.1,localhost"
    assert environment["HTTPS_PROXY"] == "http://proxy.acme.example:3128"


def test_a_side_sends_nothing_to_a_proxy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever proxy is set in the user's shell, a side's own HTTP clients don't use one for any host."""
    for name in ("http_proxy", "HTTPS_PROXY", "All_Proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    program = (
        "import json, urllib.request as u; named = [name for name in u.getproxies() if name != 'no'];"
        "print(json.dumps({'proxies': len(named), 'bypassed': u.proxy_bypass('acme.example')}))"
    )
    python = side(tmp_path, f'{sys.executable} -c "{program}"')

    process = SideProcess(python, tmp_path, tmp_path / "old", tmp_path)
    process.close()

    assert process.ports == {"proxies": 0, "bypassed": True}


def test_files_next_to_the_spec_replace_no_module(folder: Path, tmp_path: Path) -> None:
    """Commands run in the folder with the user's files, which may be named like Python modules."""
    system = tmp_path / "system"
    system.mkdir()
    for name in ("modelyard", "types", "yaml", "json"):
        (system / f"{name}.py").write_text("raise SystemExit('the user's file')\n", encoding="utf-8")

    assert output(folder, f"{sys.executable} -c 'import json, types; print(1)'", system) == "1\n"


def side(folder: Path, script: str) -> str:
    """Return a program that replaces the Python with which a side runs."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def test_a_side_that_does_not_start_is_quoted(tmp_path: Path) -> None:
    python = side(tmp_path, "echo starting >&2; echo 'the port is taken' >&2; echo >&2; exit 1")

    with pytest.raises(DoesNotStart, match=r"the side has stopped: the port is taken; its log is .*side\.log"):
        SideProcess(python, tmp_path, tmp_path / "old", tmp_path)


def test_a_side_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a second Ctrl-C or a timeout, none of the side's processes are running."""
    monkeypatch.setattr(running, "_PATIENCE_S", 0.2)
    pids = tmp_path / "pids"
    python = side(tmp_path, f"trap '' TERM; sleep 600 & echo $! >{pids}; echo '{{}}'; wait; sleep 600")
    process = SideProcess(python, tmp_path, tmp_path / "old", tmp_path)

    process.close()

    until(lambda: not is_running(pids.read_text().strip()))


def test_a_side_that_is_starting_ends_with_its_standard_input(tmp_path: Path) -> None:
    """A side ends when its standard input is closed, without waiting for MLflow to respond first."""
    runtime = tmp_path / "runtime" / "modelyard_runtime" / "local"
    runtime.mkdir(parents=True)
    (runtime / "plan.py").write_text("import time\ndef read_plan(folder):\n    time.sleep(600)\n", encoding="utf-8")
    script = Path(running.__file__).with_name("side.py")
    began = time.monotonic()

    process = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(tmp_path / "old")],
        env=runtime_environment(tmp_path, tmp_path),
        input="",
        text=True,
        capture_output=True,
        timeout=60,
    )

    assert (process.returncode, process.stderr) == (0, "")
    assert time.monotonic() - began < 30


def test_a_command_ends_with_the_rehearsal_that_was_killed(tmp_path: Path) -> None:
    """A killed rehearsal can't end its commands, so they end by themselves when their standard input is closed."""
    ended, log = tmp_path / "ended", tmp_path / "log"
    command = side(tmp_path, f"trap 'echo >{ended}; exit' TERM; echo started; while :; do sleep 0.05; done")
    code = (
        "import os, sys; from pathlib import Path; from modelyard.rehearsal.running import run_tied;"
        f"run_tied([{command!r}], os.environ, Path({str(log)!r}), 2)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as process:
        until(lambda: log.exists() and "started" in log.read_text())
        process.kill()
    until(ended.exists)

    assert run_tied(["sh", "-c", "exit 3"], os.environ, log, 2) == 3


def is_running(process: str) -> bool:
    """Return whether a process exists and is not a zombie."""
    result = subprocess.run(["ps", "-o", "stat=", "-p", process], capture_output=True, text=True)
    return bool(result.stdout.strip().strip("Z"))


def until(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds, which takes less than a second on an otherwise idle machine."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
