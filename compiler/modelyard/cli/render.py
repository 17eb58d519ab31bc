"""`modelyard render`: print the resolved spec of one environment."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable
from typing import Final, cast

import modelyard_schemas
from modelyard.cli.console import report, wants_colour
from modelyard.cli.inputs import gather
from modelyard.diagnostics import has_errors
from modelyard.load import load
from modelyard.pipeline import Stage, as_written
from modelyard.printing.spec import Line, rendered
from modelyard.shape import Schema
from modelyard.validate import validate
from modelyard.writers.json_text import json_text

_FAINT, _RESET = "\x1b[2m", "\x1b[0m"
_COLUMN = 60  # the column where origins start, unless values are longer


def run(arguments: argparse.Namespace) -> int:
    """Print every value and its origin. Returns 1 if the spec does not match its schema."""
    inputs, problems = gather(arguments)
    if inputs is None:
        report(problems, (), "text", arguments.color)
        return 1
    outcome, source_document = as_written(inputs)
    if outcome.document is not None and not outcome.failed:
        outcome = outcome.after(Stage.VALIDATE, validate(outcome.document))
    report(outcome.diagnostics, inputs.files(), "text", arguments.color)
    if outcome.document is None or has_errors(outcome.diagnostics):
        return 1
    lines = rendered(source_document or outcome.document, cast("Schema", modelyard_schemas.load("system")))
    sys.stdout.writelines(_FORMS[arguments.format](lines, wants_colour(sys.stdout, arguments.color)))
    return 0


def _text(lines: tuple[Line, ...], colour: bool) -> Iterable[str]:
    return (f"{_annotated(line, colour)}\n" for line in lines)


def _yaml(lines: tuple[Line, ...], _colour: bool) -> Iterable[str]:
    return (f"{line.text}\n" for line in lines)


def _json(lines: tuple[Line, ...], colour: bool) -> Iterable[str]:
    document, _ = load("".join(_yaml(lines, colour)), "")
    return () if document is None else (f"{json.dumps(document.value, indent=2, ensure_ascii=False)}\n",)


_FORMS: Final = {"text": _text, "yaml": _yaml, "json": _json}


def _annotated(line: Line, colour: bool) -> str:
    if not line.origin:
        return line.text
    origin = f"# {_visible(line.origin)}"
    return f"{line.text:<{_COLUMN}}  {_FAINT}{origin}{_RESET}" if colour else f"{line.text:<{_COLUMN}}  {origin}"


def _visible(path: str) -> str:
    """Return the path as typed, escaping characters that would end the comment or control the terminal."""
    return path if path.isprintable() else json_text(path)
