"""Cost lines for a placement on Google Cloud."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from modelyard.costs import HOURS_OF_A_MONTH, CostLine, Quantity, fixed
from modelyard.plan import SYSTEM_POOL, Hardware, NodeGroup, Plan, Resource
from modelyard.spec import Store, TargetSpec
from modelyard_targets.cloud.costs.lines import Bill, copies_of, sum_of
from modelyard_targets.cloud.costs.nodes import Disk, node_lines, system_lines
from modelyard_targets.cloud.costs.objects import load_balancers, volumes
from modelyard_targets.cloud.costs.provider import CloudCosts
from modelyard_targets.cloud.costs.traffic import backups, images, internet, logs, requests_of
from modelyard_targets.cloud.pools import DISK_GIB
from modelyard_targets.gcp.foundation import log_days
from modelyard_targets.gcp.machines import disk_type, offerings
from modelyard_targets.gcp.options import has_nat, vpc_of
from modelyard_targets.gcp.pools import disks_of, system_nodes
from modelyard_targets.gcp.storage import DATABASE, ENTERPRISE_DATABASE
from modelyard_targets.kube.image.needed import needs_runtime_image

_GI: Final = 1024**3
_NAT_MACHINES: Final = 32
"""The maximum number of machines that Cloud NAT charges for."""

_FIRST_RULES: Final = 5
_FREE_LOG_DAYS: Final = 30
"""The days for which logs are kept at no extra charge (cloud.google.com/stackdriver/pricing)."""

_DNS_ZONES: Final = 3
_KEY_VERSIONS: Final = 12
"""The number of key versions after three years of rotation every 90 days."""

_CONDITIONS_OF_A_DATABASE: Final = 4
_CONDITIONS_OF_NAT: Final = 1


def _keys(bill: Bill, plan: Plan, placement: str, target: TargetSpec) -> Iterator[CostLine]:
    note = "a version more every 90 days, which decrypts older data"
    quantity = Quantity(1, 1, _KEY_VERSIONS)
    yield from bill.monthly(quantity, "versions of the key", "key-months", "months", "other", note=note)


def _cluster(bill: Bill, plan: Plan, placement: str, target: TargetSpec) -> Iterator[CostLine]:
    sheet = bill.sheet
    yield from bill.hourly(1, "GKE cluster management", "cluster-hours", "compute")
    nodes = (
        *system_lines(sheet, plan, placement, system_nodes(plan, placement), _disk),
        *node_lines(sheet, plan, placement, _disk),
    )
    yield from nodes
    if not vpc_of(target).adopt:
        what = "private zones for Google's APIs"
        yield from bill.monthly(fixed(_DNS_ZONES), what, "dns-zone-months", "months", "network")
    if has_nat(target):
        yield from _nat(bill, nodes)
        yield internet(sheet, plan, bill.address)
    yield from logs(sheet, plan, bill.address, log_days(plan.system), _FREE_LOG_DAYS)


def _nodes(bill: Bill, plan: Plan, placement: str, target: TargetSpec) -> Iterator[CostLine]:
    """Yield the cost of node pools for compute classes in an adopted cluster.

    The cluster's owner pays for everything else.
    """
    yield from node_lines(bill.sheet, plan, placement, _disk)


def _added(bill: Bill, plan: Plan, placement: str, target: TargetSpec) -> Iterator[CostLine]:
    """Yield the cost of what a system adds to any cluster.

    This includes add-on volumes, load balancers and the runtime image's registry.
    """
    for gib, count in volumes(plan, placement).items():
        what = f"volumes of {gib} GiB for metrics and alerts"
        yield from bill.monthly(fixed(gib * count), what, "pd-balanced-gb-months", "GB-months", "storage")
    yield from _balanced(bill, plan, placement)
    if needs_runtime_image(plan, placement) and not target.images.registry:
        yield images(bill.sheet, bill.address)


def _nat(bill: Bill, nodes: tuple[CostLine, ...]) -> Iterator[CostLine]:
    """Yield the cost of Cloud NAT, which depends on how many machines use it, and of its address and alarm."""
    hours = sum_of(nodes, "hours")
    most = _NAT_MACHINES * HOURS_OF_A_MONTH
    behind = Quantity(min(hours.floor, most), min(hours.expected, most), min(hours.ceiling, most))
    note = f"up to {_NAT_MACHINES} machines count"
    yield from bill.monthly(behind, "Cloud NAT", "nat-machine-hours", "hours", "network", note=note)
    note = "more under many connections"
    yield from bill.hourly(1, "public address of Cloud NAT", "ipv4-hours", "network", note=note)
    yield from _conditions(bill, _CONDITIONS_OF_NAT, "alert on Cloud NAT")


def _balanced(bill: Bill, plan: Plan, placement: str) -> Iterator[CostLine]:
    """Yield the cost of the Gateways' load balancers.

    The first five forwarding rules share a price, and each additional rule is billed separately.
    """
    counts = load_balancers(plan, placement)
    rules = sum(counts.values())
    first = min(1, rules)
    note = f"{min(rules, _FIRST_RULES)} of the five rules in this price"
    yield from bill.hourly(first, "load balancing", "load-balancer-hours", "network", note=note)
    more = max(0, rules - _FIRST_RULES)
    yield from bill.hourly(more, "further forwarding rules", "load-balancer-rule-hours", "network")
    public = counts.get("public", 0)
    yield from bill.hourly(public, "public addresses of load balancers", "ipv4-hours", "network")
    yield from requests_of(bill.sheet, plan, placement)


def _database(bill: Bill, plan: Plan, resource: Resource[Store]) -> Iterator[CostLine]:
    """Yield the cost of a Cloud SQL instance, including its standby, storage, endpoint, secret and alerts."""
    store = resource.value
    component, copies = f"stores.{store.name}", copies_of(store, plan.system)
    machine = ENTERPRISE_DATABASE if plan.system.profile.size == "enterprise" else DATABASE
    _, _, vcpus, memory_mib = machine.split("-")
    here, note = resource.place, "two zones" if copies > 1 else "one zone"
    what = f"Cloud SQL for PostgreSQL, {machine}"
    yield from bill.hourly(int(vcpus) * copies, f"{what}: vCPUs", "sql-vcpu-hours", "database", component, note, here)
    gib = int(memory_mib) / 1024 * copies
    yield from bill.hourly(gib, f"{what}: GB of memory", "sql-gb-hours", "database", component, note, here)
    stored_gib = -(-(store.size_bytes or 0) // _GI) * copies
    yield from bill.monthly(
        fixed(stored_gib), "database storage, SSD", "sql-ssd-gb-months", "GB-months", "database", component, note, here
    )
    yield from bill.hourly(
        1, "Private Service Connect endpoint", "service-connect-hours", "network", component, "", here
    )
    yield from bill.monthly(fixed(1), "secret", "secret-months", "months", "other", component, "", here)
    yield from _conditions(bill, _CONDITIONS_OF_A_DATABASE, "alerts on the database", component, here)
    yield backups(bill.sheet, store.name, here, "sql-backup-gb-months")


def _conditions(
    bill: Bill, count: int, what: str, component: str = "platform", address: str = ""
) -> Iterator[CostLine]:
    """Yield the cost of alerting policies' conditions. Google has announced a charge that may not apply yet."""
    note = "not charged for before Google's announced start"
    quantity = Quantity(0, 0, count)
    yield from bill.monthly(quantity, what, "alert-condition-months", "months", "other", component, note, address)


def _disk(hardware: Hardware, group: NodeGroup | None) -> Disk:
    assert group is not None  # Google Cloud has no elastic classes
    gib = DISK_GIB if hardware.compute == SYSTEM_POOL else disks_of(hardware, group).root_gib
    kind = disk_type(group.machines[0])
    return Disk(f"{kind}-gb-months", gib, f"{gib} GiB of {kind} each")


COSTS: Final = CloudCosts(
    provider="gcp",
    folder=os.path.dirname(__file__),
    offerings=offerings,
    cluster=_cluster,
    added=_added,
    nodes=_nodes,
    database=_database,
    keys=_keys,
)
