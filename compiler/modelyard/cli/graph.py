"""`modelyard graph`: prints the plan as a diagram's source."""

from __future__ import annotations

import argparse
import sys

from modelyard.cli.console import report
from modelyard.cli.inputs import gather
from modelyard.pipeline import understand
from modelyard.printing.graph import as_json, dot, mermaid
from modelyard_targets import TARGETS

_NOTATIONS = {"mermaid": mermaid, "dot": dot, "json": as_json}


def run(arguments: argparse.Namespace) -> int:
    """Print the graph of the planned resources; 1 if the spec is wrong."""
    inputs, problems = gather(arguments)
    if inputs is None:
        report(problems, (), "text", arguments.color)
        return 1
    outcome = understand(inputs, TARGETS)
    report(outcome.diagnostics, inputs.files(), "text", arguments.color)
    if outcome.plan is None or outcome.failed:
        return 1
    sys.stdout.write(_NOTATIONS[arguments.format](outcome.plan))
    return 0
