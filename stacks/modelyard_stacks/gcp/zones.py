"""The zones of a region that offer a machine type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import pulumi
from pulumi_gcp import compute

from .project import Project

_MOST = 3


def zones_with(
    name: str, *, project: Project, machine: str, pool: str, one_zone: Mapping[str, str]
) -> pulumi.Output[Sequence[str]]:
    """Return up to three zones in the region that offer the given machine type, sorted by name.

    If the pool is in `one_zone`, this is a single zone: the one that `one_zone` names for this pool, otherwise the one
    whose number is in the stack setting `trainingZone`, otherwise the first. Raises RunError if no zone, or not the
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
            return [_configured_zone(name, zones, machine, pool, choice)]
        return [_numbered(name, zones, pool, choice)]

    choice = _training_zone(name, one_zone[pool]) if pool in one_zone else None
    region_zones = compute.get_zones_output(project=project.project_id, region=project.region_name, opts=options)
    zones: pulumi.Output[list[str]] = region_zones.names.apply(having)
    return zones.apply(chosen)


def training_zones(pools: Sequence[str]) -> dict[str, str]:
    """Return the zone named for each of the given pools in the stack setting `trainingZones`, or "".

    Raises RunError if the setting names any other pool, since that zone would be ignored.
    """
    by_pool: object = pulumi.Config().get_object("trainingZones")
    if by_pool is not None and not isinstance(by_pool, dict):
        raise pulumi.RunError(f"the setting trainingZones must map each pool to a zone: {_setting('POOL', 'ZONE')}")
    chosen = cast("dict[str, object]", by_pool or {})
    for pool in chosen:
        if pool not in pools:
            known = f"only {', '.join(pools)} may have one" if pools else "no pool of this stack trains in one zone"
            raise pulumi.RunError(f"the setting trainingZones names a zone for {pool}, but {known}")
    return {pool: str(chosen.get(pool) or "") for pool in pools}


def _training_zone(name: str, zone: str) -> str | int:
    """Return the zone named in the settings, or its number among the zones that offer the machine."""
    if zone:
        return zone
    number = pulumi.Config().get_int("trainingZone") or 1
    if number < 1:
        raise pulumi.RunError(f"node pool {name}: trainingZone must be 1 or more, not {number}")
    return number


def _configured_zone(name: str, zones: Sequence[str], machine: str, pool: str, zone: str) -> str:
    if zone not in zones:
        raise pulumi.RunError(
            f"node pool {name}: {zone} has no {machine}, so trainingZones.{pool} must be one of {', '.join(zones)}"
        )
    return zone


def _numbered(name: str, zones: Sequence[str], pool: str, number: int) -> str:
    if number > len(zones):
        raise pulumi.RunError(
            f"node pool {name}: trainingZone must be 1 to {len(zones)}, not {number}: {', '.join(zones)};"
            f" to choose for this pool alone: {_setting(pool, zones[0])}"
        )
    return zones[number - 1]


def _setting(pool: str, zone: str) -> str:
    return f"pulumi config set --path 'trainingZones.{pool}' {zone}"
