"""Write the commands for a target's sites: one command for each site, with the site's values."""

from __future__ import annotations

from modelyard.fleets.judging import with_references
from modelyard.handover import Remote
from modelyard.migration.sides import Side
from modelyard.sites.binding import filled, has_markers


def for_each_site(side: Side, command: str) -> tuple[str, ...]:
    """Return a command filled in with each site's values, or unchanged if it contains no markers for such values."""
    bound = side.outcome.bound
    if bound is None or not has_markers(command):
        return (command,)
    commands = [command]
    for group in bound.groups:
        marked = {bound.bindings[group.name].marked.group: bound.bindings[group.name].marked}
        filled_in = [
            filled(template, marked, lambda _, columns, at=at, group=group: str(group.value(at, columns[0])))  # type: ignore[misc]
            for template in commands
            for at in range(len(group.names))
        ]
        commands = list(dict.fromkeys(filled_in))
    return tuple(commands)


def is_at_sites(remote: Remote) -> bool:
    """Return whether a store exists once for each site."""
    return any(map(has_markers, (remote.bucket, remote.uri, *(value for _, value in remote.settings))))


def address(side: Side, remote: Remote) -> tuple[str, ...]:
    """Return the values that identify a store, with references such as `${site.s3}` instead of sites' values."""
    return tuple(with_references(side.outcome, text) for text in (remote.uri, *(value for _, value in remote.settings)))
