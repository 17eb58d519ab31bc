"""The cost lines of a placement on any cloud, built from functions supplied by each provider."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import TypeAlias

from modelyard.costs import CostLine, Rate
from modelyard.plan import Kind, Plan, Resource
from modelyard.records import record
from modelyard.spec import Store, System, TargetSpec
from modelyard.usage import Usage
from modelyard_targets.cloud.costs.departing import departing
from modelyard_targets.cloud.costs.lines import Bill, address_of
from modelyard_targets.cloud.costs.prices import Sheet, items_of, services_in
from modelyard_targets.cloud.costs.traffic import Objects, stored
from modelyard_targets.cloud.data import creates_anything
from modelyard_targets.cloud.existing import adopts, creates_pools
from modelyard_targets.cloud.offerings import Offerings
from modelyard_targets.kube.existing import budget as existing
from modelyard_targets.kube.placement.placed import managed_stores, target_of

Part: TypeAlias = Callable[[Bill, Plan, str, TargetSpec], Iterator[CostLine]]
"""Yields cost lines, given the bill, plan, placement and target."""


def no_lines(bill: Bill, plan: Plan, placement: str, target: TargetSpec) -> tuple[()]:
    """Return no cost lines, for items that a cloud provides for free."""
    return ()


def plain_objects(system: System) -> Objects:
    """Return the objects of a cloud whose stores are the same in every system."""
    return Objects()


@record(eq=False)
class CloudCosts:
    """A provider's cost lines.

    `cluster` yields the costs of a cluster created by the infrastructure project, including its network. `added` yields
    what a system adds to any cluster, even an adopted one: volumes, load balancers, and its image registry. `nodes`
    yields node pools in an adopted cluster. `folder` contains the service prices.
    """

    provider: str
    folder: str
    offerings: Callable[[], Offerings]
    cluster: Part
    added: Part
    nodes: Part
    database: Callable[[Bill, Plan, Resource[Store]], Iterator[CostLine]]
    keys: Callable[[Bill, Plan, str, TargetSpec], Iterator[CostLine] | tuple[()]] = no_lines
    objects: Callable[[System], Objects] = plain_objects

    def lines(self, plan: Plan, placement: str, usage: Usage) -> Iterator[CostLine]:
        """Yield a cost line for each item that costs money on a placement."""
        if not creates_anything(plan, placement):
            return
        target = target_of(plan, placement)
        sheet = Sheet(self.provider, target.region, self.offerings(), services_in(self.folder), usage)
        bill = Bill(sheet, address_of(plan, placement))
        if creates_pools(plan, placement):
            yield from self.nodes(bill, plan, placement, target)
        elif adopts(plan, placement):
            yield from existing.lines(plan, placement, usage)
        elif plan.has_cluster(placement):
            yield from self.cluster(bill, plan, placement, target)
        if plan.has_cluster(placement):
            yield from self.added(bill, plan, placement, target)
        yield from self.keys(bill, plan, placement, target)
        for resource in managed_stores(plan, placement, Kind.DATABASE):
            yield from self.database(bill, plan, resource)
        yield from stored(sheet, plan, placement, self.objects(plan.system))
        yield from departing(sheet, plan, placement, bill.address)

    def egress(self, plan: Plan, placement: str, usage: Usage) -> Rate | None:
        """Return the price per gigabyte of data that leaves the cloud."""
        region = target_of(plan, placement).region
        return Sheet(self.provider, region, self.offerings(), services_in(self.folder), usage).service("egress-gb")

    def price_items(self) -> Collection[str]:
        """Return the items that may have a price, i.e. on-demand machines, spot machines and services."""
        return items_of(self.offerings(), services_in(self.folder))
