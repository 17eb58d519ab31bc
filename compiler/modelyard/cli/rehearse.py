"""`modelyard migrate --rehearse`: carry a move out on this machine, phase by phase, and go on after an interruption."""

from __future__ import annotations

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

from modelyard.cli.console import say
from modelyard.cli.migrate_files import changed_state, read_plan, written
from modelyard.cli.remembered import STATE
from modelyard.cli.run import python_for
from modelyard.cli.sampling import compiled_copy
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics import migrating as tell
from modelyard.inputs import Inputs
from modelyard.migration.planning import jobs_of, planned
from modelyard.migration.records import Migration, Move, Phase
from modelyard.migration.sides import Sides
from modelyard.migration.state import State, digest_of
from modelyard.printing.migration_json import data_of
from modelyard.printing.rehearsal import phase_line, report_data, report_lines
from modelyard.records import record, replace
from modelyard.rehearsal.layout import PLAN, Layout, missing_programs, read_json, write_json
from modelyard.rehearsal.rehearsal import Rehearsal
from modelyard.rehearsal.running import DoesNotStart, runtime_environment
from modelyard.rehearsal.steps import Failed
from modelyard.usage import Usage
from modelyard.writers.json_text import json_text
from modelyard_targets import TARGETS

ENDING: Final = ".rehearsal"
"""What follows the new environment's name in the folder of a rehearsal. No environment's name contains a dot."""

_REPORT: Final = "rehearsed.json"
_SEEDED: Final = "seeded"
_LOCK: Final = "run.lock"
_PATIENCE_S: Final = 30.0
_LAST: Final = "11-retire"
_AGAIN_FROM: Final = "8-freeze"
_TAKEN_BACK: Final = "9-cut-over"


@record
class _Prepared:
    """A plan, and the folder in which it is rehearsed."""

    layout: Layout
    plan: Migration
    move: Move
    digest: str

    @property
    def plan_folder(self) -> str:
        """Return the folder of the plan, with its state."""
        return str(self.layout.system / PLAN)


def rehearse(
    arguments: argparse.Namespace, inputs: Inputs, sides: Sides, usage: Usage, spec: tuple[str, ...]
) -> tuple[Diagnostic, ...]:
    """Rehearse the move between two sides that compile. Returns what is missing on this machine, or what failed."""
    if programs := missing_programs():
        return (tell.cannot_rehearse(programs),)
    python, unfit = python_for(arguments.python)
    if unfit is not None:
        return (unfit,)
    folder = _folder(inputs, sides.live.name)
    with (folder / _LOCK).open("w") as lock:
        if not _locked(lock):
            return (tell.rehearsed_already(str(folder)),)
        plan, move = planned(sides, spec, PLAN, TARGETS, usage)
        _start_over(folder, sides, plan, digest_of(inputs))
        compiled = dict(copies(folder, sides, arguments.color))
        code = Path(os.path.abspath(inputs.spec.path)).parent
        layout = Layout(folder, move, compiled, code, python)
        prepared = _Prepared(layout, plan, move, digest_of(inputs))
        layout.prepare()
        data = data_of(sides, prepared.digest, plan.judgement, plan.phases, inputs.variables)
        problems = written(prepared.plan_folder, plan, move, data, prepared.digest) or _seeded(layout, lock)
        return problems or _carried(prepared, lock, arguments.format)


def _folder(inputs: Inputs, name: str) -> Path:
    """Return the folder of a rehearsal, which git ignores and only its owner reads."""
    folder = Path(os.path.abspath(inputs.spec.path)).parent / STATE / f"{name}{ENDING}"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    return folder


def _locked(lock: IO[str]) -> bool:
    """Take the lock of a rehearsal. A command that a killed one has left holds it until it ends."""
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.2)
        else:
            return True


def _start_over(folder: Path, sides: Sides, plan: Migration, digest: str) -> None:
    """Remove an earlier rehearsal that is complete, or that is about another spec or plan."""
    state, _ = read_plan(str(folder / "system" / PLAN))
    if state is None:
        return
    same = (state.old, state.new, state.spec) == (sides.old.name, sides.live.name, digest)
    if same and state.phases == tuple(phase.name for phase in plan.phases) and state.next:
        say(f"{folder}: continuing with {state.next}")
        return
    say(f"{folder}: starting over, because " + ("the last rehearsal is complete" if same else "the spec has changed"))
    for entry in folder.iterdir():
        if entry.name == _LOCK:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def copies(folder: Path, sides: Sides, colour: str) -> Iterator[tuple[str, Path]]:
    """Compile a copy of each side for this machine. A side that compiles has a copy that compiles."""
    for which, side in (("old", sides.old), ("new", sides.live)):
        document = side.outcome.document
        assert document is not None
        compiled = compiled_copy(side.inputs, document, folder / "copies" / which, colour)
        assert compiled is not None
        yield which, compiled


def _seeded(layout: Layout, lock: IO[str]) -> tuple[Diagnostic, ...]:
    """Run the old side once, which leaves data, versions and predictions, unless that has been done."""
    if (layout.folder / _SEEDED).exists():
        return ()
    log = layout.state("old") / "seed.log"
    say(f"the old side runs once, with generated data where files are missing; its log is {log}")
    words = ["local", str(layout.compiled["old"]), "--state", str(layout.state("old")), "--code", str(layout.code)]
    with log.open("ab") as stream:
        process = subprocess.Popen(
            [layout.python, "-m", "modelyard_runtime", *words, "--once", "--sample"],
            env=runtime_environment(layout.compiled["old"], layout.code),
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=stream,
            start_new_session=True,
            pass_fds=(lock.fileno(),),
        )
        try:
            code = process.wait()
        except BaseException:
            process.terminate()  # it ends everything that it has started
            process.wait()
            raise
    if code:
        return (tell.old_side_fails(str(log)),)
    (layout.folder / _SEEDED).touch()
    return ()


def _carried(prepared: _Prepared, lock: IO[str], form: str) -> tuple[Diagnostic, ...]:
    """Carry out what is left of a plan, and go back and forth once before the old side ends."""
    sides = prepared.plan.sides
    name = "1-build"
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
    report = _report(prepared)
    if form == "json":
        sys.stdout.write(json_text(report_data(sides, report)) + "\n")
    else:
        sys.stdout.write("\n".join(report_lines(sides, report)) + "\n")
    return ()


def schedules(sides: Sides) -> Mapping[str, Mapping[str, bool]]:
    """Return the schedules of the old side that run, and those of the new one while it is idle and live."""
    return {
        "old": {name: off for name, off in jobs_of(sides.old, TARGETS).items() if not off},
        "idle": jobs_of(sides.idle, TARGETS),
        "live": jobs_of(sides.live, TARGETS),
    }


def _advance(prepared: _Prepared, rehearsal: Rehearsal, phase: Phase) -> None:
    """Carry out a phase, and record it."""
    say(f"{phase.name} begins")
    sent = rehearsal.sent
    done = rehearsal.carry(phase)
    say(phase_line(done))
    phases = {**_report(prepared).get("phases", {}), phase.name: done.data()}
    _keep_report(prepared, rehearsal.sent - sent, phases=phases, kinds=rehearsal.kinds)
    state = _state(prepared)
    _keep(prepared, replace(state, done=(*state.done, phase.name)))


def _go_back(prepared: _Prepared, rehearsal: Rehearsal) -> None:
    """Let the old side take over again, as after a problem, and count what has to be done again as not done."""
    say(f"rolling back with the undo steps of {_TAKEN_BACK}")
    sent = rehearsal.sent
    rehearsal.take_back(_phase(prepared, _TAKEN_BACK))
    say(f"the old side serves all requests again; continuing with {_AGAIN_FROM}")
    state = _state(prepared)
    _keep(prepared, replace(state, done=state.phases[: state.phases.index(_AGAIN_FROM)]))
    _keep_report(prepared, rehearsal.sent - sent, takenBack=True)


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
