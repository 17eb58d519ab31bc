"""The folder of a migration plan: reads its state and writes its files without touching any others."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from modelyard.cli.inputs import spec_path
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics import migrating as tell
from modelyard.diagnostics.emit import cannot_write
from modelyard.disk import write_file_atomically
from modelyard.lock import digest
from modelyard.migration.access import RCLONE_FILE, rclone_file
from modelyard.migration.copying import COPY_FILE, pairs_of
from modelyard.migration.jobs import LOGINS_FILE, logins_text
from modelyard.migration.records import Migration, Move
from modelyard.migration.state import STATE_FILE, State, read_state, state_text
from modelyard.printing.migration import markdown
from modelyard.regular_files import read
from modelyard.stack import Value
from modelyard.writers.json_text import json_text

FOLDER: Final = "migration"


def folder_of(typed: str | None, spec: str) -> str:
    """Return the plan's folder: `--out`, or `migration` next to the spec."""
    return typed if typed else os.path.join(os.path.dirname(spec_path(spec)), FOLDER)


def read_plan(folder: str) -> tuple[State | None, tuple[Diagnostic, ...]]:
    """Return the state of the plan in a folder, or why there is none."""
    path = os.path.join(folder, STATE_FILE)
    try:
        state = read_state(read(path), path)
    except OSError as problem:
        return None, (tell.no_plan(folder, f"{STATE_FILE}: {problem.strerror or 'it cannot be read'}"),)
    if state is None:
        return None, (tell.no_plan(folder, f"{STATE_FILE} was not written by modelyard"),)
    return state, ()


def changed_state(folder: str, state: State) -> tuple[Diagnostic, ...]:
    """Write a new state into an existing plan."""
    return write_file_atomically(Path(folder, STATE_FILE), state_text(state).encode())


def written(folder: str, plan: Migration, move: Move, data: Mapping[str, Value], spec: str) -> tuple[Diagnostic, ...]:
    """Write a plan, or report which files are in the way. Regenerating a plan keeps its completed phases.

    The state is written first because it marks the folder as ours, so an interrupted run can be repeated.
    """
    files = {path: content.encode() for path, content in _files(plan, move, data)}
    before, problems = _earlier(folder, plan)
    problems = problems or tuple(_edited(folder, before, files))
    if problems:
        return problems
    hashes = {path: digest(content) for path, content in files.items()}
    phases = tuple(phase.name for phase in plan.phases)
    done = before.done if before is not None else ()
    old, new = move.side("old").name, move.side("new").name
    first = State(old, new, spec, phases, done, {**(before.files if before is not None else {}), **hashes})
    try:
        for path in (STATE_FILE, *files):
            Path(folder, path).parent.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        return (cannot_write(folder, problem),)
    return changed_state(folder, first) or tuple(_write(folder, files))


def _files(plan: Migration, move: Move, data: Mapping[str, Value]) -> Iterator[tuple[str, str]]:
    for phase in plan.phases:
        if phase.overlay:
            yield f"phases/{phase.name}/environment.yaml", phase.overlay
        for name, text in phase.files.items():
            yield f"phases/{phase.name}/{name}", text
    if logins := logins_text(move, pairs_of(move, "old", "new")):
        yield LOGINS_FILE, logins
    yield RCLONE_FILE, rclone_file(move)
    yield COPY_FILE, _script()
    yield "migration.md", markdown(plan)
    yield "migration.json", json_text(data) + "\n"


def _script() -> str:
    spec = find_spec("modelyard.migration.registry_copy")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).read_text(encoding="utf-8")


def _earlier(folder: str, plan: Migration) -> tuple[State | None, tuple[Diagnostic, ...]]:
    """Return the state of the same migration in this folder. Folders that contain other files are rejected."""
    if not os.path.lexists(folder):
        return None, ()
    try:
        if not os.listdir(folder):
            return None, ()
    except OSError as problem:
        return None, (tell.not_our_folder(folder, problem.strerror or "it cannot be read"),)
    state, problems = read_plan(folder)
    if problems:
        return None, (tell.not_our_folder(folder, "it is not empty, and modelyard migrate did not write it"),)
    assert state is not None
    names = plan.sides.old.name, plan.sides.live.name
    if (state.old, state.new) != names and state.done:
        return None, (tell.not_our_folder(folder, f"it contains a migration to {state.new} that is under way"),)
    return (state, ()) if (state.old, state.new) == names else (State(*names, "", (), (), state.files), ())


def _edited(folder: str, before: State | None, files: Mapping[str, bytes]) -> Iterator[Diagnostic]:
    """Report files that were edited since modelyard wrote them and would now be overwritten."""
    known: Mapping[str, str] = before.files if before is not None else {}
    for path, content in files.items():
        try:
            there = read(os.path.join(folder, path))
        except FileNotFoundError:
            continue
        except OSError as problem:
            yield tell.not_our_folder(os.path.join(folder, path), problem.strerror or "it cannot be read")
            continue
        if there != content and digest(there) != known.get(path):
            yield tell.not_our_folder(os.path.join(folder, path), "it was edited by hand")


def _write(folder: str, files: Mapping[str, bytes]) -> Iterator[Diagnostic]:
    for path, content in files.items():
        yield from write_file_atomically(Path(folder, path), content)
