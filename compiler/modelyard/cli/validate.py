"""`modelyard validate`: every mistake in a spec, and nothing written."""

from __future__ import annotations

import argparse

from modelyard.cli.console import report, say
from modelyard.cli.inputs import gather
from modelyard.diagnostics import has_errors
from modelyard.pipeline import understand
from modelyard_targets import TARGETS


def run(arguments: argparse.Namespace) -> int:
    """Report all that is wrong with the spec on its targets; 1 when something is."""
    inputs, problems = gather(arguments)
    if inputs is None:
        report(problems, (), arguments.format, arguments.color)
        return 1
    found = understand(inputs, TARGETS).diagnostics
    report(found, inputs.files(), arguments.format, arguments.color)
    if has_errors(found):
        return 1
    if arguments.format == "text":
        say(f"{inputs.spec.path}: valid{f' for {inputs.environment}' if inputs.environment else ''}")
    return 0
