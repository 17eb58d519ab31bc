"""Write a review as Markdown for a pull request comment. Strings from a spec remain plain text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from modelyard.patterns import pattern
from modelyard.printing.markdown import escaped
from modelyard.printing.redact import redacted
from modelyard.printing.review_words import acceptances, headline, held_in, place_of, reached, summary
from modelyard.review.comparing import Review
from modelyard.review.findings import Finding, Level

BUDGET: Final = 60_000
"""The maximum length of a comment. GitHub rejects comments with more than 65,536 characters (docs.github.com, 2026-11).
"""

_LONGEST_LINE: Final = 500
_SIGNS: Final = {Level.DANGER: "🛑", Level.REVIEW: "⚠️"}
_ACCEPTED: Final = "☑️"
_OUTSIDE: Final = pattern(r"[^a-z0-9-]")


def review_markdown(review: Review, lowest: Level) -> str:
    """Return a review as Markdown.

    If it is too long, notes are cut first, then findings to review, but never dangers.
    """
    groups = by_level(review, lowest)
    marker = f"<!-- modelyard:diff:{_OUTSIDE.sub('', review.system)} -->"
    head = f"{marker}\n### {escaped(headline(review))}\n{in_brief(review)}"
    rows = [table_entry(finding, review) for finding in groups[Level.DANGER]]
    notes = [f"- {list_item(finding, review)}" for finding in groups[Level.NOTE]]
    reviews = [table_entry(finding, review) for finding in groups[Level.REVIEW]]
    reviews, left = within(reviews, BUDGET - len(head) - sum(map(len, rows)) - 2_000)
    notes, unlisted = within(notes, BUDGET - len(head) - sum(map(len, (*rows, *reviews))) - 2_000)
    return "".join((head, *_table([*rows, *reviews], left), *_folded(notes, unlisted), *_rest(review)))


def in_brief(review: Review) -> str:
    """List the cost change and the people who must agree, or return "" if the change needs no review."""
    lines = "".join(f"- {escaped(cut(line, _LONGEST_LINE))}\n" for line in summary(review))
    return f"\n{lines}" if lines else ""


def by_level(review: Review, lowest: Level) -> dict[Level, list[Finding]]:
    """Group the findings at or above `lowest` by level, omitting changes to prose."""
    findings = [finding for finding in review.findings if finding.level >= max(lowest, Level.NOTE)]
    return {level: [item for item in findings if item.level is level] for level in Level}


def cut(text: str, longest: int) -> str:
    """Return text without secrets, shortened with an ellipsis if it is too long."""
    text = redacted(text)  # first, because half of a secret is not recognized
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def within(lines: Sequence[str], room: int) -> tuple[list[str], int]:
    """Return the first lines that fit into `room` characters, and the number of remaining lines."""
    kept: list[str] = []
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            break
        kept.append(line)
    return kept, len(lines) - len(kept)


def _table(rows: Sequence[str], left: int) -> Iterator[str]:
    if rows:
        yield "\n| | what changes | where |\n|---|---|---|\n"
        yield from (f"{row}\n" for row in rows)
    if left:
        yield f"\n{left} more to review; `modelyard diff` lists them.\n"


def _folded(notes: Sequence[str], unlisted: int) -> Iterator[str]:
    if notes:
        total = len(notes) + unlisted
        yield f"\n<details><summary>{total} {'note' if total == 1 else 'notes'}</summary>\n\n"
        yield from (f"{note}\n" for note in notes)
        yield f"\n{unlisted} more\n" if unlisted else ""
        yield "\n</details>\n"


def _rest(review: Review) -> Iterator[str]:
    for unjudged in review.unjudged:
        side = "old" if unjudged.side == "before" else "new"
        yield f"\nThe {side} version does not compile in {escaped(unjudged.environment)}:\n\n"
        yield from (
            f"- {escaped(f'{diagnostic.code}: {diagnostic.message}')}\n" for diagnostic in unjudged.diagnostics[:10]
        )
    quiet = review.count(Level.QUIET)
    if quiet:
        yield f"\n{quiet} {'change' if quiet == 1 else 'changes'} to text only.\n"


def table_entry(finding: Finding, review: Review) -> str:
    """Return a finding as a table row."""
    sign = f"{_ACCEPTED if finding.accepted else _SIGNS[finding.level]} {finding.code}"
    reaches = f"affects {reached(finding)}" if finding.reached else ""
    details = [finding.why, reaches, *finding.reasons, *acceptances(finding)]
    more = "; ".join(detail for detail in details if detail)
    text = f"**{escaped(finding.message)}**" + (f"<br>{escaped(more)}" if more else "")
    return f"| {sign} | {text} | {place_in_markdown(finding, review)} |"


def list_item(finding: Finding, review: Review) -> str:
    """Return a finding as a list item."""
    return f"{finding.code}: {escaped(finding.message)} ({place_in_markdown(finding, review)})"


def place_in_markdown(finding: Finding, review: Review) -> str:
    """Return where a finding applies, as Markdown: its location in the spec and its environments."""
    where = held_in(finding, review)
    parts = [place_of(finding) or finding.subject, f"in {where}" if where else ""]
    return ", ".join(escaped(part) for part in parts if part)
