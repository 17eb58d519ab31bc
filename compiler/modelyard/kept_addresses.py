"""Report addresses that a move keeps although they resolve only inside the old cluster."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.migrating import address_left_behind
from modelyard.plan import host_of, is_cluster_local, is_same_cluster
from modelyard.source import Path
from modelyard.spec import System


def check_kept_addresses(old: System, new: System) -> Iterator[Diagnostic]:
    """Report each Service address that is kept although the move creates a new cluster.

    In an existing cluster, the same name may belong to another Service.
    """
    before = {what: (target, address) for what, _, target, address in _addresses(old)}
    for what, path, target, address in _addresses(new):
        came_from, kept = before.get(what, (None, ""))
        there = new.target(target)
        if came_from is None or address != kept or not there.creates_cluster or not is_cluster_local(host_of(address)):
            continue
        if not is_same_cluster(old.target(came_from), there):
            yield address_left_behind(new.at(*path), what, host_of(address), came_from, there.name)


def _addresses(system: System) -> Iterator[tuple[str, Path, str, str]]:
    """Yield the description, path, target and address of each entry that has an address."""
    for store in system.stores.values():
        if store.endpoint:
            yield f"store '{store.name}'", ("stores", store.name, "endpoint"), store.target, store.endpoint
        elif store.type == "database" and store.adopt:
            address = f"postgresql://{store.adopt}"
            yield f"database '{store.name}'", ("stores", store.name, "adopt"), store.target, address
    if system.registry is not None and system.registry.adopt:
        yield "the registry", ("registry", "adopt"), system.deployment.placement.registry, system.registry.adopt
