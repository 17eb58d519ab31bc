"""`modelyard verify`: check that the projects on disk and the lock match the spec."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import modelyard_schemas
from modelyard.cli.compile import output_folder
from modelyard.cli.console import report, say
from modelyard.cli.inputs import environment_names, gather
from modelyard.cli.locking import input_key, lock_path, lock_problems, locked, read_lock
from modelyard.diagnostics import Diagnostic, has_errors
from modelyard.diagnostics.verify import lock_differs, nothing_compiled, unexpected
from modelyard.disk import differences, first_line_that_differs
from modelyard.emit import stack_files
from modelyard.inputs import BASE_FOLDER, Inputs
from modelyard.lock import Locked, entry_for, environments, first_difference, left_behind, lock_text, wrong_pins
from modelyard.pipeline import Outcome, compile_system, opened
from modelyard.records import replace
from modelyard_targets import TARGETS


def run(arguments: argparse.Namespace) -> int:
    """Verify the named environment or all compiled environments. Returns 1 if anything differs."""
    inputs, problems = gather(arguments)
    if inputs is None:
        report(problems, (), arguments.format, arguments.color)
        return 1
    out = output_folder(arguments.out, inputs)
    names = [inputs.folder] if inputs.environment is not None else _compiled(inputs, out)
    problems = lock_problems(inputs) or (_differences(inputs, names, out) if names else (nothing_compiled(str(out)),))
    report(problems, inputs.files(), arguments.format, arguments.color)
    if has_errors(problems):
        return 1
    if arguments.format == "text":
        say(f"{out}: verified {', '.join(names)}")
    return 0


def _differences(inputs: Inputs, names: Sequence[str], out: Path) -> tuple[Diagnostic, ...]:
    """Return all differences between disk and spec.

    Once all its entries are correct, the lock is also compared as a whole.
    """
    declared = environment_names(inputs, opened(inputs).document)
    problems: list[Diagnostic] = []
    lock = text = read_lock(inputs).decode("utf-8", "replace")
    for name in names:
        environment_inputs = _in_environment(inputs, name, declared)
        outcome = compile_system(environment_inputs, TARGETS)
        if outcome.plan is None or outcome.failed:
            problems += outcome.diagnostics
            continue
        entry = locked(
            input_key(environment_inputs, outcome.plan.system), outcome.plan, TARGETS, left_behind(text, name)
        )
        problems += (*_lock_problems(environment_inputs, entry), *_files(outcome, out / name))
        lock = lock_text(lock, name, entry, modelyard_schemas.decisive())
    if lock != text and not has_errors(problems):
        line = first_line_that_differs(text.encode(), lock.encode())
        problems.append(
            lock_differs(lock_path(inputs), ", ".join(names), f"line {line} differs from the compiled lock file")
        )
    return tuple(problems)


def _compiled(inputs: Inputs, out: Path) -> list[str]:
    """Return the environments that are in the lock or in the output folder."""
    folders = [entry.name for entry in os.scandir(out) if not entry.name.startswith(".")] if out.is_dir() else []
    return sorted({*environments(read_lock(inputs)), *folders})


def _in_environment(inputs: Inputs, name: str, declared: Sequence[str]) -> Inputs:
    environment = None if name == BASE_FOLDER and name not in declared else name
    return replace(inputs, environment=environment, overlay=inputs.beside.get(name))


def _files(outcome: Outcome, folder: Path) -> Iterator[Diagnostic]:
    """Yield the differences in an environment's folder."""
    expected = {stack.target for stack in outcome.stacks}
    for stack in outcome.stacks:
        yield from differences(str(folder / stack.target), stack_files(stack))
    present = sorted(entry.name for entry in os.scandir(folder)) if folder.is_dir() else []
    yield from (unexpected(str(folder / name)) for name in present if name not in expected)


def _lock_problems(inputs: Inputs, entry: Locked) -> Iterator[Diagnostic]:
    text, path = read_lock(inputs), lock_path(inputs)
    recorded = entry_for(environments(text), inputs.folder, entry.inputs)
    pins = list(wrong_pins(recorded, path, inputs.folder, entry.pins)) if recorded is not None else []
    difference = "" if pins else first_difference(text, inputs.folder, entry)
    yield from pins
    if difference:
        yield lock_differs(path, inputs.folder, difference)
