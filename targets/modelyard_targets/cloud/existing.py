"""Clusters adopted by a cloud target, and what the planner and workloads project use for them."""

from __future__ import annotations

from functools import partial
from typing import Final

from modelyard.names import object_name
from modelyard.plan import Hardware, Hardwarer, Kind, NodePool, NoMachine, Offer, Plan, Resource
from modelyard.records import replace
from modelyard.spec import ComputeClass, Network, System, TargetSpec
from modelyard_targets.cloud.choose import POOL
from modelyard_targets.kube.existing.choose import choose, choose_system
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.machines.fitting import wants_accelerator

_LONGEST_NAMESPACE: Final = 63
_LONGEST_LABEL: Final = 63

SECRETS_ACCOUNT: Final = "secrets-reader"
"""The ServiceAccount that the system's own secret store, in the system's namespace, uses to read secrets."""


def on_existing(offer: Offer) -> Offer:
    """Turn a cloud's offer into that of an adopted cluster, which has its own gateway classes.

    Either the spec declares the cluster's machines, or compute classes get new node pools in the cluster.
    """
    addons = {kind: names for kind, names in offer.addons.items() if kind is not Kind.ENDPOINT}
    return replace(
        offer,
        choose=partial(_choose, offer.choose),
        choose_system=choose_system,
        addons=addons,
        gateway_class="",
        namespace=namespace,
        mark=mark,
    )


def on_existing_without_accelerators(offer: Offer) -> Offer:
    """Return an adopted cluster's offer in a cloud that doesn't install drivers or device plugins by itself.

    The owner's plugin only covers the owner's machines, and a second plugin would advertise each accelerator twice.
    """
    return on_existing(replace(offer, choose=partial(_plain, offer.choose)))


def mark(hardware: Hardware, system: System) -> Hardware:
    """Add the system's name to the label and taint of its own node pools.

    Other systems in the cluster may have compute classes with the same names. Otherwise, their Pods would run on these
    machines.
    """
    pool = dict(hardware.selector).get(POOL)
    if pool is None or not hardware.groups:
        return hardware
    own = object_name(namespace(system), pool, limit=_LONGEST_LABEL)
    renamed = {pool: own, derived(pool): derived(own)}
    keys = [key for key, _ in hardware.selector]
    return replace(
        hardware,
        selector=tuple((key, renamed.get(value, value)) for key, value in hardware.selector),
        tolerations=tuple(
            replace(taint, value=renamed.get(taint.value, taint.value)) if taint.key in keys else taint
            for taint in hardware.tolerations
        ),
    )


def derived(pool: str) -> str:
    """Return the name of an object that belongs to a single node pool.

    One such object is the order in which the pool's machine types are tried.
    """
    return object_name("modelyard", pool)


def pool_label(pool: Resource[NodePool]) -> str:
    """Return the label value on a pool's nodes: its name, prefixed by the system's on an adopted cluster."""
    return dict(pool.value.hardware.selector).get(POOL, pool.name)


def creates_pools(plan: Plan, placement: str) -> bool:
    """Return whether compute classes get node pools in a cluster that the target adopts."""
    return adopts(plan, placement) and target_of(plan, placement).cluster.creates_pools


def _plain(created: Hardwarer, compute: ComputeClass, target: TargetSpec) -> Hardware | NoMachine:
    """Choose machines in an adopted cluster where only the owner can provide accelerators.

    Returns the reason if none can be chosen.
    """
    if wants_accelerator(compute):
        return NoMachine(
            "node pools created in an existing cluster cannot have accelerators, because the cluster's owner installs "
            "the device plugin; declare existing machines under `capacity` instead"
        )
    chosen = created(compute, target)
    if isinstance(chosen, Hardware) and chosen.elastic and not chosen.groups:
        return NoMachine("an elastic class needs Karpenter, which is not installed in an existing cluster")
    return chosen


def _choose(created: Hardwarer, compute: ComputeClass, target: TargetSpec) -> Hardware | NoMachine:
    return created(compute, target) if target.cluster.creates_pools else choose(compute, target)


def namespace(system: System) -> str:
    """Return the default namespace, which includes the environment because environments may share a cluster."""
    parts = (system.metadata.name, "" if system.environment == "default" else system.environment)
    return object_name(*(part for part in parts if part), limit=_LONGEST_NAMESPACE)


def adopts(plan: Plan, placement: str) -> bool:
    """Return whether a placement runs on a cluster that its target adopts."""
    return bool(target_of(plan, placement).cluster.adopt) and plan.has_cluster(placement)


def network_of(cidr: str, adopted: str, cluster: str) -> Network | None:
    """Return a target's network: an adopted cluster's if its range is known, an adopted network, or a new one."""
    if cluster:
        return Network(cidr, ("cluster", "cidr"), "cluster: {cidr: 10.1.0.0/16}", cluster) if cidr else None
    return Network(cidr, ("vpc", "cidr"), "vpc: {cidr: 10.1.0.0/16}", adopted)
