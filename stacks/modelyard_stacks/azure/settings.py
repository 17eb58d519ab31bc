"""Stack settings that are lists, and the zones of training pools."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network
from typing import cast

import pulumi

_ZONES = ("1", "2", "3")


def listed(setting: str, example: str) -> list[str]:
    """Return a list setting, or an empty list if unset. Raises RunError if it isn't a list of strings."""
    value: object = pulumi.Config().get_object(setting)
    if value is None:
        return []
    items = cast("list[object]", value) if isinstance(value, list) else []
    texts = [text for text in items if isinstance(text, str)]
    if not texts or len(texts) != len(items):
        raise pulumi.RunError(f"the setting {setting} is a list: pulumi config set --path '{setting}[0]' {example}")
    return texts


def blocks(setting: str, example: str) -> list[str]:
    """Return a setting that is a list of CIDR blocks."""
    texts = listed(setting, example)
    for text in texts:
        try:
            IPv4Network(text)
        except ValueError as error:
            raise pulumi.RunError(f"the setting {setting} has CIDR blocks such as {example}: {error}") from None
    return texts


def connected_networks() -> list[str]:
    """Return the `apiClients` setting, i.e. CIDR blocks of connected networks that may reach the API and stores."""
    return blocks("apiClients", "10.99.0.0/16")


def training_zones(pools: Sequence[str]) -> dict[str, str]:
    """Return the zone chosen for each of the given pools in the stack settings, or "".

    `trainingZones` has zones by pool, and `trainingZone` applies to all other pools. Raises RunError if `trainingZones`
    names a pool that isn't in `pools`, since that zone would be ignored.
    """
    by_pool: object = pulumi.Config().get_object("trainingZones")
    if by_pool is not None and not isinstance(by_pool, dict):
        raise pulumi.RunError(f"the setting trainingZones must map each pool to a zone: {_setting('POOL')}")
    chosen = cast("dict[str, object]", by_pool or {})
    for pool in chosen:
        if pool not in pools:
            known = f"only {', '.join(pools)} may have one" if pools else "no pool of this stack trains in one zone"
            raise pulumi.RunError(f"the setting trainingZones names a zone for {pool}, but {known}")
    default = pulumi.Config().get("trainingZone") or ""
    zones = {pool: str(chosen.get(pool) or default) for pool in pools}
    for pool, zone in zones.items():
        if zone and zone not in _ZONES:
            raise pulumi.RunError(
                f"node pool {pool}: a zone must be 1, 2 or 3, not {zone}; to choose: {_setting(pool)}"
            )
    return zones


def _setting(pool: str) -> str:
    return f"pulumi config set --path 'trainingZones.{pool}' 2"
