"""Write the commands for a target's sites: one per site, filled in with its values."""

from __future__ import annotations

from modelyard.fleets.judging import with_references
from modelyard.handover import Remote
from modelyard.migration.sides import Side
from modelyard.records import replace
from modelyard.sites.binding import Site, has_markers


def for_each_site(side: Side, command: str) -> tuple[str, ...]:
    """Return a command filled in for each site, or unchanged if it contains no markers for site values."""
    if not has_markers(command):
        return (command,)
    commands = [command]
    for sites in _sites(side):
        commands = list(dict.fromkeys(site.filled(template) for template in commands for site in sites.values()))
    return tuple(commands)


def site_names(side: Side, text: str) -> tuple[str, ...]:
    """Return the names of the sites that a string's markers stand for, or none if it has no markers."""
    return next(
        (tuple(sites) for sites in _sites(side) if any(site.filled(text) != text for site in sites.values())), ()
    )


def at_site(side: Side, name: str, text: str) -> str:
    """Replace one side's markers in a string with the named site's values.

    A marker stands for a column by its position, so the same marker may stand for another column on the other side.
    """
    for sites in _sites(side):
        text = sites[name].filled(text) if name in sites else text
    return text


def remote_at(side: Side, name: str, remote: Remote) -> Remote:
    """Return a store as it is at the named site."""
    settings = tuple((option, at_site(side, name, value)) for option, value in remote.settings)
    bucket, uri = at_site(side, name, remote.bucket), at_site(side, name, remote.uri)
    return replace(remote, settings=settings, bucket=bucket, uri=uri)


def _sites(side: Side) -> list[dict[str, Site]]:
    bound = side.outcome.bound
    if bound is None:
        return []
    return [
        {name: Site(group, at, bound.bindings[group.name].marked) for at, name in enumerate(group.names)}
        for group in bound.groups
    ]


def is_at_sites(remote: Remote) -> bool:
    """Return whether a store exists once for each site."""
    return any(map(has_markers, (remote.bucket, remote.uri, *(value for _, value in remote.settings))))


def address(side: Side, remote: Remote) -> tuple[str, ...]:
    """Return the values that identify a store, with references such as `${site.s3}` in place of site values."""
    return tuple(with_references(side.outcome, text) for text in (remote.uri, *(value for _, value in remote.settings)))
