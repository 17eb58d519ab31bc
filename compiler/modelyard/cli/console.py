"""Print diagnostics in the chosen format. By default, colour is used only on a terminal."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Collection
from typing import Final, TextIO

from modelyard.diagnostics import Diagnostic
from modelyard.printing.terminal import visible
from modelyard.source import SourceFile
from modelyard.stages import Stage

_PATIENCE_S = 1.0
_BETWEEN_S = 0.2


def report(diagnostics: tuple[Diagnostic, ...], files: tuple[SourceFile, ...], form: str, colour: str) -> None:
    """Print diagnostics as text to standard error, or in a machine-readable format to standard output."""
    if form == "text" and not diagnostics:
        return
    from modelyard.printing.diagnostics import render  # imported here because a run without errors needs no formatter

    stream = sys.stderr if form == "text" else sys.stdout
    providers = _providers() if form == "sarif" else ()
    text = render(diagnostics, files, form, wants_colour(stream, colour), _columns(stream), providers)
    if text:
        stream.write(text if text.endswith("\n") else f"{text}\n")


def _providers() -> tuple[str, ...]:
    from modelyard_targets import TARGETS  # imported here because it loads every provider's modules

    return TARGETS.diagnostics()


def wants_colour(stream: TextIO, choice: str) -> bool:
    """Return whether to use colour. The option comes first, then NO_COLOR, FORCE_COLOR and the terminal.

    Empty variables are ignored (https://no-color.org, https://force-color.org, 2026-11).
    """
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _columns(stream: TextIO) -> int | None:
    """Return the width of a terminal, or None if the stream is not a terminal."""
    if not stream.isatty():
        return None
    import shutil

    return shutil.get_terminal_size().columns


def say(text: str) -> None:
    """Print progress lines to standard error, escaping control characters from paths."""
    print("\n".join(visible(line) for line in text.split("\n")), file=sys.stderr)


_CHECKS: Final = {
    Stage.OVERLAY: "environments",
    Stage.SUBSTITUTE: "variables",
    Stage.VALIDATE: "fields",
    Stage.RESOLVE: "references",
    Stage.CHECK: "rules",
    Stage.PLAN: "machines",
    Stage.FIT: "targets",
}
_MOST_ADDRESSES: Final = 5


def say_waiting(waiting: Collection[Stage], aside: Collection[str]) -> None:
    """Print which checks were skipped, or which entries weren't fully checked, because of earlier errors."""
    checks = [_CHECKS[stage] for stage in waiting if stage in _CHECKS]
    if checks:
        listed = " and ".join((", ".join(checks[:-1]), checks[-1])) if len(checks) > 1 else checks[0]
        say(f"fix these errors to run the checks of {listed}")
    elif aside:
        addresses = ", ".join([*aside][:_MOST_ADDRESSES])
        more = f" and {len(aside) - _MOST_ADDRESSES} more" if len(aside) > _MOST_ADDRESSES else ""
        say(f"fix these errors to run all checks of {addresses}{more}")


class Progress:
    """A one-line progress counter for work that takes longer than a second. Prints only to terminals."""

    def __init__(self, label: str) -> None:
        self._label = label
        self._count = 0
        self._next = time.monotonic() + _PATIENCE_S
        self._shown = False

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *problem: object) -> None:
        if self._shown:
            sys.stderr.write("\r\x1b[K")

    def step(self) -> None:
        """Count one more finished item."""
        self._count += 1
        now = time.monotonic()
        if now >= self._next and sys.stderr.isatty():
            self._next = now + _BETWEEN_S
            self._shown = True
            sys.stderr.write(f"\r\x1b[K{self._label}: {self._count}")
            sys.stderr.flush()
