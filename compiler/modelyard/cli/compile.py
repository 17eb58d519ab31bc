"""`modelyard compile`: from the spec on disk to the projects on disk, and nothing written when nothing changed."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import modelyard_schemas
from modelyard import __version__
from modelyard.cli.console import Progress, report, say
from modelyard.cli.inputs import environment_names, gather
from modelyard.diagnostics import Diagnostic, has_errors
from modelyard.diagnostics import files as tell
from modelyard.disk import OutputFile, Report, Tree, unchanged, write_file_atomically, write_trees
from modelyard.inputs import Inputs
from modelyard.lock import LOCK_NAME, Locked, digest, lock_text, resources_locked, targets_locked

if TYPE_CHECKING:
    from modelyard.plan import Plan
    from modelyard.stack import Stack
    from modelyard.target import Targets


def run(arguments: argparse.Namespace) -> int:
    """Compile one environment; 1 when the spec is wrong or the folder cannot be written: then nothing is changed."""
    inputs, problems = gather(arguments)
    if arguments.out == "":  # it would be the working directory
        inputs, problems = None, (*problems, tell.no_folder())
    if inputs is None:
        report(problems, (), arguments.format, arguments.color)
        return 1
    beside = Path(inputs.spec.path).parent
    out = Path(arguments.out) if arguments.out is not None else beside / "build"
    environment = inputs.environment or "default"
    key = _key(inputs)
    targets = targets_locked(_lock(beside), environment, key)
    if targets and all(unchanged(out, environment, target, key) for target in targets):
        return _nothing_to_do(arguments, out / environment)
    return _compile(arguments, inputs, out, key)


def _key(inputs: Inputs) -> str:
    """A hash of all that decides what comes out: files, variables, this version and its schema."""
    overlay = b"" if inputs.overlay is None else _bytes(inputs.overlay.content)
    variables = (text for pair in sorted(inputs.variables.items()) for text in pair)
    names = (inputs.environment or "", __version__, modelyard_schemas.text("system"))
    return digest(_bytes(inputs.spec.content), overlay, *names, *variables)


def _bytes(content: str | bytes) -> bytes:
    return content if isinstance(content, bytes) else content.encode()


def _lock(beside: Path) -> bytes:
    try:
        return (beside / LOCK_NAME).read_bytes()
    except OSError:
        return b""


def _nothing_to_do(arguments: argparse.Namespace, folder: Path) -> int:
    if arguments.format == "text":
        say(f"{folder}: nothing has changed")
    else:
        report((), (), arguments.format, arguments.color)
    return 0


def _compile(arguments: argparse.Namespace, inputs: Inputs, out: Path, key: str) -> int:
    # The rooms and the targets are imported here: an unchanged compile needs none of them.
    from modelyard.emit import stack_files
    from modelyard.lasting import check_gone
    from modelyard.pipeline import compile_system, opened
    from modelyard_targets import TARGETS

    outcome = compile_system(inputs, TARGETS)
    if outcome.plan is None or outcome.failed:
        report(outcome.diagnostics, inputs.files(), arguments.format, arguments.color)
        spec = opened(inputs).document if inputs.environment is None else None
        names = environment_names(inputs, spec) if spec is not None else []
        if names and arguments.format == "text":
            say(f"this is the base alone; environments, for --env: {', '.join(names)}")
        return 1
    environment = inputs.environment or "default"
    beside = Path(inputs.spec.path).parent
    planned = outcome.plan
    outcome = outcome.after(tuple(check_gone(planned, resources_locked(_lock(beside), environment))))
    with Progress("files") as progress:
        trees = [
            Tree(environment, stack.target, _counted(stack_files(stack), progress), key) for stack in outcome.stacks
        ]
        written, problems = write_trees(out, trees, force=arguments.force)
    if not has_errors(problems):
        problems += _write_lock(beside, environment, _locked(key, planned, TARGETS))
    report((*outcome.diagnostics, *problems), inputs.files(), arguments.format, arguments.color)
    if has_errors(problems):
        return 1
    if arguments.format == "text":
        _tell(out / environment, planned, outcome.stacks, written)
    return 0


def _counted(files: Iterator[OutputFile], progress: Progress) -> Iterator[OutputFile]:
    for file in files:
        yield file
        progress.step()


def _locked(key: str, plan: Plan, targets: Targets) -> Locked:
    from modelyard.lasting import lasting

    pins = {target.name: targets[target.provider].pins(plan, target.name) for target in plan.system.deployment.targets}
    charts = {name: version for one in pins.values() for name, version in one.charts.items()}
    images = {name: tag for one in pins.values() for name, tag in one.images.items()}
    return Locked(key, tuple(pins), charts, images, lasting(plan))


def _write_lock(beside: Path, environment: str, locked: Locked) -> tuple[Diagnostic, ...]:
    text = lock_text(_lock(beside), environment, locked, modelyard_schemas.text("system"))
    return write_file_atomically(beside / LOCK_NAME, text.encode())


def _tell(folder: Path, plan: Plan, stacks: tuple[Stack, ...], written: tuple[Report, ...]) -> None:
    for stack, one in zip(stacks, written, strict=True):
        say(f"{folder / stack.target}: {one.total} files, {one.written} written, {one.removed} removed")
    made = [stack for stack in stacks if stack.projects]  # not where all that a target holds was adopted
    if not made:
        return
    calling = {link.ends[0] for link in plan.crossings()}  # whoever calls another target comes after it
    first = next((stack for stack in made if stack.target not in calling), made[0])
    project = folder.joinpath(first.target, *(one.folder for one in first.projects[:1]))
    say(f"next: read {folder / first.target / 'README.md'}, then `pulumi up` in {project}")
