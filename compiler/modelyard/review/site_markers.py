"""Show `${site.NAME}`, as written in the spec, instead of the compiler's markers in findings about sites."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from modelyard.records import replace
from modelyard.review.findings import Finding
from modelyard.sites.binding import Marked, filled, placeholder
from modelyard.stages import Outcome

_Markers: TypeAlias = Mapping[int, Marked]

_NONE: Final[_Markers] = {}


def without_markers(findings: Iterable[Finding], old: Outcome | None, new: Outcome) -> Iterator[Finding]:
    """Yield findings from a comparison of two outcomes, without markers in any of their texts.

    The same marker may stand for different columns in the two outcomes, so each value is written with its own outcome's
    columns, also where a message repeats it. Findings about fields that refer to the same column in both are left out:
    the column's values are compared site by site.
    """
    before, after = _NONE if old is None else _markers(old), _markers(new)
    for finding in findings:
        written = _written(finding, before, after) if before or after else finding
        if written.before != written.after or finding.before == finding.after:
            yield written


def _markers(outcome: Outcome) -> _Markers:
    """Return the columns that have markers in an outcome, keyed by group number."""
    bindings = outcome.bound.bindings.values() if outcome.bound is not None else ()
    marked = [*(binding.marked for binding in bindings), *(fleet.binding.marked for fleet in outcome.fleets)]
    return {each.group: each for each in marked if each.columns}


def _written(finding: Finding, before: _Markers, after: _Markers) -> Finding:
    old, new = filled(finding.before, before, placeholder), filled(finding.after, after, placeholder)

    def written(text: str) -> str:
        if finding.before and before != after:
            text = text.replace(finding.before, old)
        return filled(filled(text, after, placeholder), before, placeholder)

    return replace(
        finding,
        path=tuple(map(written, finding.path)),
        message=written(finding.message),
        why=written(finding.why),
        before=filled(old, after, placeholder),
        after=filled(new, before, placeholder),
        reasons=tuple(map(written, finding.reasons)),
        reached=tuple(map(written, finding.reached)),
        facts=written(finding.facts),
    )
