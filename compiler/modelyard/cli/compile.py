"""`modelyard compile`: compile a spec on disk into project folders. Writes nothing if nothing has changed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import modelyard_schemas
from modelyard.cli.console import Progress, report, say, say_waiting
from modelyard.cli.inputs import environment_names, gather
from modelyard.cli.locking import input_key, lock_path, lock_problems, locked, read_lock, text_key
from modelyard.cli.remembered import recalled, remember
from modelyard.diagnostics import Diagnostic, has_errors
from modelyard.diagnostics import files as tell
from modelyard.disk import OutputFile, Report, Tree, unchanged, write_file_atomically, write_trees
from modelyard.inputs import Inputs
from modelyard.lock import Addresses, Locked, joined, left_behind, lock_text, targets_locked
from modelyard.stages import Outcome, Stage

if TYPE_CHECKING:
    from modelyard.plan import Plan
    from modelyard.stack import Stack


def run(arguments: argparse.Namespace) -> int:
    """Compile one environment. Returns 1 without changes if the spec is invalid or the folder isn't writable."""
    compares = arguments.against is not None or arguments.approved is not None
    inputs, problems = gather(arguments, every=compares)
    if arguments.out == "":  # an empty path would mean the working directory
        inputs, problems = None, (*problems, tell.no_folder())
    if inputs is None or problems:
        report(problems, (), arguments.format, arguments.color)
        return 1
    out = output_folder(arguments.out, inputs)
    if problems := lock_problems(inputs, whole=False):
        report(problems, (), arguments.format, arguments.color)
        return 1
    old: Addresses = {}
    if compares:
        from modelyard.cli.approved import compared_with_old

        old, problems = compared_with_old(arguments, inputs)
        if problems:
            report(problems, inputs.files(), arguments.format, arguments.color)
            return 1
    if not (arguments.force or arguments.forget_removed or compares) and (targets := _unchanged_targets(inputs, out)):
        return _nothing_to_do(arguments, inputs, out, targets)
    return _compile(arguments, inputs, out, old)


def output_folder(typed: str | None, inputs: Inputs) -> Path:
    """Return the output folder of a spec: `--out`, or `build` next to the spec."""
    return Path(typed) if typed is not None else Path(inputs.spec.path).parent / "build"


def _unchanged_targets(inputs: Inputs, out: Path) -> tuple[str, ...]:
    """Return the targets if both lock and output match these inputs, or an empty tuple if anything differs.

    Neither the lock nor the output is tamper-proof; `modelyard verify` detects manipulation.
    """
    values = recalled(inputs, text_key(inputs))
    targets, sealed = targets_locked(read_lock(inputs), inputs.folder, values) if values else ((), "")
    all_unchanged = all(unchanged(out, inputs.folder, target, sealed) for target in targets)
    return tuple(targets) if all_unchanged else ()


def _nothing_to_do(arguments: argparse.Namespace, inputs: Inputs, out: Path, targets: tuple[str, ...]) -> int:
    if arguments.format == "text":
        say(f"{out / inputs.folder}: nothing has changed")
    elif arguments.format == "json":
        _print_json((), inputs, out, dict.fromkeys(targets))
    else:
        report((), (), arguments.format, arguments.color)
    return 0


def _print_json(
    diagnostics: tuple[Diagnostic, ...], inputs: Inputs, out: Path, reports: Mapping[str, Report | None]
) -> None:
    from modelyard.cli.compiled import compiled_json

    sys.stdout.write(compiled_json(diagnostics, Path(lock_path(inputs)), out / inputs.folder, reports))


def _compile(arguments: argparse.Namespace, inputs: Inputs, out: Path, old: Addresses) -> int:
    outcome, before = _checked(arguments, inputs, old)
    if outcome.plan is None or outcome.failed:
        return 1
    return _write(arguments, inputs, out, outcome, outcome.plan, before)


def _checked(arguments: argparse.Namespace, inputs: Inputs, old: Addresses) -> tuple[Outcome, Addresses]:
    """Compile the stacks and print any errors. The result includes resources left over from earlier compiles.

    Warnings also cover resources that existed in the old version but not in the new one, even if the lock doesn't list
    them.
    """
    # Imported here because an unchanged compile needs neither stages nor targets.
    from modelyard.neighbours import check_compiled
    from modelyard.persistent import check_gone
    from modelyard.pipeline import compile_system, opened
    from modelyard_targets import TARGETS

    outcome = compile_system(inputs, TARGETS)
    plan = outcome.plan
    if plan is None or outcome.failed:
        _report_stopped(arguments, inputs, outcome)
        return outcome, {}
    outcome = outcome.after(Stage.FIT, lock_problems(inputs))
    before: Addresses = {}
    if not outcome.failed:
        before = left_behind(read_lock(inputs), inputs.folder, with_removed=not arguments.forget_removed)
        outcome = outcome.after(Stage.FIT, check_gone(plan, joined(before, old)))
        if inputs.environment is not None:
            opened_spec = opened(inputs)
            environments = environment_names(inputs, opened_spec.document)
            outcome = outcome.after(Stage.FIT, check_compiled(inputs, plan, opened_spec, environments, TARGETS))
    if outcome.failed:
        report(outcome.diagnostics, inputs.files(), arguments.format, arguments.color)
    return outcome, before


def _report_stopped(arguments: argparse.Namespace, inputs: Inputs, outcome: Outcome) -> None:
    from modelyard.pipeline import opened

    report(outcome.diagnostics, inputs.files(), arguments.format, arguments.color)
    if arguments.format != "text":
        return
    say_waiting(outcome.waiting, outcome.aside)
    spec = opened(inputs).document if inputs.environment is None else None
    names = environment_names(inputs, spec) if spec is not None else []
    if names:
        say(f"this is the base alone; use --env for the environments: {', '.join(names)}")


def _write(
    arguments: argparse.Namespace, inputs: Inputs, out: Path, outcome: Outcome, plan: Plan, before: Addresses
) -> int:
    """Write all projects, then the lock, and print a report."""
    from modelyard.emit import stack_files
    from modelyard_targets import TARGETS

    values = input_key(inputs, plan.system)
    entry = locked(values, plan, TARGETS, before)
    with Progress("files") as progress:
        trees = [
            Tree(inputs.folder, stack.target, _counted(stack_files(stack), progress), entry.sealed())
            for stack in outcome.stacks
        ]
        tree_reports, problems = write_trees(out, trees, force=arguments.force)
    if not has_errors(problems):
        problems += _write_lock(inputs, entry)
        remember(inputs, text_key(inputs), values)
    diagnostics = (*outcome.diagnostics, *problems)
    if arguments.format == "json" and not has_errors(problems):
        reports = {stack.target: tree_report for stack, tree_report in zip(outcome.stacks, tree_reports, strict=True)}
        _print_json(diagnostics, inputs, out, reports)
        return 0
    report(diagnostics, inputs.files(), arguments.format, arguments.color)
    if has_errors(problems):
        return 1
    if arguments.format == "text":
        _print_summary(out / inputs.folder, plan, outcome.stacks, tree_reports)
        here = any(TARGETS[target.provider].runs_here for target in plan.system.deployment.targets)
        if here and arguments.command != "run":
            say(f"next: modelyard run {arguments.spec}{f' --env {inputs.environment}' if inputs.environment else ''}")
    return 0


def _counted(files: Iterator[OutputFile], progress: Progress) -> Iterator[OutputFile]:
    for file in files:
        yield file
        progress.step()


def _write_lock(inputs: Inputs, entry: Locked) -> tuple[Diagnostic, ...]:
    text = lock_text(read_lock(inputs), inputs.folder, entry, modelyard_schemas.decisive())
    return write_file_atomically(Path(lock_path(inputs)), text.encode())


def _print_summary(folder: Path, plan: Plan, stacks: tuple[Stack, ...], reports: tuple[Report, ...]) -> None:
    for stack, item in zip(stacks, reports, strict=True):
        say(f"{folder / stack.target}: {item.total} files, {len(item.written)} written, {len(item.removed)} removed")
    with_projects = [stack for stack in stacks if stack.projects]  # none if all resources are adopted
    if not with_projects:
        return
    calling = {link.ends[0] for link in plan.crossings()}  # the called target is applied first
    first = next((stack for stack in with_projects if stack.target not in calling), with_projects[0])
    project = folder.joinpath(first.target, *(item.folder for item in first.projects[:1]))
    say(f"next: read {folder / first.target / 'README.md'}, then `pulumi up` in {project}")
