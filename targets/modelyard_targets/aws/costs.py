"""Cost lines for a placement on AWS."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from modelyard.costs import CostLine, Quantity, fixed
from modelyard.plan import SYSTEM_POOL, Hardware, NodeGroup, Plan, Resource
from modelyard.spec import Store, TargetSpec
from modelyard_targets.aws.foundation import endpoints_of, log_days, nat_of, zones_of
from modelyard_targets.aws.machines import offerings
from modelyard_targets.aws.options import vpc_of
from modelyard_targets.aws.pools import disks_of, system_nodes
from modelyard_targets.aws.storage import DATABASE, ENTERPRISE_DATABASE
from modelyard_targets.cloud.costs.lines import Bill, copies_of
from modelyard_targets.cloud.costs.nodes import Disk, DiskOf, node_lines, system_lines
from modelyard_targets.cloud.costs.objects import load_balancers, volumes
from modelyard_targets.cloud.costs.provider import CloudCosts
from modelyard_targets.cloud.costs.traffic import backups, images, internet, logs, requests_of
from modelyard_targets.cloud.data import has_buckets
from modelyard_targets.cloud.pools import DISK_GIB
from modelyard_targets.kube.image.needed import needs_runtime_image

_GI: Final = 1024**3
_ROTATIONS: Final = 2
"""The number of yearly rotations of a key that KMS charges for. Each costs as much as an additional key."""

_ALARMS_OF_A_DATABASE: Final = 3
_SECRETS_OF_A_DATABASE: Final = 2
"""The secret with the RDS administrator's password and the secret with the workloads' login."""


def _keys(bill: Bill, plan: Plan, placement: str, target: TargetSpec) -> Iterator[CostLine]:
    if plan.has_cluster(placement) or has_buckets(plan, placement):
        note = "the second and third year's key material costs as much again"
        quantity = Quantity(1, 1, 1 + _ROTATIONS)
        yield from bill.monthly(quantity, "customer managed key", "key-months", "months", "other", note=note)


def _cluster(bill: Bill, plan: Plan, placement: str, target: TargetSpec) -> Iterator[CostLine]:
    sheet = bill.sheet
    yield from _control_plane(bill)
    yield from system_lines(sheet, plan, placement, system_nodes(plan, placement), _disks(plan, placement))
    yield from node_lines(sheet, plan, placement, _disks(plan, placement))
    if not vpc_of(target).adopt:
        yield from _network(bill, plan, placement, target)
    yield from logs(sheet, plan, bill.address, log_days(plan.system))


def _nodes(bill: Bill, plan: Plan, placement: str, target: TargetSpec) -> Iterator[CostLine]:
    """Yield the cost of node pools for compute classes in an adopted cluster.

    The cluster's owner pays for everything else.
    """
    yield from node_lines(bill.sheet, plan, placement, _disks(plan, placement))


def _added(bill: Bill, plan: Plan, placement: str, target: TargetSpec) -> Iterator[CostLine]:
    """Yield the cost of what a system adds to any cluster.

    This includes add-on volumes, load balancers and the runtime image's registry.
    """
    for gib, count in volumes(plan, placement).items():
        what = f"volumes of {gib} GiB for metrics and alerts"
        yield from bill.monthly(fixed(gib * count), what, "gp3-gb-months", "GB-months", "storage")
    yield from _balanced(bill, plan, placement, target)
    if needs_runtime_image(plan, placement) and not target.images.registry:
        yield images(bill.sheet, bill.address)


def _control_plane(bill: Bill) -> Iterator[CostLine]:
    """Yield the cost of the EKS control plane, priced for Kubernetes versions in standard support."""
    yield from bill.hourly(1, "EKS control plane", "cluster-hours", "compute", note="in standard support")


def _network(bill: Bill, plan: Plan, placement: str, target: TargetSpec) -> Iterator[CostLine]:
    """Yield the cost of interface endpoints and NAT gateways, including the gateways' addresses and alarms."""
    zones = zones_of(target)
    gateways = {"none": 0, "one": 1}.get(nat_of(plan.system, target), zones)
    yield from bill.hourly(gateways, "NAT gateways", "nat-gateway-hours", "network")
    yield from bill.hourly(gateways, "public addresses of NAT gateways", "ipv4-hours", "network")
    yield from bill.monthly(fixed(gateways), "alarms on NAT gateways", "alarm-months", "months", "other")
    services = len(endpoints_of(plan, placement))
    note = f"{services} services in {zones} zones"
    yield from bill.hourly(services * zones, "interface endpoints", "endpoint-hours", "network", note=note)
    if gateways:
        yield internet(bill.sheet, plan, bill.address)


def _balanced(bill: Bill, plan: Plan, placement: str, target: TargetSpec) -> Iterator[CostLine]:
    """Yield the cost of each Gateway's network load balancer, including addresses of public load balancers."""
    for exposure, count in load_balancers(plan, placement).items():
        yield from bill.hourly(count, f"{exposure} load balancers", "load-balancer-hours", "network")
        if exposure == "public":
            zones = zones_of(target)
            yield from bill.hourly(count * zones, "public addresses of load balancers", "ipv4-hours", "network")
    yield from requests_of(bill.sheet, plan, placement)


def _database(bill: Bill, plan: Plan, resource: Resource[Store]) -> Iterator[CostLine]:
    """Yield the cost of an RDS instance, including its standby, storage, secrets and alarms."""
    store = resource.value
    component, copies = f"stores.{store.name}", copies_of(store, plan.system)
    machine = ENTERPRISE_DATABASE if plan.system.profile.size == "enterprise" else DATABASE
    gib = -(-(store.size_bytes or 0) // _GI)
    here, note = resource.place, "two zones" if copies > 1 else "one zone"
    what = f"RDS for PostgreSQL, {machine}"
    yield from bill.hourly(copies, what, f"{machine}-hours", "database", component, note, here)
    yield from bill.monthly(
        fixed(gib * copies), "database storage, gp3", "rds-gb-months", "GB-months", "database", component, note, here
    )
    yield from bill.monthly(
        fixed(_SECRETS_OF_A_DATABASE), "secrets", "secret-months", "months", "other", component, "", here
    )
    yield from bill.monthly(
        fixed(_ALARMS_OF_A_DATABASE), "alarms on the database", "alarm-months", "months", "other", component, "", here
    )
    yield backups(bill.sheet, store.name, here, "rds-backup-gb-months")


def _disks(plan: Plan, placement: str) -> DiskOf:
    """Return a function that returns a node's root volume. Local disks are included in the machine price."""

    def of(hardware: Hardware, group: NodeGroup | None) -> Disk:
        if group is None:
            from modelyard_targets.aws.elastic import disk_gib  # few specs have elastic classes

            gib = disk_gib(plan, placement)
        else:
            gib = DISK_GIB if hardware.compute == SYSTEM_POOL else disks_of(hardware, group).root_gib
        return Disk("gp3-gb-months", gib, f"{gib} GiB each")

    return of


COSTS: Final = CloudCosts(
    provider="aws",
    folder=os.path.dirname(__file__),
    offerings=offerings,
    cluster=_cluster,
    added=_added,
    nodes=_nodes,
    database=_database,
    keys=_keys,
)
