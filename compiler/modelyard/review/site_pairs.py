"""Compare the plans for the same sites in both versions, regardless of their order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from modelyard.diagnostics.sites import of_sites
from modelyard.fleets.fleet import Fleet
from modelyard.plan import Plan
from modelyard.records import record, replace
from modelyard.review.effect_findings import effects_of_up
from modelyard.review.findings import Finding, Level, facts
from modelyard.review.sides import Sides
from modelyard.review.site_parts import plan_with_part
from modelyard.review.site_systems import with_columns
from modelyard.review.site_terms import with_old_values, without_old_columns
from modelyard.sites.binding import Marked, Site
from modelyard.stages import Outcome
from modelyard.target import Targets


@record
class SitePair:
    """The old and new plans for sites of the same kind, which share a plan in each version.

    For all other site groups, both plans use the values of the same site.
    """

    target: str
    sites: tuple[str, ...]
    before: Plan
    after: Plan


def site_pairs(old: Outcome, new: Outcome) -> tuple[SitePair, ...]:
    """Return pairs of plans for sites that exist in both versions, ordered by each pair's first site."""
    before = {fleet.group.name: fleet for fleet in old.fleets}
    pairs = [
        pair for fleet in new.fleets if fleet.group.name in before for pair in _pairs(before[fleet.group.name], fleet)
    ]
    first = {pair.target: pair for pair in reversed(pairs)}
    return tuple(_aligned(pair, [first[target] for target in first if target != pair.target]) for pair in pairs)


def _aligned(pair: SitePair, others: Iterable[SitePair]) -> SitePair:
    """Return a pair whose plans use the same site for every other group, regardless of site order."""
    before, after = pair.before, pair.after
    for other in others:
        before = plan_with_part(before, other.before, other.target)
        after = plan_with_part(after, other.after, other.target)
    return replace(pair, before=before, after=after)


def _pairs(old: Fleet, new: Fleet) -> Iterator[SitePair]:
    """Yield the pairs of plans. Where only one version has a marker for a column, its plan gets the sites' values."""
    was, now = _kinds(old), _kinds(new)
    rows = [{name: at for at, name in enumerate(fleet.group.names)} for fleet in (old, new)]
    columns = [_marked_in_one(old, new), _marked_in_one(new, old)]
    sites: dict[tuple[object, ...], list[str]] = {}
    for name in sorted(was.keys() & now.keys()):
        values = [
            fleet.group.value(row[name], column)
            for fleet, row, own in zip((old, new), rows, columns, strict=True)
            for column in own
        ]
        sites.setdefault((was[name], now[name], *values), []).append(name)
    for names in sites.values():
        before, after = old.kinds[was[names[0]]].plan, new.kinds[now[names[0]]].plan
        if before is not None and after is not None:
            of_old, of_new = (
                Site(fleet.group, row[names[0]], fleet.binding.marked)
                for fleet, row in zip((old, new), rows, strict=True)
            )
            before, after = with_columns(before, columns[0], of_old), with_columns(after, columns[1], of_new)
            yield SitePair(new.group.name, tuple(names), before, after)


def _marked_in_one(fleet: Fleet, other: Fleet) -> tuple[str, ...]:
    """Return the columns that only this version has markers for although the other one uses them, too."""
    known = other.binding
    return tuple(
        column
        for column in fleet.binding.marked.columns
        if column in known.values and column not in known.marked.columns
    )


def _kinds(fleet: Fleet) -> dict[str, int]:
    """Return the index of each site's kind. Sites of the same kind share a plan."""
    return {fleet.group.names[row]: at for at, kind in enumerate(fleet.kinds) for row in kind.rows}


@record
class _Part:
    """The sites of a pair at which the same columns with markers have other values than before, and these values."""

    pair: SitePair
    columns: tuple[str, ...]
    marked: Marked
    values: Mapping[str, object]

    def written(self, finding: Finding) -> Finding:
        """Return a finding in which references stand for values that change. An acceptance covers exactly these."""
        if not self.columns:
            return finding
        message, exact = (
            without_old_columns(text, self.columns, self.marked) for text in (finding.message, finding.facts)
        )
        return replace(finding, message=message, facts=exact)


def _with_changed_values(pair: SitePair, old: Fleet, new: Fleet) -> Iterator[_Part]:
    """Yield a pair of plans for the sites at which the same columns with markers have other values than before.

    The old plan gets other markers for these columns, because otherwise both versions would have the same.
    """
    marked = new.binding.marked
    columns = [name for name in old.binding.marked.columns if name in marked.columns]
    before, after = ({name: at for at, name in enumerate(fleet.group.names)} for fleet in (old, new))
    alike: dict[tuple[str, ...], dict[str, object]] = {}
    for site in pair.sites:
        values = {name: (old.group.value(before[site], name), new.group.value(after[site], name)) for name in columns}
        differing = {name: pair_of for name, pair_of in values.items() if pair_of[0] != pair_of[1]}
        alike.setdefault(tuple(differing), {})[site] = differing
    for changed, sites in alike.items():
        part = replace(pair, sites=tuple(sites), before=with_old_values(pair.before, changed, marked))
        yield _Part(part, changed, marked, sites)


def effects_at_sites(
    pairs: tuple[SitePair, ...], old: Sequence[Fleet], new: Sequence[Fleet], targets: Targets
) -> Iterator[Finding]:
    """Yield findings about effects on targets with sites, listing the sites unless all of them are affected."""
    before, after = ({fleet.group.name: fleet for fleet in fleets} for fleets in (old, new))
    parts = [part for pair in pairs for part in _with_changed_values(pair, before[pair.target], after[pair.target])]
    for target in dict.fromkeys(part.pair.target for part in parts):
        of_target = [part for part in parts if part.pair.target == target]
        merged: dict[tuple[object, ...], tuple[Finding, list[str], dict[str, object]]] = {}
        for part in of_target:
            pair = part.pair
            sides = Sides(pair.before.system, pair.after.system)
            for found in effects_of_up(sides, pair.before, pair.after, targets, target.__eq__):
                finding = part.written(found)
                key = (finding.code, finding.level, finding.message, finding.facts)
                _, names, values = merged.setdefault(key, (finding, [], {}))
                names += pair.sites
                values |= part.values if part.columns else {}
        total = sum(len(part.pair.sites) for part in of_target)
        for finding, names, values in merged.values():
            yield _named(finding, sorted(names), values, len(names) == total)


def _named(finding: Finding, names: list[str], values: Mapping[str, object], is_everywhere: bool) -> Finding:
    """Add site names to a finding unless it applies at all sites. An acceptance covers exactly these sites."""
    message = finding.message if is_everywhere else f"{finding.message}{of_sites(names)}"
    if finding.level <= Level.NOTE:
        return replace(finding, message=message)
    exact = facts(finding.facts, names, sorted(values.items())) if values else facts(finding.facts, names)
    return replace(finding, message=message, facts=exact)
