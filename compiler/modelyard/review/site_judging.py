"""Judge a changed site value by the rules for the fields that use it, as if it were written in the spec."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from modelyard.diagnostics.sites import of_sites
from modelyard.records import record, replace
from modelyard.review.findings import Finding, facts
from modelyard.review.sides import Sides
from modelyard.review.site_pairs import SitePair
from modelyard.review.site_systems import with_values
from modelyard.sites.binding import Marked, Site, has_markers
from modelyard.sites.groups import Group, Scalar

MOST_JUDGED: Final = 100
"""The maximum number of different changes of a column that the rules judge. Each costs a comparison of two systems."""

Judge: TypeAlias = Callable[[Sides], Iterable[Finding]]
"""Returns the findings about the values that differ between two systems."""


@record
class Versions:
    """Both versions of a site group, including the markers for its values and the plans for its sites.

    `known` holds the findings about the spec itself, which are the same at every site.
    """

    old: Group
    new: Group
    old_marked: Marked
    new_marked: Marked
    pairs: tuple[SitePair, ...]
    judge: Judge
    known: tuple[Finding, ...]


def judged_directly(versions: Versions, column: str, rows: Sequence[tuple[int, int]]) -> Iterator[Finding]:
    """Yield findings about the fields that use a column. `rows` holds each site's position in both versions.

    Yields nothing if no field shows the column's values, or if they change in too many different ways.
    """
    pairs = {name: pair for pair in versions.pairs if pair.target == versions.new.name for name in pair.sites}
    alike: dict[tuple[int, str, str], list[tuple[int, int]]] = {}
    for old, new in rows:
        pair = pairs.get(versions.new.names[new])
        if pair is not None:
            was, now = _value(versions.old, column, old), _value(versions.new, column, new)
            alike.setdefault((id(pair), repr(was), repr(now)), []).append((old, new))
    if len(alike) > MOST_JUDGED:
        return
    merged: dict[tuple[object, ...], list[tuple[Finding, list[tuple[int, int]]]]] = {}
    for members in alike.values():
        pair = pairs[versions.new.names[members[0][1]]]
        for finding in _at_site(versions, pair, column, *members[0]):
            merged.setdefault((finding.code, finding.level, finding.path), []).append((finding, members))
    for judged in merged.values():
        yield _joined(judged, versions, column)


def _value(group: Group, column: str, at: int) -> Scalar | None:
    return group.columns[column][at] if column in group.columns else None


def _at_site(versions: Versions, pair: SitePair, column: str, old: int, new: int) -> Iterator[Finding]:
    """Yield a site's findings as if only this column had changed, except those about the spec itself."""
    others: Mapping[str, Scalar | None] = {
        name: _value(versions.new, name, new)
        for name in versions.old_marked.columns
        if name != column and name in versions.new.columns
    }
    before = with_values(pair.before.system, Site(versions.old, old, versions.old_marked, others))
    after = with_values(pair.after.system, Site(versions.new, new, versions.new_marked))
    for finding in versions.judge(Sides(before, after)):
        if not any(_is_of_spec(known, finding) for known in versions.known if known.path == finding.path):
            yield finding


def _is_of_spec(known: Finding, finding: Finding) -> bool:
    """Return whether a finding repeats a known finding about the spec, which may have markers instead of values."""
    return (known.before, known.after) == (finding.before, finding.after) or has_markers(known.before + known.after)


def _joined(judged: Sequence[tuple[Finding, Sequence[tuple[int, int]]]], versions: Versions, column: str) -> Finding:
    """Return one finding for all sites, with the values of the first. An acceptance covers the values of every site."""
    first, ((old, new), *_) = judged[0]
    message = first.message
    if any(finding.message != message for finding, _ in judged):
        message = f"{message} at site {versions.new.names[new]}, and others differ"
    values = sorted(
        (versions.new.names[at], finding.before, finding.after) for finding, members in judged for _, at in members
    )
    return replace(
        first,
        message=f"{message}{of_sites([name for name, *_ in values])}",
        facts=facts(first.facts, values),
        was_at=versions.old.places(old, column) if column in versions.old.columns else None,
        now_at=versions.new.places(new, column) if column in versions.new.columns else None,
    )
