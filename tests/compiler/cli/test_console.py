"""Tests that terminal output is coloured, and that a reader may close a pipe early."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.compiler.cli.commands import COMMAND, Run


def _on_a_terminal(arguments: list[str], **variables: str) -> str:
    """Return the output of a command whose stdout and stderr are both connected to a terminal."""
    ours, theirs = pty.openpty()
    env = {key: value for key, value in os.environ.items() if key not in {"NO_COLOR", "FORCE_COLOR"}}
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdin=theirs, stdout=theirs, stderr=theirs, env={**env, "TERM": "xterm", **variables}
    )
    os.close(theirs)
    output = b""
    while True:
        try:
            piece = os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        output += piece
    process.wait()
    os.close(ours)
    return output.decode()


def test_colour_is_used_only_on_terminals(wrong: Path, run: Run) -> None:
    assert "\x1b[" in _on_a_terminal(["validate", str(wrong)])
    assert "\x1b[" not in _on_a_terminal(["validate", str(wrong)], NO_COLOR="1")
    assert "\x1b[" not in _on_a_terminal(["validate", str(wrong)], TERM="dumb")


def test_colour_can_be_forced(wrong: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """FORCE_COLOR enables colour, NO_COLOR overrides it, and an empty variable counts as unset."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" in run("validate", wrong).err
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in run("validate", wrong).err
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("FORCE_COLOR", "")
    assert "\x1b[" not in run("validate", wrong).err
    assert "\x1b[" not in _on_a_terminal(["validate", str(wrong), "--color", "never"])
    assert "\x1b[" not in run("validate", wrong).err
    assert "\x1b[" in run("validate", wrong, "--color", "always").err


def _buffered() -> dict[str, str]:
    """Return an environment where Python buffers its output, like it does for users."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}


@pytest.mark.parametrize("arguments", [("schema",), ("render", "."), ("explain", "inference.*"), ("--help",)])
def test_a_closed_pipe_is_no_error(system: Path, arguments: tuple[str, ...]) -> None:
    """If a reader such as `| head` exits early, the exit code is 0 and there is no traceback."""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        command = [*COMMAND, *arguments]
        ended = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, text=True, cwd=system, env=_buffered())

    assert ended.stderr == ""
    assert ended.returncode == 0


def test_a_pipe_that_closes_after_the_last_write_is_no_error() -> None:
    """Output still in Python's buffer when the reader exits is silently discarded."""
    program = """
import sys
import modelyard.cli
sys.modules["modelyard.cli.main"].main = lambda: print("a line") or 0
modelyard.cli.command()
"""
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb") as pipe:
        command = [sys.executable, "-c", program]
        ended = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, text=True, env=_buffered())

    assert (ended.returncode, ended.stderr) == (0, "")
