"""`modelyard migrate`: plan the move of a running system, and record which phases are complete."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.cli.console import report, say
from modelyard.cli.cost import usage_files, usage_of
from modelyard.cli.inputs import SPEC_NAMES, environment_names, gather, other_file
from modelyard.cli.migrate_files import changed_state, folder_of, read_plan, written
from modelyard.diagnostics import Diagnostic, has_errors, quote
from modelyard.diagnostics import migrating as tell
from modelyard.inputs import InputFile, Inputs, quotable
from modelyard.load import load
from modelyard.migration.judging import Judgement, refusals_of, verdicts_of
from modelyard.migration.planning import planned
from modelyard.migration.sides import MoveRequest, Side, Sides, sides_of
from modelyard.migration.state import State, advanced, digest_of, status_lines
from modelyard.patterns import pattern
from modelyard.pipeline import compile_system, opened
from modelyard.portability import Destination, NoRegion, moving
from modelyard.printing.migration_json import data_of
from modelyard.printing.migration_refused import refused_text
from modelyard.source import Json, SourceFile
from modelyard.spec import System
from modelyard.usage import NO_USAGE, Usage
from modelyard.writers.json_text import json_text
from modelyard_targets import TARGETS

_PLANNING: Final = {"env": "--env", "source": "--from"} | {
    name: f"--{name}" for name in ("to", "name", "overlay", "usage")
}
_WITHOUT_EFFECT: Final[Mapping[str, Mapping[str, str]]] = {
    "status": _PLANNING,
    "done": _PLANNING,
    "rehearse": {"out": "--out"},
}
"""Options that have no effect in combination with another: a plan names its own environments, and a rehearsal its own
folder.
"""

_NAME = pattern(r"[a-z](?:[-a-z0-9]{0,38}[a-z0-9])?\Z")


class Refused(Exception):
    """Raised if the command cannot continue. The diagnostics explain why."""

    def __init__(self, *problems: Diagnostic, sources: tuple[SourceFile, ...] = ()) -> None:
        super().__init__(*(problem.message for problem in problems))
        self.problems, self.sources = problems, sources


def run(arguments: argparse.Namespace) -> int:
    """Write a plan or its state. Returns 1 if the new side doesn't compile or another file is in the way."""
    if misuse := next(_misused(arguments), ""):
        sys.stderr.write(f"modelyard migrate: error: {misuse}\n")
        return 1
    try:
        if arguments.status or arguments.done is not None:
            return _track(arguments)
        return _plan(arguments)
    except Refused as refused:
        report(refused.problems, refused.sources, "text", arguments.color)
        return 1


def _misused(arguments: argparse.Namespace) -> Iterator[str]:
    """Yield an error message, phrased like argparse's, for each option that would have no effect."""
    options = [name for name, value in vars(arguments).items() if value not in (None, False, [], {})]
    modes = [name for name in ("status", "done", "rehearse") if name in options]
    for mode in modes[1:]:
        yield f"argument --{mode}: not allowed with argument --{modes[0]}"
    for mode in modes:
        for name in options:
            if name in _WITHOUT_EFFECT[mode]:
                yield f"argument {_WITHOUT_EFFECT[mode][name]}: not allowed with argument --{mode}"
    if "python" in options and "rehearse" not in modes:
        yield "argument --python: only allowed with argument --rehearse"


def _track(arguments: argparse.Namespace) -> int:
    """Show the state of an existing plan, or advance it."""
    folder = folder_of(arguments.out, str(arguments.spec) or ".")
    state, problems = read_plan(folder)
    if state is None:
        raise Refused(*problems)
    old_arguments = argparse.Namespace(**{**vars(arguments), "env": None if state.old == "default" else state.old})
    inputs, problems = gather(old_arguments)
    if inputs is None:
        raise Refused(*problems)
    spec = digest_of(inputs)
    if arguments.done is not None:
        state, problems = advanced(state, str(arguments.done), spec, folder)
        problems = problems or changed_state(folder, state)
        if problems:
            raise Refused(*problems)
    _show_state(state, spec, folder, arguments.format)
    return 0


def _show_state(state: State, spec: str, folder: str, form: str) -> None:
    if form == "json":
        content: dict[str, Json] = {
            "from": state.old,
            "to": state.new,
            "done": [*state.done],
            "next": state.next or None,
            "specHasChanged": spec != state.spec,
        }
        sys.stdout.write(json_text(content) + "\n")
        return
    sys.stdout.write("\n".join(status_lines(state, spec, folder)) + "\n")


def _plan(arguments: argparse.Namespace) -> int:
    inputs, sides, usage = _compile_sides(arguments)
    if has_errors(sides.problems):
        return _refused(sides, inputs, arguments.format)
    if arguments.rehearse:
        from modelyard.cli.rehearse import rehearse

        problems = rehearse(arguments, inputs, sides, usage, _spec_words(inputs))
        if problems:
            raise Refused(*problems)
        return 0
    folder = folder_of(arguments.out, inputs.spec.path)
    plan, move = planned(sides, _spec_words(inputs), _seen_from_spec(folder, inputs), TARGETS, usage)
    data = data_of(sides, digest_of(inputs), plan.judgement, plan.phases, inputs.variables)
    replaced = _replaced(folder, sides)
    problems = written(folder, plan, move, data, digest_of(inputs))
    if problems:
        raise Refused(*problems)
    if arguments.format == "json":
        sys.stdout.write(json_text(data) + "\n")
    if replaced:
        say(f"{folder}: replaces the plan from {replaced}, none of whose phases was done")
    say(f"{folder}: a plan of {len(plan.phases)} phases; next: read {os.path.join(folder, 'migration.md')}")
    return 0


def _replaced(folder: str, sides: Sides) -> str:
    """Name the environments if the folder holds another migration's plan, otherwise return ""."""
    before, _ = read_plan(folder)
    if before is None or (before.old, before.new) == (sides.old.name, sides.live.name):
        return ""
    return f"{before.old} to {before.new}"


def _compile_sides(arguments: argparse.Namespace) -> tuple[Inputs, Sides, Usage]:
    """Compile both sides of the move, the old system and the new one. The new side may have errors."""
    inputs, problems = gather(arguments)
    if inputs is None:
        raise Refused(*problems)
    old = Side(inputs, compile_system(inputs, TARGETS))
    if old.outcome.failed:
        raise Refused(*old.outcome.diagnostics, sources=inputs.files())
    files, problems = usage_files(arguments)
    usage, unfit = (NO_USAGE, problems) if problems else usage_of(files, old.plan)
    if has_errors(unfit):
        sources = () if files is None else quotable(*(file for file in (files.usage, files.book) if file is not None))
        raise Refused(*unfit, sources=sources)
    folder = folder_of(arguments.out, inputs.spec.path)
    return inputs, _sides(_move_request(arguments, old, folder), old), usage


def _sides(request: MoveRequest, old: Side) -> Sides:
    try:
        return sides_of(request, old, TARGETS)
    except NoRegion as missing:
        raise Refused(_without_region(missing)) from None


def _without_region(missing: NoRegion) -> Diagnostic:
    if missing.allowed:
        return tell.outside_residency(missing.provider, missing.allowed, missing.excluded)
    near = (
        f"none of its regions is near {missing.location}"
        if missing.location
        else f"target {quote(missing.target)} does not declare its location, so no region can be chosen"
    )
    return tell.no_destination(missing.provider, near, f"name one: --to {missing.provider}:REGION")


def _refused(sides: Sides, inputs: Inputs, form: str) -> int:
    verdicts = verdicts_of(sides, TARGETS)
    if form == "json":
        data = data_of(sides, digest_of(inputs), Judgement(verdicts), (), inputs.variables)
        sys.stdout.write(json_text(data) + "\n")
    else:
        sys.stdout.write(refused_text(sides, refusals_of(sides)))
    return 1


def _move_request(arguments: argparse.Namespace, old: Side, folder: str) -> MoveRequest:
    """Return the requested move. Raises Refused if there is nothing to move."""
    system = old.system
    sources = tuple(dict.fromkeys(arguments.source)) or tuple(target.name for target in moving(system))
    names = tuple(target.name for target in system.deployment.targets)
    for source in sources:
        if source not in names:
            raise Refused(tell.unknown_source(source, names))
    to = _destination(str(arguments.to or ""), names)
    if problem := _problem(to, sources, system):
        raise Refused(problem)
    place = to if isinstance(to, str) else to.provider
    name = arguments.name or "-".join(part for part in (old.inputs.environment, place) if part)
    _check_name(name, old.inputs, folder)
    return MoveRequest(sources, to, name, _overlay(arguments.overlay))


def _destination(typed: str, names: tuple[str, ...]) -> Destination | str:
    provider, colon, region = typed.partition(":")
    if provider in TARGETS and (colon or provider not in names):
        return Destination(provider, region)
    if typed in names:
        return typed
    raise Refused(tell.unknown_destination(typed, [*TARGETS], names))


def _problem(to: Destination | str, sources: tuple[str, ...], system: System) -> Diagnostic | None:
    if isinstance(to, str):
        return tell.there_already(sources, to) if to in sources else None
    there = TARGETS[to.provider]
    if there.runs_here:
        return tell.no_destination(to.provider, "it is a single machine for development", "use `modelyard run` there")
    if to.region and not there.in_cloud:
        return tell.no_destination(f"{to.provider}:{to.region}", "it has no regions", f"--to {to.provider}")
    moved = [system.target(source) for source in sources]
    if all(target.provider == to.provider and to.region in {"", target.region} for target in moved):
        return tell.there_already(sources, ":".join(part for part in (to.provider, to.region) if part))
    return None


def _check_name(name: str, inputs: Inputs, folder: str) -> None:
    """Reject an environment name that is invalid or taken. A regenerated plan keeps its name."""
    if not _NAME.match(name):
        reason = "must be at most 40 lower-case letters, digits and hyphens, starting with a letter"
        raise Refused(tell.environment_name_taken(name, reason))
    state, _ = read_plan(folder)
    ours = state is not None and (state.old, state.new) == (inputs.folder, name)
    if not ours and (name == inputs.folder or name in environment_names(inputs, opened(inputs).document)):
        raise Refused(tell.environment_name_taken(name, "already exists"))


def _overlay(path: str | None) -> Mapping[str, Json]:
    if path is None:
        return {}
    file, problems = other_file(path)
    if file is None:
        raise Refused(*problems)
    read, problems = load(file.content, file.path, may_be_empty=True)
    if read is None:
        raise Refused(*problems, sources=_quoted(file))
    return read.value


def _quoted(file: InputFile) -> tuple[SourceFile, ...]:
    return quotable(file)


def _spec_words(inputs: Inputs) -> tuple[str, ...]:
    """Return the command-line arguments that select the spec from within its folder and set its variables."""
    name = os.path.basename(inputs.spec.path)
    values = (word for pair in sorted(inputs.variables.items()) for word in ("--set", "=".join(pair)))
    return ("." if name in SPEC_NAMES else name, *values)


def _seen_from_spec(folder: str, inputs: Inputs) -> str:
    start = os.path.dirname(inputs.spec.path) or "."
    return os.path.relpath(folder, start).replace(os.sep, "/")
