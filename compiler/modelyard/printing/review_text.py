"""Print a review for a terminal: dangers first, then findings to review, then one line for each note."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import explain_command
from modelyard.printing.redact import redacted
from modelyard.printing.review_words import acceptances, headline, held_in, place_of, reached, summary
from modelyard.printing.terminal import visible
from modelyard.review.comparing import Review
from modelyard.review.findings import Finding, Level

_COLOURS: Final = {Level.DANGER: "\x1b[1;31m", Level.REVIEW: "\x1b[1;33m", Level.NOTE: "\x1b[34m"}
_BOLD: Final = "\x1b[1m"
_RESET: Final = "\x1b[0m"
_INDENT: Final = " " * 13


def review_text(review: Review, lowest: Level, colour: bool) -> str:
    """Return the text for all findings at or above a level."""
    findings = [finding for finding in review.findings if finding.level >= max(lowest, Level.NOTE)]
    blocks = ["\n".join([_paint(_BOLD, safe(headline(review)), colour), *map(safe, summary(review))])]
    blocks += ["\n".join(_block(finding, review, colour)) for finding in findings if finding.level > Level.NOTE]
    notes = [finding for finding in findings if finding.level is Level.NOTE]
    blocks += ["\n".join(_note(finding, review, colour) for finding in notes)] if notes else []
    quiet = review.count(Level.QUIET)
    blocks += [f"{quiet} {'change' if quiet == 1 else 'changes'} to text only"] if quiet else []
    codes = list(dict.fromkeys(finding.code for finding in findings))
    blocks += [f"`{explain_command(codes[0])}` explains a code"] if codes else []
    return "\n\n".join(blocks) + "\n"


def _block(finding: Finding, review: Review, colour: bool) -> Iterator[str]:
    head = f"{finding.level.word:<6} {finding.code}"
    yield f"{_paint(_COLOURS[finding.level], head, colour)}  {safe(finding.message)}"
    if finding.why:
        yield f"{_INDENT}{safe(finding.why)}"
    if finding.reached:
        yield f"{_INDENT}affects {safe(reached(finding))}"
    if finding.reasons:
        yield f"{_INDENT}level: {safe(', '.join(finding.reasons))}"
    yield from (f"{_INDENT}{safe(line)}" for line in acceptances(finding))
    yield f"{_INDENT}{safe(_place(finding, review))}"


def _note(finding: Finding, review: Review, colour: bool) -> str:
    head = f"{finding.level.word:<6} {finding.code}"
    return f"{_paint(_COLOURS[finding.level], head, colour)}  {safe(finding.message)} ({safe(_place(finding, review))})"


def _place(finding: Finding, review: Review) -> str:
    where = held_in(finding, review)
    parts = [place_of(finding) or finding.subject, f"in {where}" if where else "", finding.fingerprint]
    return ", ".join(part for part in parts if part)


def safe(text: str) -> str:
    """Return text on one line, without control characters and secrets."""
    return visible(redacted(text))


def _paint(code: str, text: str, colour: bool) -> str:
    return f"{code}{text}{_RESET}" if colour else text
