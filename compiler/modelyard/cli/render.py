"""`modelyard render`: prints the resolved spec of one environment."""

from __future__ import annotations

import argparse
import sys
from typing import cast

import modelyard_schemas
from modelyard.cli.console import report, wants_colour
from modelyard.cli.inputs import gather
from modelyard.diagnostics import has_errors
from modelyard.pipeline import Stage, read
from modelyard.printing.spec import Line, rendered
from modelyard.shape import Schema
from modelyard.validate import validate
from modelyard.writers.json_text import json_text

_FAINT, _PLAIN = "\x1b[2m", "\x1b[0m"
_COLUMN = 60  # origins start here if the values leave room


def run(arguments: argparse.Namespace) -> int:
    """Print every value and its origin; 1 if the spec does not fit its schema."""
    inputs, problems = gather(arguments)
    if inputs is None:
        report(problems, (), arguments.format, arguments.color)
        return 1
    outcome = read(inputs)
    if outcome.document is not None and not outcome.failed:
        outcome = outcome.after(Stage.SCHEMA, validate(outcome.document))
    if outcome.document is None or has_errors(outcome.diagnostics) or arguments.format != "text":
        report(outcome.diagnostics, inputs.files(), arguments.format, arguments.color)
        return int(outcome.failed)
    report(outcome.diagnostics, inputs.files(), "text", arguments.color)
    lines = rendered(outcome.document, cast("Schema", modelyard_schemas.load("system")))
    colour = wants_colour(sys.stdout, arguments.color)
    sys.stdout.writelines(f"{_annotated(line, colour)}\n" for line in lines)
    return 0


def _annotated(line: Line, colour: bool) -> str:
    if not line.origin:
        return line.text
    origin = f"# {_visible(line.origin)}"
    return f"{line.text:<{_COLUMN}}  {_FAINT}{origin}{_PLAIN}" if colour else f"{line.text:<{_COLUMN}}  {origin}"


def _visible(path: str) -> str:
    """A path as it was given, escaping characters that would end the comment or control the terminal."""
    return path if path.isprintable() else json_text(path)
