"""Judge what applies to some of a target's sites only: overrides, and fields that one version takes from the sites."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from modelyard.diagnostics.sites import of_sites
from modelyard.fleets.fleet import Fleet
from modelyard.plan import Plan
from modelyard.records import replace
from modelyard.review.findings import Finding, facts
from modelyard.review.sides import Sides
from modelyard.review.site_judging import MOST_JUDGED
from modelyard.review.site_pairs import SitePair
from modelyard.same import is_same
from modelyard.spec import Override, System

Judge: TypeAlias = Callable[[Sides], Iterable[Finding]]
"""Returns the findings about the values that differ between two systems."""


def judged_at_sites(pairs: Sequence[SitePair], sides: Sides, judge: Judge) -> tuple[list[Finding], list[Finding]]:
    """Return the findings about two systems: those at every site, and those at some sites, which name these.

    The systems are for one site of each target, so overrides of other sites are not in them. Fields of other sites may
    differ from theirs because a version contains a value that the other one takes from the sites.
    """
    targets = {pair.target for pair in pairs}
    base = _without_overrides(sides, targets)
    everywhere = list(judge(base))
    limited: list[Finding] = []
    for target in sorted(targets):
        of_target = [pair for pair in pairs if pair.target == target]
        if 1 < len(of_target) <= MOST_JUDGED:
            everywhere, some = _at_some_sites(everywhere, of_target, targets, judge)
            limited += some
        for name, members in _changed(of_target):
            at_site = Sides(
                _with_override(base.before, members[0].before.system, name),
                _with_override(base.after, members[0].after.system, name),
            )
            about = (finding for finding in judge(at_site) if finding.path[:2] == ("overrides", name))
            everywhere += about if members == of_target else (_named(finding, members) for finding in about)
    return everywhere, limited


def _at_some_sites(
    known: list[Finding], pairs: Sequence[SitePair], targets: set[str], judge: Judge
) -> tuple[list[Finding], list[Finding]]:
    """Divide the findings about the first pair, and add those about other pairs, by whether they apply to all pairs."""
    found = [{_change(finding): finding for finding in known}]
    for pair in pairs[1:]:
        sides = _without_overrides(Sides(pair.before.system, pair.after.system), targets)
        found.append({_change(finding): finding for finding in judge(sides)})
    common = set(found[0]).intersection(*found[1:])
    everywhere = [finding for finding in known if _change(finding) in common]
    limited: dict[tuple[object, ...], list[tuple[Finding, SitePair]]] = {}
    for pair, each in zip(pairs, found, strict=True):
        for change, finding in each.items():
            if change not in common:
                limited.setdefault((finding.code, finding.level, finding.path), []).append((finding, pair))
    return everywhere, [_joined(members) for members in limited.values()]


def _joined(members: Sequence[tuple[Finding, SitePair]]) -> Finding:
    """Return one finding for the same field at several sites, with the first site's values."""
    first, pair = members[0]
    if any(finding.message != first.message for finding, _ in members):
        values = sorted((pair.sites, finding.before, finding.after) for finding, pair in members)
        message = f"{first.message} at site {min(pair.sites)}, and others differ"
        first = replace(first, message=message, facts=facts(first.facts, values))
    return _named(first, [pair for _, pair in members])


def _change(finding: Finding) -> tuple[object, ...]:
    return finding.code, finding.level, finding.path, finding.before, finding.after


def with_every_override(system: System, fleets: Iterable[Fleet]) -> System:
    """Return a system with the overrides of all sites, of which it has only those of the first."""
    overrides = {override.name: override for override in system.overrides}
    for fleet in fleets:
        for kind in fleet.kinds:
            for override in kind.plan.system.overrides if kind.plan is not None else ():
                overrides.setdefault(override.name, override)
    return system if len(overrides) == len(system.overrides) else replace(system, overrides=tuple(overrides.values()))


def _without_overrides(sides: Sides, targets: set[str]) -> Sides:
    """Return both systems without the overrides of the given targets."""
    before, after = (
        replace(system, overrides=tuple(each for each in system.overrides if each.target not in targets))
        for system in (sides.before, sides.after)
    )
    return Sides(before, after)


def _changed(pairs: Sequence[SitePair]) -> Iterator[tuple[str, list[SitePair]]]:
    """Yield the name of each override that is new, removed or different, with the sites where it is."""
    changed: dict[tuple[str, bool, bool], list[SitePair]] = {}
    for pair in pairs:
        old, new = _overrides(pair.before, pair.target), _overrides(pair.after, pair.target)
        for name in {**old, **new}:
            was, now = old.get(name), new.get(name)
            if not is_same(was, now):
                changed.setdefault((name, was is None, now is None), []).append(pair)
    yield from ((name, members) for (name, _, _), members in changed.items())


def _overrides(plan: Plan, target: str) -> Mapping[str, Override]:
    return {override.name: override for override in plan.system.overrides if override.target == target}


def _with_override(system: System, at_site: System, name: str) -> System:
    """Return a system with a site's override, if the site has it, and with the document that contains it."""
    overrides = tuple(override for override in at_site.overrides if override.name == name)
    return replace(system, overrides=(*system.overrides, *overrides), document=at_site.document)


def _named(finding: Finding, pairs: Sequence[SitePair]) -> Finding:
    """Add the names of the pairs' sites to a finding. An acceptance covers exactly these sites."""
    sites = sorted(site for pair in pairs for site in pair.sites)
    return replace(finding, message=f"{finding.message}{of_sites(sites)}", facts=facts(finding.facts, sites))
