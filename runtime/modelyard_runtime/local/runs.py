"""Runs workloads on this machine, each in its own process using the same runtime verb as in a Pod."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from modelyard_runtime.local.notes import Notes, value_of
from modelyard_runtime.local.processes import Processes
from modelyard_runtime.local.state import State

_SHOWN = re.compile(r"^\d{4}-\d\d-\d\d [\d:,]+ (INFO|WARNING|ERROR) (.*)$")
_NOTHING_WAITS = re.compile(r"^\S+: no version of \S+ is waiting for '[^']*'$")
_METRIC = "modelyard_"
_LOGS = "logs of "
_ENDING = ("refused: ", "failed, ")
_LONGEST_LINE = 600
_LOOK_S = 0.5
_LATE, _REPLACED = "late", "replaced"
_PATIENCE_S = 10.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a run, and its last message."""

    succeeded: bool
    message: str
    log: Path
    replaced: bool = False


@dataclass(slots=True)
class Runs:
    """Runs the runtime verbs of workloads, and shows the decisions they report."""

    state: State
    processes: Processes
    environment: Mapping[str, str]
    say: Callable[[str, str], None]  # address, line
    notes: Notes
    decisions_alone: bool = False
    _numbers: dict[str, int] = field(default_factory=dict)

    def command(self, verb: str, *arguments: str) -> list[str]:
        """Return the command line for one of the runtime's verbs."""
        return [sys.executable, "-m", "modelyard_runtime", verb, *arguments]

    def quietly(self) -> Runs:
        """Return a copy that only prints decisions not printed before."""
        return replace(self, decisions_alone=True)

    def run(
        self,
        address: str,
        verb: str,
        description: Path,
        timeout_s: int,
        retries: int = 0,
        replaced: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        """Run a workload to completion, retrying failures as often as declared. A refusal is final.

        While the workload runs, `replaced` is called to check whether another run must replace it.
        """
        outcome = self._once(address, verb, description, timeout_s, replaced)
        for _ in range(retries):
            if outcome.succeeded or outcome.replaced or outcome.message.startswith(_ENDING[0]):
                break
            self.state.record(address, "retried", outcome.message)
            self.say(address, f"trying again after a failure: {outcome.message}")
            outcome = self._once(address, verb, description, timeout_s, replaced)
        return outcome

    def _once(
        self, address: str, verb: str, description: Path, timeout_s: int, replaced: Callable[[], bool]
    ) -> Outcome:
        log = self._log(address)
        environment = {
            **self.environment,
            "MODELYARD_WORKLOAD": str(description),
            "MODELYARD_JOB_UID": f"{address}-{log.stem}",
        }
        process = self.processes.start(self.command(verb), environment, log, stdout=subprocess.PIPE)
        reader = _Reader(process.stdout, log, lambda line: self._show(address, line))
        reader.start()
        ending = _await(process, time.monotonic() + timeout_s, replaced)
        reader.join(5)
        if ending == _REPLACED:
            return Outcome(False, "a newer start replaced it", log, replaced=True)
        if ending == _LATE:
            return Outcome(False, f"it took longer than {timeout_s} s", log)
        self.notes.measured(address, reader.values)
        return Outcome(process.returncode == 0, reader.last or reader.unwritten, log)

    def _show(self, address: str, line: str) -> None:
        if self.notes.decision(address, line) or not (self.decisions_alone or _NOTHING_WAITS.match(line)):
            self.say(address, line)

    def _log(self, address: str) -> Path:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
        number = self._numbers[address] = self._numbers.get(address, 0) + 1
        return self.state.below("logs", address, f"{stamp}-{number}.log")


def _await(process: subprocess.Popen[bytes], deadline: float, replaced: Callable[[], bool]) -> str:
    """Wait until a process ends, or terminate it. Returns the reason for terminating it, or ""."""
    while True:
        try:
            process.wait(min(_LOOK_S, max(deadline - time.monotonic(), 0.01)))
        except subprocess.TimeoutExpired:
            reason = _LATE if time.monotonic() >= deadline else _REPLACED if replaced() else ""
            if reason:
                _end(process)
                return reason
        else:
            return ""


def _end(process: subprocess.Popen[bytes]) -> None:
    """Interrupt a process like Ctrl-C would. It then disconnects from Ray, which stops anything started there."""
    process.terminate()
    try:
        process.wait(_PATIENCE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class _Reader(threading.Thread):
    """Copies a process's output to its log, forwarding lines that report decisions."""

    def __init__(self, stream: IO[bytes], log: Path, show: Callable[[str], Any]) -> None:
        super().__init__(daemon=True)
        self._stream, self._log, self._show = stream, log, show
        self.last = ""
        self.values: dict[str, float] = {}
        self.unwritten = ""

    def run(self) -> None:
        """Read until the end even if the log can't be written, as a process blocks if nobody reads its output."""
        with self._log.open("ab", buffering=0) as log, self._stream:
            for raw in self._stream:
                try:
                    log.write(raw)
                    self._pass_on(raw.decode("utf-8", "replace").rstrip())
                except OSError as problem:
                    self.unwritten = f"its log cannot be written: {problem.strerror or problem}"

    def _pass_on(self, text: str) -> None:
        message = message_of(text)
        if message:
            self.last = message
            self._show(message)
        if value := _logged_value(text):
            self.values[value[0]] = value[1]


def _logged_value(line: str) -> tuple[str, float] | None:
    match = _SHOWN.match(line)
    return value_of(match[2]) if match else None


def message_of(line: str) -> str:
    """Return the message of a runtime log line, or "" for other output such as Ray's."""
    if line.startswith(_ENDING):
        return line[:_LONGEST_LINE]
    match = _SHOWN.match(line)
    if match is None:
        return ""
    message = match[2]
    if message.startswith(_METRIC):  # without a Prometheus, metrics are only logged
        value = value_of(message)
        return f"{value[0]} is {value[1]:g}"[:_LONGEST_LINE] if value else ""
    return "" if message.startswith(_LOGS) else message[:_LONGEST_LINE]


def code_folders(folders: list[str]) -> str:
    """Return a PYTHONPATH with the given folders prepended."""
    present = [entry for entry in os.environ.get("PYTHONPATH", "").split(os.pathsep) if entry]
    return os.pathsep.join(dict.fromkeys([*folders, *present]))
