"""Compare the plans for the same sites in both versions, whatever the order of the sites."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from modelyard.diagnostics.sites import of_sites
from modelyard.fleets.fleet import Fleet
from modelyard.plan import Plan
from modelyard.records import record, replace
from modelyard.review.effect_findings import effects_of_up
from modelyard.review.findings import Finding, Level, facts
from modelyard.review.sides import Sides
from modelyard.review.site_parts import plan_with_part
from modelyard.review.site_systems import with_columns
from modelyard.sites.binding import Site
from modelyard.stages import Outcome
from modelyard.target import Targets


@record
class SitePair:
    """The old and the new plan for sites that share a kind, and so a plan, in each version.

    For all other groups of sites, both plans have the values of the same site.
    """

    target: str
    sites: tuple[str, ...]
    before: Plan
    after: Plan


def site_pairs(old: Outcome, new: Outcome) -> tuple[SitePair, ...]:
    """Return the pairs of plans for the sites that exist in both versions, in order of each pair's first site."""
    before = {fleet.group.name: fleet for fleet in old.fleets}
    pairs = [
        pair for fleet in new.fleets if fleet.group.name in before for pair in _pairs(before[fleet.group.name], fleet)
    ]
    first = {pair.target: pair for pair in reversed(pairs)}
    return tuple(_aligned(pair, [first[target] for target in first if target != pair.target]) for pair in pairs)


def _aligned(pair: SitePair, others: Iterable[SitePair]) -> SitePair:
    """Return a pair in which each other group's part of both plans is for the same site, whatever their order."""
    before, after = pair.before, pair.after
    for other in others:
        before = plan_with_part(before, other.before, other.target)
        after = plan_with_part(after, other.after, other.target)
    return replace(pair, before=before, after=after)


def _pairs(old: Fleet, new: Fleet) -> Iterator[SitePair]:
    was, now = _kinds(old), _kinds(new)
    sites: dict[tuple[int, int], list[str]] = {}
    for name in sorted(was.keys() & now.keys()):
        sites.setdefault((was[name], now[name]), []).append(name)
    for (first, second), names in sites.items():
        before, after = old.kinds[first].plan, new.kinds[second].plan
        if before is not None and after is not None:
            yield SitePair(new.group.name, tuple(names), before, after)


def _kinds(fleet: Fleet) -> dict[str, int]:
    """Return the position of each site's kind. Sites of the same kind have the same plan."""
    return {fleet.group.names[row]: at for at, kind in enumerate(fleet.kinds) for row in kind.rows}


def _with_changed_values(pair: SitePair, old: Fleet, new: Fleet) -> Iterator[SitePair]:
    """Yield a pair of plans for the sites at which the same columns with markers have other values than before.

    The plans get the first site's values of these columns, because markers are the same in both versions.
    """
    columns = [name for name in old.binding.marked.columns if name in new.binding.marked.columns]
    before, after = ({name: at for at, name in enumerate(fleet.group.names)} for fleet in (old, new))
    alike: dict[tuple[str, ...], list[str]] = {}
    for site in pair.sites:
        differing = tuple(
            column
            for column in columns
            if old.group.value(before[site], column) != new.group.value(after[site], column)
        )
        alike.setdefault(differing, []).append(site)
    for changed, (site, *others) in alike.items():
        yield replace(
            pair,
            sites=(site, *others),
            before=with_columns(pair.before, changed, Site(old.group, before[site], old.binding.marked)),
            after=with_columns(pair.after, changed, Site(new.group, after[site], new.binding.marked)),
        )


def effects_at_sites(
    pairs: tuple[SitePair, ...], old: Sequence[Fleet], new: Sequence[Fleet], targets: Targets
) -> Iterator[Finding]:
    """Yield the findings about effects on targets with sites. They list the sites unless they apply at every site."""
    before, after = ({fleet.group.name: fleet for fleet in fleets} for fleets in (old, new))
    pairs = tuple(
        part for pair in pairs for part in _with_changed_values(pair, before[pair.target], after[pair.target])
    )
    for target in dict.fromkeys(pair.target for pair in pairs):
        of_target = [pair for pair in pairs if pair.target == target]
        merged: dict[tuple[object, ...], tuple[Finding, list[str]]] = {}
        for pair in of_target:
            sides = Sides(pair.before.system, pair.after.system)
            for finding in effects_of_up(sides, pair.before, pair.after, targets, target.__eq__):
                key = (finding.code, finding.level, finding.message, finding.facts)
                merged.setdefault(key, (finding, []))[1].extend(pair.sites)
        total = sum(len(pair.sites) for pair in of_target)
        for finding, names in merged.values():
            yield _named(finding, sorted(names), len(names) == total)


def _named(finding: Finding, names: list[str], is_everywhere: bool) -> Finding:
    """Add the sites' names to a finding, unless it applies at all sites. An acceptance covers exactly these sites."""
    message = finding.message if is_everywhere else f"{finding.message}{of_sites(names)}"
    if finding.level <= Level.NOTE:
        return replace(finding, message=message)
    return replace(finding, message=message, facts=facts(finding.facts, names))
