"""Find the warnings that only one version of a system has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final, TypeAlias

from modelyard.diagnostics import Diagnostic, Severity
from modelyard.patterns import pattern
from modelyard.records import record, replace
from modelyard.review.findings import Finding, Level
from modelyard.review.rows import repeats_of
from modelyard.review.sides import Sides
from modelyard.sites.folding import Repeats
from modelyard.stages import Outcome

_FIGURES: Final = pattern(r"[0-9][0-9.,]*")
_ROWS: Final = pattern(r" \((?P<rows>rows? .+ of list [^()]+)\)$")
_OF_LIST: Final = pattern(r"rows? (?P<names>.+?) of list (?P<list>[a-z][a-z0-9-]*)")

Rows: TypeAlias = frozenset[tuple[str, str]]
"""Rows of lists, by the names of the list and the row."""


@record
class _Side:
    """The warnings in one version, its rows, and the names of the entries that stand for them."""

    warnings: tuple[Diagnostic, ...]
    repeats: Repeats
    rows: Rows


def warnings(sides: Sides, before: Outcome, after: Outcome) -> Iterator[Finding]:
    """Report warnings that only one version has.

    A warning is not new if only its figures, such as a cost, changed, or if it exists for a row and its list gains
    another row.
    """
    one, other = _side(before), _side(after)
    for warning in _unlike(other, one):
        yield _finding("R905", Level.REVIEW, f"new warning {warning.code}: {warning.message}", warning, sides)
    for warning in _unlike(one, other):
        found = _finding("R906", Level.NOTE, f"warning {warning.code} is gone: {warning.message}", warning, sides)
        yield replace(found, was_at=warning.span, now_at=None)


def _side(outcome: Outcome) -> _Side:
    repeats = repeats_of([outcome])
    rows = frozenset((repeat.list, repeat.row) for repeat in repeats.by_name.values())
    found = tuple(one for one in outcome.diagnostics if one.severity is Severity.WARNING)
    return _Side(found, repeats, rows)


def _unlike(side: _Side, other: _Side) -> Iterator[Diagnostic]:
    """Yield the warnings without a counterpart. Equal messages are paired first, then those that differ in figures."""
    texts, own = ({(one.code, one.message) for one in each.warnings} for each in (other, side))
    left = [one for one in side.warnings if (one.code, one.message) not in texts]
    candidates = [one for one in other.warnings if (one.code, one.message) not in own]
    of_rows = [_of_rows(one, other) for one in candidates]
    alike = Counter(_without_figures(one) for one in candidates)
    for one in left:
        alike[_without_figures(one)] -= 1
        if alike[_without_figures(one)] < 0 and not _is_known(_of_rows(one, side), of_rows, other):
            yield one


def _without_figures(warning: Diagnostic) -> tuple[str, str]:
    return warning.code, _FIGURES.sub("0", warning.message)


_General: TypeAlias = tuple[str, str, Rows]


def _of_rows(warning: Diagnostic, side: _Side) -> _General:
    """Return a warning in terms of the repeated definition, together with the rows that it is about."""
    found = _ROWS.search(warning.message)
    rows = _named(found["rows"]) if found is not None else side.repeats.rows_in(warning.message)
    return warning.code, side.repeats.general(_ROWS.sub("", warning.message)), frozenset(rows)


def _named(text: str) -> Iterator[tuple[str, str]]:
    for found in _OF_LIST.finditer(text):
        yield from ((found["list"], name) for name in found["names"].split(" and ")[0].split(", "))


def _is_known(warning: _General, others: list[_General], other: _Side) -> bool:
    """Return whether the other version has the same warning, except for rows that it does not have."""
    code, text, rows = warning
    known = [found for *same, found in others if same == [code, text]]
    return bool(rows) and bool(known) and rows & other.rows <= frozenset().union(*known)


def _finding(code: str, level: Level, message: str, warning: Diagnostic, sides: Sides) -> Finding:
    path = ("warnings", warning.code)
    return Finding(code, level, path, message, environments=(sides.after.environment,), now_at=warning.span)
