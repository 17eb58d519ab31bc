"""Judge the overrides of targets with sites, which may apply to some of the sites only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from modelyard.diagnostics.sites import of_sites
from modelyard.fleets.fleet import Fleet
from modelyard.plan import Plan
from modelyard.records import replace
from modelyard.review.findings import Finding, facts
from modelyard.review.sides import Sides
from modelyard.review.site_pairs import SitePair
from modelyard.same import is_same
from modelyard.spec import Override, System


def judged_at_sites(
    pairs: Sequence[SitePair], sides: Sides, judge: Callable[[Sides], Iterable[Finding]]
) -> Iterator[Finding]:
    """Yield the findings about two systems, and those about each override at the sites where it changes.

    The systems are for one site of each target, so overrides of other sites are not in them.
    """
    targets = {pair.target for pair in pairs}
    base = Sides(*(_without_overrides(system, targets) for system in (sides.before, sides.after)))
    yield from judge(base)
    for target in sorted(targets):
        of_target = [pair for pair in pairs if pair.target == target]
        total = sum(len(pair.sites) for pair in of_target)
        for name, members in _changed(of_target):
            sites = sorted(site for pair in members for site in pair.sites)
            first = members[0]
            at_site = Sides(
                _with_override(base.before, first.before.system, name),
                _with_override(base.after, first.after.system, name),
            )
            about = (finding for finding in judge(at_site) if finding.path[:2] == ("overrides", name))
            yield from about if len(sites) == total else (_named(finding, sites) for finding in about)


def with_every_override(system: System, fleets: Iterable[Fleet]) -> System:
    """Return a system with the overrides of all sites, of which it has only those of the first."""
    overrides = {override.name: override for override in system.overrides}
    for fleet in fleets:
        for kind in fleet.kinds:
            for override in kind.plan.system.overrides if kind.plan is not None else ():
                overrides.setdefault(override.name, override)
    return system if len(overrides) == len(system.overrides) else replace(system, overrides=tuple(overrides.values()))


def _without_overrides(system: System, targets: set[str]) -> System:
    kept = tuple(override for override in system.overrides if override.target not in targets)
    return system if len(kept) == len(system.overrides) else replace(system, overrides=kept)


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


def _named(finding: Finding, sites: list[str]) -> Finding:
    """Add the names of sites to a finding. An acceptance covers exactly these sites."""
    return replace(finding, message=f"{finding.message}{of_sites(sites)}", facts=facts(finding.facts, sites))
