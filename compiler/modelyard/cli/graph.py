"""`modelyard graph`: print a diagram of the system."""

from __future__ import annotations

import argparse
import sys

from modelyard.cli.console import report
from modelyard.cli.inputs import gather
from modelyard.drawing.picture import Picture
from modelyard.drawing.rows import by_definition
from modelyard.pipeline import understand
from modelyard.plan import Plan
from modelyard_targets import TARGETS


def run(arguments: argparse.Namespace) -> int:
    """Print the chosen view of the system in the chosen notation. Returns 1 if the spec is invalid."""
    inputs, problems = gather(arguments)
    if inputs is None:
        report(problems, (), "text", arguments.color)
        return 1
    outcome = understand(inputs, TARGETS)
    report(outcome.diagnostics, inputs.files(), "text", arguments.color)
    if outcome.plan is None or outcome.failed:
        return 1
    view = _network if arguments.view == "network" else _ml
    drawing = view(outcome.plan, arguments.format)
    if outcome.bound is not None:
        from modelyard.fleets.judging import with_references  # only a few specs have sites

        drawing = with_references(outcome, drawing)
    sys.stdout.write(drawing)
    return 0


def _ml(plan: Plan, notation: str) -> str:
    from modelyard.drawing.ml import ml_view

    return drawn(by_definition(ml_view(plan.system), plan.system.document), notation)


def _network(plan: Plan, notation: str) -> str:
    from modelyard.drawing.network import network_view, plan_json

    if notation == "json":
        return plan_json(plan)
    return drawn(by_definition(network_view(plan), plan.system.document), notation)


def drawn(picture: Picture, notation: str) -> str:
    """Render a picture in a notation, importing only that notation's module."""
    match notation:
        case "dot":
            from modelyard.drawing.dot import dot as draw
        case "svg":
            from modelyard.drawing.svg import svg as draw
        case "html":
            from modelyard.drawing.page import page as draw
        case "json":
            from modelyard.drawing.as_json import picture_json as draw
        case _:
            from modelyard.drawing.mermaid import mermaid as draw
    return draw(picture)
