"""`modelyard verify`: whether the projects on disk and the lock are what the spec compiles to."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from modelyard.cli.compile import output_folder
from modelyard.cli.console import report, say
from modelyard.cli.inputs import environment_names, gather
from modelyard.cli.locking import input_key, lock_path, locked, read_lock
from modelyard.diagnostics import Diagnostic, has_errors
from modelyard.diagnostics.verify import lock_differs, nothing_compiled, unexpected
from modelyard.disk import differences
from modelyard.emit import stack_files
from modelyard.inputs import BASE_FOLDER, Inputs
from modelyard.lock import Addresses, Locked, environments, first_difference, left_behind, wrong_pins
from modelyard.pipeline import compile_system, opened
from modelyard.records import replace
from modelyard_targets import TARGETS


def run(arguments: argparse.Namespace) -> int:
    """Compare every environment that was compiled, or the one that is named; 1 when anything differs."""
    inputs, problems = gather(arguments)
    if inputs is None:
        report(problems, (), arguments.format, arguments.color)
        return 1
    out = output_folder(arguments.out, inputs)
    names = [inputs.folder] if inputs.environment is not None else _compiled(inputs, out)
    known = environment_names(inputs, opened(inputs).document)
    found = [_verified(_in_environment(inputs, name, known), out) for name in names]
    problems = tuple(problem for problems in found for problem in problems)
    problems = problems if names else (nothing_compiled(str(out)),)
    report(problems, inputs.files(), arguments.format, arguments.color)
    if has_errors(problems):
        return 1
    if arguments.format == "text":
        say(f"{out}: verified {', '.join(names)}")
    return 0


def _compiled(inputs: Inputs, out: Path) -> list[str]:
    """The environments that the lock or the output folder has."""
    folders = [entry.name for entry in os.scandir(out) if not entry.name.startswith(".")] if out.is_dir() else []
    return sorted({*environments(read_lock(inputs)), *folders})


def _in_environment(inputs: Inputs, name: str, known: Sequence[str]) -> Inputs:
    environment = None if name == BASE_FOLDER and name not in known else name
    return replace(inputs, environment=environment, overlay=inputs.beside.get(name))


def _verified(inputs: Inputs, out: Path) -> tuple[Diagnostic, ...]:
    outcome = compile_system(inputs, TARGETS)
    if outcome.plan is None or outcome.failed:
        return outcome.diagnostics
    folder = out / inputs.folder
    expected = {stack.target for stack in outcome.stacks}
    there = sorted(entry.name for entry in os.scandir(folder)) if folder.is_dir() else []
    return (
        *_lock_problems(inputs, locked(input_key(inputs), outcome.plan, TARGETS, _before(inputs))),
        *(
            problem
            for stack in outcome.stacks
            for problem in differences(str(folder / stack.target), stack_files(stack))
        ),
        *(unexpected(str(folder / name)) for name in there if name not in expected),
    )


def _before(inputs: Inputs) -> Addresses:
    return left_behind(read_lock(inputs), inputs.folder)


def _lock_problems(inputs: Inputs, entry: Locked) -> Iterator[Diagnostic]:
    text, path = read_lock(inputs), str(lock_path(inputs))
    pins = list(wrong_pins(text, path, inputs.folder, entry))
    difference = "" if pins else first_difference(text, inputs.folder, entry)
    yield from pins
    if difference:
        yield lock_differs(path, inputs.folder, difference)
