"""`modelyard portability`: report what would have to change to run a system on another provider."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable

from modelyard.cli.console import report, say, say_waiting
from modelyard.cli.inputs import gather
from modelyard.diagnostics import nearest, quote
from modelyard.diagnostics.migrating import outside_residency
from modelyard.pipeline import understand
from modelyard.portability import Destination, NoRegion, Portability, moving, other_clouds, portability
from modelyard.printing.portability import FORMS
from modelyard.spec import System
from modelyard_targets import TARGETS


def run(arguments: argparse.Namespace) -> int:
    """Print the errors on each provider. Returns 1 if the spec is invalid or a score is too low."""
    inputs, problems = gather(arguments)
    if inputs is None:
        report(problems, (), "text", arguments.color)
        return 1
    outcome = understand(inputs, TARGETS)
    if outcome.failed or outcome.system is None:
        report(outcome.diagnostics, inputs.files(), "text", arguments.color)
        say_waiting(outcome.waiting, outcome.aside)
        return 1
    destinations, refused = _destinations(arguments.to, outcome.system)
    if refused:
        say(refused)
        return 1
    try:
        result = portability(outcome, inputs, TARGETS, destinations)
    except NoRegion as missing:
        say(f"error: {_without_region(missing)}")
        return 1
    sys.stdout.write(FORMS[arguments.format](result, inputs.spec.path))
    return _verdict(result, arguments.min)


def _without_region(missing: NoRegion) -> str:
    if missing.allowed:
        problem = outside_residency(missing.provider, missing.allowed, missing.excluded)
        return f"{problem.message}\n  = {problem.hint}"
    named = f"--to {missing.provider}:REGION"
    if missing.location:
        return f"no region of {missing.provider} is near {quote(missing.location)}\n  = name one: {named}"
    return (
        f"target {quote(missing.target)} does not declare its location, so no region of {missing.provider} can be"
        " chosen\n"
        f"  = name one with {named}, or set `residency` on the target, such as `residency: eu`"
    )


def _destinations(typed: Iterable[str], system: System) -> tuple[tuple[Destination, ...], str]:
    """Return the providers to move to, and an error message if one of them is invalid."""
    chosen = tuple(Destination(*argument.split(":", 1)) for argument in typed)
    for destination in chosen:
        if problem := _problem(destination, system):
            return (), f"error: {problem}"
    return chosen or other_clouds(system, TARGETS), ""


def _problem(destination: Destination, system: System) -> str:
    name = destination.provider
    if name not in TARGETS:
        near = nearest(name, TARGETS, "did you mean {}?") or f"choose from {', '.join(TARGETS)}"
        return f"{quote(name)} is not a provider\n  = {near}"
    if destination.region and not TARGETS[name].in_cloud:
        return f"{name} has no regions\n  = --to {name}"
    if all(target.provider == name for target in moving(system)) and not destination.region:
        return f"the system is already on {name}\n  = name another region: --to {name}:REGION"
    return ""


def _verdict(result: Portability, least: int) -> int:
    low = [move for move in result.moves if move.score < least]
    for move in low:
        say(f"error: the score for {move.destination.provider} is {move.score} %, which is less than {least} %")
    return int(bool(low))
