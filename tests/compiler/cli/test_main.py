"""Tests that the command line prints help, and reports misspelled arguments and internal errors."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from modelyard import __version__
from modelyard.cli.main import COMMANDS
from tests.compiler.cli.commands import COMMAND, Run


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_a_summary_an_example_and_every_option(run: Run, command: str) -> None:
    """Help is printed to stdout with exit code 0, and describes every option."""
    result = run(command, "--help")

    assert result.code == 0
    usage, _, examples = result.out.partition("example")
    assert f"modelyard {command}" in examples
    assert "exit codes: 0 success" in examples
    assert "130 interrupted" in examples
    assert "pulumi projects" not in usage  # names keep their capital letter
    assert result.err == ""


def test_the_first_help_shows_the_first_steps(run: Run) -> None:
    result = run("--help")

    assert result.code == 0
    assert all(command in result.out for command in COMMANDS)
    assert "first steps:" in result.out
    assert "exit codes:" in result.out


def test_no_arguments_show_the_first_steps(run: Run) -> None:
    """Without arguments, the first steps for new users are printed to stderr, since no command was run."""
    result = run()

    assert (result.code, result.out) == (1, "")
    assert "first steps:" in result.err


def test_version_is_printed(run: Run) -> None:
    assert run("--version").out == f"modelyard {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [(), ("complie",), ("compile", "--no-such"), ("validate", "--format", "xml"), ("explain",)]
)
def test_invalid_arguments_exit_1(run: Run, arguments: tuple[str, ...]) -> None:
    """Invalid arguments exit with 1, since 2 would mean a bug in modelyard."""
    result = run(*arguments)

    assert result.code == 1
    assert "usage: modelyard" in result.err
    assert result.out == ""


def test_python_m_modelyard_runs_the_command(system: Path) -> None:
    ended = subprocess.run([*COMMAND, "validate", str(system)], capture_output=True, text=True)

    assert (ended.returncode, ended.stdout) == (0, "")
    assert "valid" in ended.stderr


@pytest.mark.parametrize("arguments", [("schema",), ("explain", "E0203"), ("validate", "none", "--format", "json")])
def test_a_full_disk_prints_one_line_and_no_traceback(arguments: tuple[str, ...]) -> None:
    """The exit code is 1, because a full disk is not a bug in modelyard."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        ended = subprocess.run([*COMMAND, *arguments], stdout=full, stderr=subprocess.PIPE, text=True)

    assert (ended.returncode, ended.stderr) == (1, "error: cannot print: No space left on device\n")


@pytest.mark.parametrize("closed", ["1>&-", "2>&-", "1>&- 2>&-"])
def test_closed_streams_do_not_change_the_result(system: Path, closed: str) -> None:
    command = " ".join(map(shlex.quote, [*COMMAND, "validate", str(system)]))

    assert subprocess.run(["sh", "-c", f"{command} {closed}"]).returncode == 0


def test_an_internal_error_prints_one_line_and_exits_2(run: Run, system: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """After an internal error, the traceback is only printed with `--debug`."""

    def broken(*_given: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("modelyard.cli.validate.understand", broken)

    result = run("validate", system, "--env", "prod")
    assert (result.code, result.out) == (2, "")
    assert "please report it" in result.err
    assert "Traceback" not in result.err
    assert "Traceback" in run("validate", system, "--env", "prod", "--debug").err
