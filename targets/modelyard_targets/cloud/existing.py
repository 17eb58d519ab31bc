"""A cluster that a target of a cloud adopts: what the planner and the workloads project use instead of its own."""

from __future__ import annotations

from typing import Final

from modelyard.names import object_name
from modelyard.plan import Kind, Offer, Plan
from modelyard.records import replace
from modelyard.spec import Network, System
from modelyard_targets.kube.existing.choose import choose, choose_system
from modelyard_targets.kube.placement.placed import target_of

_LONGEST_NAMESPACE: Final = 63

SECRETS_ACCOUNT: Final = "secrets-reader"
"""The ServiceAccount, in the system's namespace, with which its own secret store reads secrets."""


def on_existing(offer: Offer) -> Offer:
    """Return the offer of an adopted cluster, whose machines are declared and whose gateway classes are its own."""
    addons = {kind: names for kind, names in offer.addons.items() if kind is not Kind.ROUTE}
    return replace(
        offer, choose=choose, choose_system=choose_system, addons=addons, gateway_class="", namespace=namespace
    )


def namespace(system: System) -> str:
    """Return the default namespace, built from system and environment, because environments may share a cluster."""
    parts = (system.metadata.name, "" if system.environment == "default" else system.environment)
    return object_name(*(part for part in parts if part), limit=_LONGEST_NAMESPACE)


def adopts(plan: Plan, placement: str) -> bool:
    """Return whether a placement runs on a cluster that its target adopts."""
    return bool(target_of(plan, placement).cluster.adopt) and plan.has_cluster(placement)


def network_of(cidr: str, adopted: str, cluster: str) -> Network | None:
    """Return a target's network: that of an adopted cluster if its range is known, an adopted one, or a new one."""
    if cluster:
        return Network(cidr, ("cluster", "cidr"), "cluster: {cidr: 10.1.0.0/16}", cluster) if cidr else None
    return Network(cidr, ("vpc", "cidr"), "vpc: {cidr: 10.1.0.0/16}", adopted)
