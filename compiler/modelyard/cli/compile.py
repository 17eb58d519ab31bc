"""`modelyard compile`: from the spec on disk to the projects on disk, and nothing written when nothing changed."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from modelyard import __version__
from modelyard.cli.console import Progress, report, say
from modelyard.cli.inputs import gather
from modelyard.disk import Report, Tree, unchanged, write_file_atomically, write_trees
from modelyard.lock import LOCK_NAME, Locked, digest, lock_text, targets_locked
from modelyard.pipeline import Inputs, Outcome, compile_system
from modelyard.stack import Stack


def run(arguments: argparse.Namespace) -> int:
    """Compile one environment; 1 when the spec is wrong or the folder cannot be written, and then nothing is changed."""
    inputs, problems = gather(arguments)
    if inputs is None:
        report(problems, (), arguments.format, arguments.color)
        return 1
    spec = Path(inputs.spec.path)
    out = Path(arguments.out) if arguments.out is not None else spec.parent / "build"
    environment = inputs.environment or "default"
    key, lock = _key(inputs), _lock(spec)
    if _nothing_to_do(out, environment, key, lock):
        if arguments.format == "text":
            say(f"{_shown(out, environment)}: nothing has changed")
        return 0
    return _compile(arguments, inputs, out, environment, key)


def _compile(arguments: argparse.Namespace, inputs: Inputs, out: Path, environment: str, key: str) -> int:
    from modelyard_targets import TARGETS  # noqa: PLC0415 - an unchanged compile needs no target

    outcome = compile_system(inputs, TARGETS)
    if outcome.failed:
        report(outcome.diagnostics, inputs.files(), arguments.format, arguments.color)
        return 1
    with Progress("writing") as progress:
        trees = [Tree(environment, stack.target, _counted(stack, progress), key) for stack in outcome.stacks]
        written, problems = write_trees(out, trees, force=arguments.force)
    report((*outcome.diagnostics, *problems), inputs.files(), arguments.format, arguments.color)
    if problems:
        return 1
    _write_lock(Path(inputs.spec.path), environment, key, outcome)
    if arguments.format == "text":
        _tell(out, environment, outcome.stacks, written)
    return 0
