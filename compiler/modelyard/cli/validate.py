"""`modelyard validate`: every mistake in a spec, and nothing written."""

from __future__ import annotations

import argparse

from modelyard.cli.console import report, say
from modelyard.cli.inputs import environment_names, gather
from modelyard.diagnostics import Diagnostic, has_errors, in_order
from modelyard.inputs import Inputs
from modelyard.pipeline import opened, understand
from modelyard_targets import TARGETS


def run(arguments: argparse.Namespace) -> int:
    """Report all that is wrong with the spec on its targets; 1 when something is."""
    inputs, problems = gather(arguments, every=arguments.env is None)
    if inputs is None:
        report(problems, (), arguments.format, arguments.color)
        return 1
    found, valid = _judged(inputs)
    found = in_order((*problems, *found))
    report(found, inputs.files(), arguments.format, arguments.color)
    if has_errors(found):
        return 1
    if arguments.format == "text":
        say(f"{inputs.spec.path}: valid{valid}")
    return 0


def _judged(inputs: Inputs) -> tuple[tuple[Diagnostic, ...], str]:
    """What is wrong with the spec in the environment that was picked, or in all of them, and for which it was asked."""
    if inputs.environment is not None:
        return understand(inputs, TARGETS).diagnostics, f" for {inputs.environment}"
    spec = opened(inputs)
    names = environment_names(inputs, spec.document)
    if not names:
        return understand(inputs, TARGETS, spec).diagnostics, ""
    from modelyard.survey import survey  # a spec without environments is read as ever, and needs no more than before

    found = survey(inputs, spec, names, TARGETS)
    made = [name for name in names if name not in found.not_made_yet]
    listed = f" for {', '.join(made)}" if made else ""
    if not found.base_is_whole:
        listed += "; the base is no system without an environment"
    elif made:
        listed = f", alone and{listed}"
    later = f"; not made yet: {', '.join(found.not_made_yet)}" if found.not_made_yet else ""
    return found.diagnostics, f"{listed}{later}"
