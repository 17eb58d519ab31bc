"""The zones of a region that offer a machine type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import pulumi
from pulumi_gcp import compute

from .project import Project

_MOST = 3


def zones_with(name: str, *, project: Project, machine: str, pool: str, one_zone: bool) -> pulumi.Output[Sequence[str]]:
    """Return up to three zones of the region that offer this machine type, sorted by name.

    With `one_zone`, return one zone: the one that the stack's setting `trainingZones` names for this pool, otherwise
    the one whose number is in the setting `trainingZone`, otherwise the first. Raises RunError if no zone, or not the
    chosen one, offers the machine. A zone that offers a machine may still have none available.
    """
    options = pulumi.InvokeOutputOptions(provider=project, depends_on=list(project.ready))

    def having(names: Sequence[str]) -> pulumi.Output[list[str]]:
        offers = [
            compute.get_machine_types_output(
                project=project.project_id, zone=zone, filter=f'name = "{machine}"', opts=options
            ).apply(lambda answer: bool(answer.machine_types))
            for zone in sorted(names)
        ]
        return pulumi.Output.all(*offers).apply(
            lambda had: [zone for zone, is_there in zip(sorted(names), had, strict=True) if is_there]
        )

    def chosen(zones: Sequence[str]) -> Sequence[str]:
        if not zones:
            raise pulumi.RunError(f"node pool {name}: no zone of {project.region_name} has {machine}")
        if choice is None:
            return zones[:_MOST]
        if isinstance(choice, str):
            return [_named(name, zones, machine, pool, choice)]
        return [_numbered(name, zones, pool, choice)]

    choice = _training_zone(name, pool) if one_zone else None
    found = compute.get_zones_output(project=project.project_id, region=project.region_name, opts=options)
    zones: pulumi.Output[list[str]] = found.names.apply(having)
    return zones.apply(chosen)


def _training_zone(name: str, pool: str) -> str | int:
    """Return the zone that the settings name for this pool, or its number among the zones that offer the machine."""
    by_pool: object = pulumi.Config().get_object("trainingZones")
    if by_pool is not None and not isinstance(by_pool, dict):
        raise pulumi.RunError(f"the setting trainingZones has a zone for each pool: {_setting(pool, 'ZONE')}")
    zone = cast("dict[str, object]", by_pool or {}).get(pool)
    if zone is not None:
        return str(zone)
    number = pulumi.Config().get_int("trainingZone") or 1
    if number < 1:
        raise pulumi.RunError(f"node pool {name}: trainingZone is 1 or more, not {number}")
    return number


def _named(name: str, zones: Sequence[str], machine: str, pool: str, zone: str) -> str:
    if zone not in zones:
        raise pulumi.RunError(
            f"node pool {name}: {zone} has no {machine}, so trainingZones.{pool} is one of {', '.join(zones)}"
        )
    return zone


def _numbered(name: str, zones: Sequence[str], pool: str, number: int) -> str:
    if number > len(zones):
        raise pulumi.RunError(
            f"node pool {name}: trainingZone is 1 to {len(zones)}, not {number}: {', '.join(zones)};"
            f" to choose for this pool alone: {_setting(pool, zones[0])}"
        )
    return zones[number - 1]


def _setting(pool: str, zone: str) -> str:
    return f"pulumi config set --path 'trainingZones.{pool}' {zone}"
