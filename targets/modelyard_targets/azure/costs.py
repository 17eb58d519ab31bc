"""Cost lines for a placement on Azure."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from modelyard.costs import CostLine, fixed
from modelyard.plan import SYSTEM_POOL, Hardware, Kind, NodeGroup, Plan, Resource, Secret
from modelyard.spec import Store, System, TargetSpec
from modelyard_targets.azure.foundation import log_days
from modelyard_targets.azure.machines import offerings
from modelyard_targets.azure.options import has_nat, vpc_of
from modelyard_targets.azure.pools import CLUSTER_MACHINE, cluster_nodes, disks_of, system_nodes
from modelyard_targets.azure.storage import DATABASE, ENTERPRISE_DATABASE, disk_gib, redundancy_of
from modelyard_targets.cloud.costs.lines import Bill, copies_of
from modelyard_targets.cloud.costs.nodes import Disk, disk_line, node_lines, own_pool, system_lines
from modelyard_targets.cloud.costs.objects import load_balancers, volumes
from modelyard_targets.cloud.costs.provider import CloudCosts
from modelyard_targets.cloud.costs.traffic import Objects, backups, images, internet, logs, requests_of
from modelyard_targets.cloud.pools import DISK_GIB, Nodes
from modelyard_targets.kube.image.needed import needs_runtime_image
from modelyard_targets.kube.placement.placed import managed_stores, target_of

_CLUSTER_DISK_GIB: Final = 64
_CLUSTER_SURGE: Final = 2
"""Maximum number of nodes in AKS' own pool beyond its minimum."""

_TIERS: Final = (
    ("P1", 4), ("P2", 8), ("P3", 16), ("P4", 32), ("P6", 64), ("P10", 128), ("P15", 256), ("P20", 512), ("P30", 1024),
    ("P40", 2048), ("P50", 4096), ("P60", 8192), ("P70", 16384), ("P80", 32767),
)  # fmt: skip
"""Sizes in GiB in which Azure sells Premium SSDs. A disk in between costs as much as the next larger size."""

_FREE_LOG_DAYS: Final = 31
"""The days for which logs are kept at no extra charge (learn.microsoft.com/azure/azure-monitor/logs/cost-logs)."""

_DNS_ZONES: Final = 4
_ALERTS_OF_A_DATABASE: Final = 4
_ALERTS_OF_NAT: Final = 1
_SECRETS_VIA: Final = "secrets-manager"


def _cluster(bill: Bill, plan: Plan, placement: str, target: TargetSpec) -> Iterator[CostLine]:
    sheet = bill.sheet
    yield from bill.hourly(1, "AKS control plane, Standard", "cluster-hours", "compute")
    own = Nodes(cluster_nodes(plan), cluster_nodes(plan) + _CLUSTER_SURGE)
    yield from own_pool(sheet, bill.address, f"AKS' own pool, {CLUSTER_MACHINE}", CLUSTER_MACHINE, own)
    yield disk_line(sheet, bill.address, premium(_CLUSTER_DISK_GIB), own, "AKS' own pool")
    yield from system_lines(sheet, plan, placement, system_nodes(plan, placement), _disk)
    yield from node_lines(sheet, plan, placement, _disk)
    yield from _network(bill, plan, placement, target)
    yield from logs(sheet, plan, bill.address, log_days(plan.system), _FREE_LOG_DAYS)


def _nodes(bill: Bill, plan: Plan, placement: str, target: TargetSpec) -> Iterator[CostLine]:
    """Yield the cost of node pools for compute classes in an adopted cluster.

    The cluster's owner pays for everything else.
    """
    yield from node_lines(bill.sheet, plan, placement, _disk)


def _added(bill: Bill, plan: Plan, placement: str, target: TargetSpec) -> Iterator[CostLine]:
    """Yield the cost of what a system adds to any cluster.

    This includes add-on volumes, private endpoints, load balancers and the runtime image's registry.
    """
    for gib, count in volumes(plan, placement).items():
        disk = premium(gib)
        what = f"volumes for metrics and alerts, {disk.what}"
        yield from bill.monthly(fixed(count * disk.amount), what, disk.item, "months", "storage")
    yield from bill.hourly(_endpoints(plan, placement, target), "private endpoints", "endpoint-hours", "network")
    yield from _balanced(bill, plan, placement)
    if needs_runtime_image(plan, placement) and not target.images.registry:
        yield from bill.monthly(fixed(1), "container registry, Premium", "registry-months", "months", "storage")
        yield images(bill.sheet, bill.address)


def _network(bill: Bill, plan: Plan, placement: str, target: TargetSpec) -> Iterator[CostLine]:
    """Yield the cost of the NAT gateway with its address and alert, and of private DNS zones."""
    if has_nat(target):
        yield from bill.hourly(1, "NAT gateway", "nat-gateway-hours", "network")
        yield from bill.hourly(1, "public address of the NAT gateway", "ipv4-hours", "network")
        yield from bill.monthly(fixed(_ALERTS_OF_NAT), "alert on the NAT gateway", "alert-months", "months", "other")
        yield internet(bill.sheet, plan, bill.address)
    if not vpc_of(target).dns_group:
        yield from bill.monthly(fixed(_DNS_ZONES), "private DNS zones", "dns-zone-months", "months", "network")


def _endpoints(plan: Plan, placement: str, target: TargetSpec) -> int:
    """Return the number of private endpoints for stores, databases, the secrets vault and the registry."""
    buckets, databases = (managed_stores(plan, placement, kind) for kind in (Kind.OBJECT_STORE, Kind.DATABASE))
    registry = needs_runtime_image(plan, placement) and not target.images.registry
    return len(buckets) + len(databases) + int(_has_vault(plan, placement, bool(databases))) + int(registry)


def _has_vault(plan: Plan, placement: str, has_databases: bool) -> bool:
    target = target_of(plan, placement)
    vias = {store.name: store.via for store in target.secret_stores}
    secrets = (secret.value.ref.store for secret in plan.of(Secret, placement))
    return has_databases or any(vias.get(store) == _SECRETS_VIA for store in secrets)


def _balanced(bill: Bill, plan: Plan, placement: str) -> Iterator[CostLine]:
    """Yield the cost of the Gateways' load balancers, one for internal and one for public addresses."""
    for exposure, count in load_balancers(plan, placement).items():
        yield from bill.hourly(1, f"{exposure} load balancer", "load-balancer-hours", "network")
        if exposure == "public":
            yield from bill.hourly(count, "public addresses of load balancers", "ipv4-hours", "network")
    yield from requests_of(bill.sheet, plan, placement)


def _database(bill: Bill, plan: Plan, resource: Resource[Store]) -> Iterator[CostLine]:
    """Yield the cost of a flexible server with its standby, storage and alerts."""
    store = resource.value
    component, copies = f"stores.{store.name}", copies_of(store, plan.system)
    machine = ENTERPRISE_DATABASE if plan.system.profile.size == "enterprise" or copies > 1 else DATABASE
    here, note = resource.place, "with a standby" if copies > 1 else "one server"
    what = f"Database for PostgreSQL, {machine}"
    yield from bill.hourly(copies, what, f"postgresql-{machine}-hours", "database", component, note, here)
    gib = disk_gib(store.size_bytes or 0) * copies
    yield from bill.monthly(
        fixed(gib), "database storage", "postgresql-gb-months", "GB-months", "database", component, note, here
    )
    yield from bill.monthly(
        fixed(_ALERTS_OF_A_DATABASE), "alerts on the database", "alert-months", "months", "other", component, "", here
    )
    yield backups(bill.sheet, store.name, here, "postgresql-backup-gb-months")


def _objects(system: System) -> Objects:
    """Return the stored objects of the redundancy that storage accounts are created with, which sets their price."""
    redundancy = redundancy_of(system)
    return Objects(f"stored objects ({redundancy})", f"object-{redundancy.lower()}-gb-months")


def premium(gib: int) -> Disk:
    """Return the smallest Premium SSD that has at least the given size."""
    tier = next(name for name, size in _TIERS if size >= gib)
    return Disk(f"disk-{tier}-months", 1, f"{tier} for {gib} GiB each")


def _disk(hardware: Hardware, group: NodeGroup | None) -> Disk:
    assert group is not None  # Azure has no elastic classes
    return premium(DISK_GIB if hardware.compute == SYSTEM_POOL else disks_of(hardware, group).root_gib)


COSTS: Final = CloudCosts(
    provider="azure",
    folder=os.path.dirname(__file__),
    offerings=offerings,
    cluster=_cluster,
    added=_added,
    nodes=_nodes,
    database=_database,  # keys and secrets in a vault incur charges only when they are used
    objects=_objects,
)
