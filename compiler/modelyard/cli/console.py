"""How things are printed: diagnostics in the format that was asked for, colour only where somebody sees it."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from modelyard.diagnostics import Diagnostic
from modelyard.render import render
from modelyard.source import SourceFile


def report(diagnostics: tuple[Diagnostic, ...], files: tuple[SourceFile, ...], form: str, colour: str) -> None:
    """Print diagnostics: for people to standard error, for machines (json, sarif, github) to standard output."""
    stream = sys.stderr if form == "text" else sys.stdout
    text = render(diagnostics, files, form, wants_colour(stream, colour))
    if text:
        stream.write(text if text.endswith("\n") else f"{text}\n")


def wants_colour(stream: TextIO, choice: str) -> bool:
    """Whether to colour: as chosen, else on a terminal unless NO_COLOR is set (https://no-color.org, 2026-11)."""
    if choice != "auto":
        return choice == "always"
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def say(text: str) -> None:
    """A line about the work itself, on standard error, so that standard output stays what was asked for."""
    print(text, file=sys.stderr)
