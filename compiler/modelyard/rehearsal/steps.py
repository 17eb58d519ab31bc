"""Run the commands in a step of the plan, and evaluate their output."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Final

from modelyard.migration.calling import SERVE_PORT
from modelyard.migration.copying import EQUAL, NO_NAMES, NOTHING
from modelyard.migration.records import Step
from modelyard.migration.secrets import READS_SECRET
from modelyard.records import record

_LEFT_OUT: Final = {
    "python -m venv ": "Pulumi has a stand-in, which needs no packages",
    "/venv/bin/pip install ": "Pulumi has a stand-in, which needs no packages",
    "read -r RCLONE_CONFIG": "folders need no keys",
    "RCLONE_CONFIG=": "all sites share one folder on this machine",
    READS_SECRET: "no secret exists on this machine",
    " create namespace ": "no secret exists on this machine",
    " describe secret ": "no secret exists on this machine",
}
"""The reasons why a rehearsal does not run certain commands, by a substring that identifies these commands."""

_SHOWN: Final = 600


class Failed(Exception):
    """Raised if a step did not do what the plan says."""


@record
class StepOutput:
    """The output of a step's commands, how many ran, and why the others did not."""

    output: str
    code: int
    count: int
    left_out: tuple[str, ...]


def run_step(step: Step, folder: Path, environment: Mapping[str, str], log: IO[bytes], hold: int) -> StepOutput:
    """Run a step's commands as if a person had pasted them. Stops after the first command that fails.

    `hold` is a file descriptor (the rehearsal's lock) that every process of the step keeps open.
    """
    lines = [line for line in step.commands if not _reasons([line])]
    reasons = tuple(dict.fromkeys(_reasons(step.commands)))
    if not lines:
        return StepOutput("", 0, 0, reasons)
    script = "\n".join(_elsewhere(lines))
    log.write(f"\n# {step.text}\n{script}\n".encode())
    log.flush()
    code, output = _bash(script, folder, environment, log, hold)
    return StepOutput(output, code, len(lines), reasons)


def fits(step: Step, ran: StepOutput) -> bool:
    """Return whether a step has done what the plan expects."""
    judge = _EXPECTED.get(step.expect)
    return ran.code == 0 if judge is None else judge(ran.code, [line for line in ran.output.splitlines() if line])


def why(step: Step, ran: StepOutput, log: Path) -> str:
    """Describe the expected and the actual output of a step."""
    tail = f": {ran.output.strip()[-_SHOWN:]}" if ran.output.strip() else ""
    return f"Expected: {step.expect or 'exit code 0'}; got exit code {ran.code}{tail}. The log is {log}."


def _each(holds: Callable[[str], bool]) -> Callable[[int, Sequence[str]], bool]:
    return lambda code, lines: code == 0 and bool(lines) and all(map(holds, lines))


_EXPECTED: Final[Mapping[str, Callable[[int, Sequence[str]], bool]]] = {
    EQUAL: lambda code, lines: code == 0 and all(line.startswith("= ") for line in lines),
    NO_NAMES: lambda code, lines: not lines,  # the exit code also reflects changes on the new side
    NOTHING: lambda code, lines: code == 0 and not lines,
    "a digest each": _each(lambda line: line.startswith("sha256:")),
    "True in each line": _each(lambda line: line.endswith("true")),
    "no run in state Running": lambda code, lines: code == 0 and not any("Running" in line for line in lines),
    "no resources in each": _each(lambda line: line.endswith("(0):")),
}
"""How to judge the output of a check, by what the plan expects. Other checks are judged by their exit code."""


def _reasons(lines: Sequence[str]) -> list[str]:
    return [reason for line in lines for part, reason in _LEFT_OUT.items() if part in line]


def _elsewhere(lines: Sequence[str]) -> list[str]:
    """Replace Ray Serve's port in the commands with a free one, since another program may be using it."""
    if not any("port-forward" in line for line in lines):
        return list(lines)
    port = _free_port()
    changed = {f" {SERVE_PORT} &": f" {port}:{SERVE_PORT} &", f"127.0.0.1:{SERVE_PORT}": f"127.0.0.1:{port}"}
    result: list[str] = []
    for line in lines:
        for before, after in changed.items():
            line = line.replace(before, after)
        result.append(line)
    return result


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _bash(script: str, folder: Path, environment: Mapping[str, str], log: IO[bytes], hold: int) -> tuple[int, str]:
    """Run a script to completion. When it ends, for whatever reason, every process it started ends too."""
    with TemporaryFile() as output:  # a pipe would stay open as long as a background program
        process = subprocess.Popen(
            ["bash", "--noprofile", "--norc", "-euo", "pipefail", "-c", script],
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=log,
            start_new_session=True,
            pass_fds=(hold,),
        )
        try:
            code = process.wait()
        finally:
            _end(process.pid)
            process.wait()
        output.seek(0)
        content = output.read()
    log.write(content)
    log.flush()
    return code, content.decode("utf-8", "replace")


def _end(group: int) -> None:
    try:
        os.killpg(group, signal.SIGTERM)
    except (ProcessLookupError, PermissionError):  # it has already ended
        return
