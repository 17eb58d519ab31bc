"""`modelyard migrate --rehearse`: carry out a move locally, phase by phase, resuming after an interruption."""

from __future__ import annotations

import argparse
import errno
import fcntl
import os
import shutil
import signal
import sys
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import IO, Any, Final

from modelyard.cli.console import say
from modelyard.cli.migrate_files import changed_state, read_plan, written
from modelyard.cli.remembered import STATE
from modelyard.cli.run import has_language_model, python_for
from modelyard.cli.sampling import compiled_copy
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics import migrating as tell
from modelyard.diagnostics.emit import cannot_write, path_refused
from modelyard.inputs import Inputs
from modelyard.migration.planning import jobs_of, planned
from modelyard.migration.records import Migration, Move, Phase
from modelyard.migration.sides import Sides
from modelyard.migration.state import State, digest_of
from modelyard.printing.migration_json import data_of
from modelyard.printing.rehearsal import phase_line, report_data, report_lines
from modelyard.records import record, replace
from modelyard.rehearsal.beside import PLAN, Unreadable, made_from
from modelyard.rehearsal.layout import Layout, Unwritable, missing_programs, read_json, write_json, write_text
from modelyard.rehearsal.rehearsal import Rehearsal
from modelyard.rehearsal.running import DoesNotStart, run_tied, runtime_environment
from modelyard.rehearsal.steps import Failed
from modelyard.usage import Usage
from modelyard.writers.json_text import json_text
from modelyard_targets import TARGETS

ENDING: Final = ".rehearsal"
"""The suffix in the name of a rehearsal's folder, after the new environment's name, which cannot contain a dot."""

_REPORT: Final = "rehearsed.json"
_SEEDED: Final = "seeded"
_LOCK: Final = "run.lock"
_MADE_FROM: Final = "made-from"
_REMOVING: Final = "starting over"
_UNFIT: Final = ("%", "?", ":")
"""Characters with a special meaning in PATH or in the URL of a SQLite database."""

_UNWRITABLE: Final = frozenset(
    getattr(errno, name)
    for name in ("EACCES", "EPERM", "EROFS", "ENOSPC", "EDQUOT", "ENOTDIR", "EISDIR", "EEXIST", "EFBIG", "EIO")
)
_CHANGED: Final = "the spec, the options or files next to the spec have changed"
_PATIENCE_S: Final = 30.0
_LAST: Final = "11-retire"
_AGAIN_FROM: Final = "8-freeze"
_TAKEN_BACK: Final = "9-cut-over"


@record
class _Prepared:
    """A migration plan, and the folder in which it is rehearsed."""

    layout: Layout
    plan: Migration
    move: Move
    digest: str

    @property
    def plan_folder(self) -> str:
        """Return the folder that contains the plan and its state."""
        return str(self.layout.system / PLAN)


def rehearse(
    arguments: argparse.Namespace, inputs: Inputs, sides: Sides, usage: Usage, spec: tuple[str, ...]
) -> tuple[Diagnostic, ...]:
    """Rehearse the move between two valid sides. Returns errors if a program is missing or the rehearsal fails."""
    if programs := missing_programs():
        return (tell.cannot_rehearse(programs),)
    language = any(has_language_model(side.outcome.system) for side in (sides.old, sides.live))
    python, unfit = python_for(arguments.python, language=language)
    if unfit is not None:
        return (unfit,)
    folder = Path(os.path.abspath(inputs.spec.path)).parent / STATE / f"{sides.live.name}{ENDING}"
    if any(mark in str(folder) for mark in _UNFIT):
        return (path_refused(str(folder), f"a rehearsal needs a path without {', '.join(_UNFIT)}"),)
    try:
        with _like_ctrl_c(signal.SIGTERM, signal.SIGHUP):
            problems, report = _rehearsed(arguments, inputs, python, folder, planned(sides, spec, PLAN, TARGETS, usage))
    except (Unreadable, Unwritable) as problem:
        return problem.problems
    except OSError as problem:
        if problem.errno not in _UNWRITABLE:
            raise
        return (cannot_write(str(problem.filename or folder), problem, is_output=False),)
    if not problems:
        as_json = arguments.format == "json"
        text = json_text(report_data(sides, report)) if as_json else "\n".join(report_lines(sides, report))
        sys.stdout.write(text + "\n")
    return problems


def _rehearsed(
    arguments: argparse.Namespace, inputs: Inputs, python: str, folder: Path, planned: tuple[Migration, Move]
) -> tuple[tuple[Diagnostic, ...], Mapping[str, Any]]:
    """Rehearse a plan in a folder. Returns any errors, and a report on the completed steps."""
    plan, move = planned
    spec = digest_of(inputs)
    _make(folder)
    with (folder / _LOCK).open("w") as lock:
        if not _locked(lock):
            return (tell.rehearsed_already(str(folder)),), {}
        code = Path(os.path.abspath(inputs.spec.path)).parent
        data = data_of(plan.sides, spec, plan.judgement, plan.phases, inputs.variables)
        _start_over(folder, made_from(code, json_text(data), *(phase.overlay for phase in plan.phases)))
        try:
            compiled = dict(copies(folder, plan.sides, arguments.color))
        except Failed as problem:
            return (tell.rehearsal_failed(plan.phases[0].name, str(problem)),), {}
        prepared = _Prepared(Layout(folder, move, compiled, code, python), plan, move, spec)
        prepared.layout.prepare()
        problems = written(prepared.plan_folder, plan, move, data, spec) or _seeded(prepared.layout, lock)
        problems = problems or _carried(prepared, lock)
        return problems, _report(prepared)


@contextmanager
def _like_ctrl_c(*numbers: signal.Signals) -> Generator[None]:
    """Make these signals interrupt the process like Ctrl-C, so that child processes are stopped properly."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    heeded = [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]  # nohup ignores one
    before = {number: signal.signal(number, interrupt) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _make(folder: Path) -> None:
    """Create a rehearsal's working directory, ignored by git and readable only by its owner."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_text(folder / ".gitignore", "*\n")


def _locked(lock: IO[str]) -> bool:
    """Acquire a rehearsal's lock. After a killed rehearsal, a leftover command may still hold it until it ends."""
    deadline, is_first = time.monotonic() + _PATIENCE_S, True
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            if is_first:
                say(f"{Path(lock.name).parent}: waiting for an earlier rehearsal, which is still running or ending")
            is_first = False
            time.sleep(0.2)
        else:
            return True


def _start_over(folder: Path, made_from: str) -> None:
    """Remove an earlier rehearsal that is complete or was created from different inputs.

    The marker is replaced first and written last, so that an interrupted removal is repeated.
    """
    mark = folder / _MADE_FROM
    state, _ = read_plan(str(folder / "system" / PLAN))
    before = mark.read_text(encoding="utf-8") if mark.exists() else ""
    if before == made_from and (state is None or state.next):
        if state is not None:
            say(f"{folder}: continuing with {state.next}")
        return
    if before or state is not None:
        reason = "the last rehearsal is complete" if before == made_from else _CHANGED
        say(f"{folder}: starting over, because {reason}")
        write_text(mark, _REMOVING)
        for entry in folder.iterdir():
            if entry.name not in {_LOCK, _MADE_FROM}:
                _remove(entry)
    write_text(mark, made_from)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()


def copies(folder: Path, sides: Sides, colour: str) -> Iterator[tuple[str, Path]]:
    """Compile a copy of each side for this machine. If a side compiles, so does its copy."""
    for which, side in (("old", sides.old), ("new", sides.live)):
        document = side.outcome.document
        assert document is not None
        state = folder / which if which == "old" else None  # the commands copy its objects to the new side
        compiled = compiled_copy(side.inputs, document, folder / "copies" / which, colour, state)
        if compiled is None:
            raise Failed(f"the copy of the {which} side cannot be compiled or written, as reported above")
        yield which, compiled


def _seeded(layout: Layout, lock: IO[str]) -> tuple[Diagnostic, ...]:
    """Run the old side once to create data, versions and predictions, unless this has already been done."""
    if (layout.folder / _SEEDED).exists():
        return ()
    log = layout.state("old") / "seed.log"
    say(f"the old side runs once, with generated data where files are missing; its log is {log}")
    words = ["local", str(layout.compiled["old"]), "--state", str(layout.state("old")), "--code", str(layout.code)]
    command = [layout.python, "-m", "modelyard_runtime", *words, "--once", "--sample"]
    if run_tied(command, runtime_environment(layout.compiled["old"], layout.code), log, lock.fileno()):
        return (tell.old_side_fails(str(log)),)
    (layout.folder / _SEEDED).touch()
    return ()


def _carried(prepared: _Prepared, lock: IO[str]) -> tuple[Diagnostic, ...]:
    """Carry out the remaining phases of a plan.

    Before retiring the old side, move back to it and forward again once.
    """
    sides = prepared.plan.sides
    name = _state(prepared).next
    try:
        with Rehearsal(prepared.layout, prepared.plan, schedules(sides), lock.fileno()) as rehearsal:
            while name := _state(prepared).next:
                if name == _LAST and not _report(prepared).get("takenBack"):
                    _go_back(prepared, rehearsal)
                else:
                    _advance(prepared, rehearsal, _phase(prepared, name))
    except (Failed, DoesNotStart) as problem:
        return (tell.rehearsal_failed(name, str(problem)),)
    except KeyboardInterrupt:
        say(f"interrupted; run the same command to continue with {_state(prepared).next}")
        raise
    return ()


def schedules(sides: Sides) -> Mapping[str, Mapping[str, bool]]:
    """Return the old side's active schedules, and the new side's schedules when idle and when live."""
    return {
        "old": {name: off for name, off in jobs_of(sides.old, TARGETS).items() if not off},
        "idle": jobs_of(sides.idle, TARGETS),
        "live": jobs_of(sides.live, TARGETS),
    }


def _advance(prepared: _Prepared, rehearsal: Rehearsal, phase: Phase) -> None:
    """Carry out a phase, and record it as done."""
    say(f"{phase.name} begins")
    sent_before = rehearsal.sent
    outcome = rehearsal.run_phase(phase)
    say(phase_line(outcome))
    phases = {**_report(prepared).get("phases", {}), phase.name: outcome.data()}
    _keep_report(prepared, rehearsal.sent - sent_before, phases=phases, kinds=rehearsal.kinds)
    state = _state(prepared)
    _keep(prepared, replace(state, done=(*state.done, phase.name)))


def _go_back(prepared: _Prepared, rehearsal: Rehearsal) -> None:
    """Roll back to the old side, as after a problem, and mark the phases to repeat as not done."""
    say(f"rolling back with the undo steps of {_TAKEN_BACK}")
    sent_before = rehearsal.sent
    rehearsal.take_back(_phase(prepared, _TAKEN_BACK))
    say(f"the old side serves all requests again; continuing with {_AGAIN_FROM}")
    state = _state(prepared)
    _keep(prepared, replace(state, done=state.phases[: state.phases.index(_AGAIN_FROM)]))
    _keep_report(prepared, rehearsal.sent - sent_before, takenBack=True)


def _keep_report(prepared: _Prepared, requests: int, **changed: object) -> None:
    report = _report(prepared)
    content = {**report, "requests": report.get("requests", 0) + requests, **changed}
    write_json(prepared.layout.folder / _REPORT, content)


def _phase(prepared: _Prepared, name: str) -> Phase:
    return next(phase for phase in prepared.plan.phases if phase.name == name)


def _state(prepared: _Prepared) -> State:
    state, problems = read_plan(prepared.plan_folder)
    if state is None:
        raise Failed(problems[0].message)
    return state


def _keep(prepared: _Prepared, state: State) -> None:
    if problems := changed_state(prepared.plan_folder, state):
        raise Failed(problems[0].message)


def _report(prepared: _Prepared) -> Mapping[str, Any]:
    report: Mapping[str, Any] = read_json(prepared.layout.folder / _REPORT)
    return report
