"""Write a review and the cost change as a pull request comment: verdict, dangers and collapsed details.

If the comment exceeds the code host's limit, it is cut from the end. Dangers are never cut: if there is no room for
full sentences, they are listed briefly or, at worst, counted by code.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, TypeAlias

from modelyard.hashing import sha256
from modelyard.printing.markdown import escaped
from modelyard.printing.report_costs import CostChange, costs_markdown, sentence
from modelyard.printing.review_markdown import BUDGET, by_level, cut, list_item, place_in_markdown, table_entry, within
from modelyard.printing.review_words import headline
from modelyard.review.codes import codes
from modelyard.review.comparing import Review, Unjudged
from modelyard.review.findings import Finding, Level

MARKER: Final = "<!-- modelyard:report:"
"""The beginning of every comment. A job finds its earlier comment by matching the whole first line."""

NOTHING: Final = "<!-- modelyard:nothing -->"
"""The second line of a comment on a change that contains nothing of importance."""

_LONGEST: Final = 300
_MOST_PROBLEMS: Final = 10
_MOST_UNJUDGED: Final = 4  # the verdict names all environments
_ROOM_FOR_FOLDS: Final = 1_000
Shape: TypeAlias = Callable[[Finding, Review], str]


def comment(review: Review, costs: Sequence[CostChange], spec: str) -> str:
    """Return the comment. `spec` is the new spec's path, which identifies the system the comment is for."""
    parts = [_head(review, costs, spec), *(_problems(unjudged) for unjudged in review.unjudged[:_MOST_UNJUDGED])]
    groups = by_level(review, Level.NOTE)
    room = BUDGET - sum(map(len, parts)) - _ROOM_FOR_FOLDS
    parts.append(_dangers(groups[Level.DANGER], review, room))
    for section in _sections(groups, review, costs):
        parts.append(section(BUDGET - sum(map(len, parts)) - _ROOM_FOR_FOLDS // 4))
    return "".join(parts)


def marker(spec: str) -> str:
    """Return a comment's first line, which never changes within a pull request, even if the system is renamed."""
    digest = sha256(os.path.normpath(spec).encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{MARKER}{digest} -->"


def _head(review: Review, costs: Sequence[CostChange], spec: str) -> str:
    changed = sentence(costs)
    lines = [marker(spec), *([NOTHING] if _is_empty(review, costs) else [])]
    lines += [f"### {escaped(cut(headline(review), _LONGEST * 2))}"]
    lines += ["", f"{escaped(cut(changed, _LONGEST * 4))}."] if changed else []
    lines += ["", f"To agree: {escaped(cut(review.agreement, _LONGEST * 4))}."] if review.agreement else []
    quiet = review.count(Level.QUIET)
    lines += ["", f"{quiet} {'change' if quiet == 1 else 'changes'} of texts only."] if quiet else []
    return "\n".join(lines) + "\n"


def _is_empty(review: Review, costs: Sequence[CostChange]) -> bool:
    return not review.unjudged and review.worst is Level.QUIET and not any(cost.differs for cost in costs)


def _problems(unjudged: Unjudged) -> str:
    side = "old" if unjudged.side == "before" else "new"
    shown = unjudged.diagnostics[:_MOST_PROBLEMS]
    lines = [f"- {escaped(cut(f'{diagnostic.code}: {diagnostic.message}', _LONGEST))}" for diagnostic in shown]
    more = len(unjudged.diagnostics) - len(shown)
    lines += [f"- {more} more"] if more else []
    head = f"The {side} version does not compile in {escaped(unjudged.environment)}:"
    return "\n".join(("", head, "", *lines)) + "\n"


def _dangers(findings: Sequence[Finding], review: Review, room: int) -> str:
    """Return a table of all dangers, in the most detailed form that fits into `room` characters."""
    for shape in (table_entry, _short_entry, _shortest_entry):
        rows = list(_until(room, (shape(finding, review) for finding in findings)))
        if len(rows) == len(findings):
            return _table(rows)
    counts = Counter(finding.code for finding in findings)
    return _table(_counted(code, count) for code, count in counts.items()) + "\nThe report lists each of them.\n"


def _counted(code: str, count: int) -> str:
    return f"| 🛑 {code} | {escaped(codes()[code].title)} | {count} {'place' if count == 1 else 'places'} |"


def _until(room: int, rows: Iterable[str]) -> Iterator[str]:
    """Yield rows as long as they fit into `room` characters. Later rows aren't rendered."""
    for row in rows:
        room -= len(row) + 1
        if room < 0:
            return
        yield row


def _short_entry(finding: Finding, review: Review) -> str:
    text = escaped(cut(finding.message, _LONGEST))
    return f"| 🛑 {finding.code} | **{text}** | {place_in_markdown(finding, review)} |"


def _shortest_entry(finding: Finding, _: Review) -> str:
    return f"| 🛑 {finding.code} | {escaped(cut(finding.subject, _LONGEST // 3))} | {finding.fingerprint} |"


def _table(rows: Iterable[str]) -> str:
    text = "".join(f"{row}\n" for row in rows)
    return f"\n| | what changes | where |\n|---|---|---|\n{text}" if text else ""


Section: TypeAlias = Callable[[int], str]
"""Returns a collapsible section of the comment with at most the given number of characters."""


def _sections(groups: dict[Level, list[Finding]], review: Review, costs: Sequence[CostChange]) -> Iterator[Section]:
    reviews, notes = groups[Level.REVIEW], groups[Level.NOTE]
    opened = not groups[Level.DANGER]  # otherwise, nothing would be visible without a click
    yield lambda room: _folded(f"{len(reviews)} to review", _rows(reviews, review), room, _HEAD, opened)
    if any(cost.is_known and cost.differs for cost in costs):
        head, *rows = [f"{row}\n" for row in costs_markdown(costs)]
        yield lambda room: _folded("Cost by line", rows[1:], room, head + rows[0])
    title = f"{len(notes)} {'note' if len(notes) == 1 else 'notes'}"
    yield lambda room: _folded(title, [f"- {list_item(note, review)}\n" for note in notes], room)


_HEAD: Final = "| | what changes | where |\n|---|---|---|\n"


def _rows(findings: Sequence[Finding], review: Review) -> list[str]:
    return [f"{table_entry(finding, review)}\n" for finding in findings]


def _folded(title: str, lines: Sequence[str], room: int, head: str = "", opened: bool = False) -> str:
    if not lines:
        return ""
    kept, left = within(lines, room - len(head) - len(title) - 100)
    more = f"\n{left} more; the report lists them.\n" if left else ""
    state = " open" if opened else ""
    return f"\n<details{state}><summary>{title}</summary>\n\n{head}{''.join(kept)}{more}\n</details>\n"
