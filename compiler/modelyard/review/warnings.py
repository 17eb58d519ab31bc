"""Find the warnings that only one version of a system has."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from typing import Final, TypeAlias

from modelyard.diagnostics import Diagnostic, Severity
from modelyard.patterns import pattern
from modelyard.records import record, replace
from modelyard.review.findings import Finding, Level, facts
from modelyard.review.rows import repeats_of
from modelyard.review.sides import Sides
from modelyard.sites.folding import Repeats
from modelyard.source import Document, Path, Span
from modelyard.stages import Outcome

_FIGURES: Final = pattern(r"[0-9][0-9.,]*")
_QUOTED: Final = pattern(r"(?<!\w)'[^']*'(?!\w)|`[^`]*`")
_ROWS: Final = pattern(r" \((?P<rows>rows? .+ of list [^()]+)\)$")
_SITES: Final = pattern(r" \(at sites? (?P<names>[^()]+)\)$")
_MORE: Final = pattern(r" and (?P<count>[0-9]+) more\Z")
_OF_LIST: Final = pattern(r"rows? (?P<names>.+?) of list (?P<list>[a-z][a-z0-9-]*)")

Rows: TypeAlias = frozenset[tuple[str, str]]
"""Rows in lists, each identified by the names of the list and the row."""


@record
class _Side:
    """One version's warnings, along with its sites, its list rows, and the entries repeated for them."""

    warnings: tuple[Diagnostic, ...]
    document: Document | None
    repeats: Repeats
    rows: Rows
    sites: frozenset[str]


def warnings(sides: Sides, before: Outcome, after: Outcome) -> Iterator[Finding]:
    """Report warnings that appear in only one version.

    A warning isn't new if only its figures, such as a cost, have changed, or if it already existed for one row or site
    and the list or target gains another.
    """
    old_side, new_side = _side(before), _side(after)
    for warning, facts_of_it in _unlike(new_side, old_side):
        message = f"new warning {warning.code}: {warning.message}"
        yield _finding("R905", Level.REVIEW, message, warning, facts_of_it, sides)
    for warning, facts_of_it in _unlike(old_side, new_side):
        message = f"warning {warning.code} no longer appears: {warning.message}"
        finding = _finding("R906", Level.NOTE, message, warning, facts_of_it, sides)
        yield replace(finding, was_at=warning.span, now_at=None)


def _side(outcome: Outcome) -> _Side:
    repeats = repeats_of([outcome])
    rows = frozenset((repeat.list, repeat.row) for repeat in repeats.by_name.values())
    listed = tuple(diagnostic for diagnostic in outcome.diagnostics if diagnostic.severity is Severity.WARNING)
    groups = outcome.bound.groups if outcome.bound is not None else ()
    sites = frozenset(name for group in groups for name in group.names)
    return _Side(listed, outcome.document, repeats, rows, sites)


def _unlike(side: _Side, other: _Side) -> Iterator[tuple[Diagnostic, str]]:
    """Yield the warnings that aren't in the other version, along with facts: the entry, names and figures."""
    different = tuple(_unpaired(side, other))
    starts = _starts(side.document) if different else []
    for warning in different:
        yield warning, facts(_entry_at(warning.span, starts), sorted(_names_in(warning.message)))


def _unpaired(side: _Side, other: _Side) -> Iterator[Diagnostic]:
    """Yield the warnings that aren't in the other version.

    Equal messages are paired first, followed by messages that differ only in their figures.
    """
    texts, own = ({(warning.code, warning.message) for warning in each.warnings} for each in (other, side))
    left = [warning for warning in side.warnings if (warning.code, warning.message) not in texts]
    candidates = [warning for warning in other.warnings if (warning.code, warning.message) not in own]
    of_rows = [_of_rows(warning, other) for warning in candidates]
    alike = Counter(_without_figures(warning) for warning in candidates)
    for warning in left:
        alike[_without_figures(warning)] -= 1
        if alike[_without_figures(warning)] >= 0 or _is_known(_of_rows(warning, side), of_rows, other):
            continue
        if not any(_is_at_known_sites(warning, candidate, side, other) for candidate in candidates):
            yield warning


def _is_at_known_sites(warning: Diagnostic, known: Diagnostic, side: _Side, other: _Side) -> bool:
    """Return whether the other version has the same warning at the same sites, ignoring sites it doesn't have.

    If there are many sites, a message names only some of them, and their number is compared instead.
    """
    if not other.sites or _without_sites(warning) != _without_sites(known):
        return False
    own_names, own_count = _sites_of(warning, side)
    known_names, known_count = _sites_of(known, other)
    if (len(own_names), len(known_names)) == (own_count, known_count):
        return own_names & other.sites <= known_names
    return own_count <= known_count + len(side.sites - other.sites)


def _without_sites(warning: Diagnostic) -> tuple[str, str]:
    return warning.code, _FIGURES.sub("0", _SITES.sub("", warning.message))


def _sites_of(warning: Diagnostic, side: _Side) -> tuple[frozenset[str], int]:
    """Return the sites named in a warning and how many sites it affects. A warning that names none affects all."""
    match = _SITES.search(warning.message)
    if match is None:
        return side.sites, len(side.sites)
    more = _MORE.search(match["names"])
    names = frozenset(_MORE.sub("", match["names"]).split(", "))
    return names, len(names) + (int(more["count"]) if more is not None else 0)


def _without_figures(warning: Diagnostic) -> tuple[str, str]:
    sites = _SITES.search(warning.message)
    end = sites.start() if sites is not None else len(warning.message)
    return warning.code, _FIGURES.sub("0", warning.message[:end]) + warning.message[end:]


_General: TypeAlias = tuple[str, str, Rows]


def _of_rows(warning: Diagnostic, side: _Side) -> _General:
    """Return a warning's code, its message in terms of the repeated definition, and the affected rows."""
    match = _ROWS.search(warning.message)
    rows = _named_rows(match["rows"]) if match is not None else side.repeats.rows_in(warning.message)
    return warning.code, side.repeats.general(_ROWS.sub("", warning.message)), frozenset(rows)


def _named_rows(text: str) -> Iterator[tuple[str, str]]:
    for match in _OF_LIST.finditer(text):
        yield from ((match["list"], name) for name in match["names"].split(" and ")[0].split(", "))


def _is_known(warning: _General, others: list[_General], other: _Side) -> bool:
    """Return whether the other version has the same warning, ignoring rows that do not exist there."""
    code, text, rows = warning
    known = [known_rows for *same, known_rows in others if same == [code, text]]
    return bool(rows) and bool(known) and rows & other.rows <= frozenset().union(*known)


def _finding(code: str, level: Level, message: str, warning: Diagnostic, facts_of_it: str, sides: Sides) -> Finding:
    path, environments = ("warnings", warning.code), (sides.after.environment,)
    return Finding(code, level, path, message, environments=environments, now_at=warning.span, facts=facts_of_it)


def _names_in(message: str) -> set[str]:
    """Return the quoted names, figures and sites in a message, which survive a rewording."""
    quoted = {name[1:-1] for name in _QUOTED.findall(message)}
    sites = _SITES.search(message)
    if sites is not None:
        quoted.add(sites["names"])
        message = message[: sites.start()]
    return quoted | {figure.rstrip(".,") for figure in _FIGURES.findall(_QUOTED.sub("", message))}


_Start: TypeAlias = tuple[str, int, str]
"""The file and line where an entry begins, and its address."""


def _starts(document: Document | None) -> list[_Start]:
    if document is None:
        return []
    places = ((document.key_span(path), ".".join(map(str, path))) for path in _entries(document))
    return sorted((place.file, place.line, address) for place, address in places)


def _entries(document: Document) -> Iterator[Path]:
    for section, entries in document.value.items():
        yield (section,)
        if isinstance(entries, dict):
            yield from ((section, name) for name in entries)


def _entry_at(span: Span | None, starts: list[_Start]) -> str:
    """Return the address of the last entry that begins at or before a span in the same file, or "" if there is none."""
    if span is None:
        return ""
    at = bisect_right(starts, (span.file, span.line, "\U0010ffff"))
    file, _, address = starts[at - 1] if at else ("", 0, "")
    return address if file == span.file else ""
