"""Helpers that return a plan's resources, and plans shared by several tests."""

from __future__ import annotations

from modelyard.plan import Cluster, Identity, Kind, Offer, Plan
from modelyard_targets import TARGETS
from modelyard_targets.aws.hardware import choose as choose_on_aws
from tests.plans import resource
from tests.specs import changed

ON_PREM = TARGETS["kubernetes"].offer
CLOUD = Offer(choose_on_aws)
ON_TWO = changed(
    "mode: on-prem",
    "mode: on-prem",
    (
        "  placement: {default: main}",
        "    branch: {provider: kubernetes, context: branch}\n  placement: {default: main, inference: branch}",
    ),
    ("      residency: eu\n", "      residency: eu\n      reachableFrom: [branch]\n"),
)


def identity(plan: Plan, name: str) -> Identity:
    """Return the identity of a workload, with its permissions."""
    value = resource(plan, Kind.IDENTITY, name).value
    assert isinstance(value, Identity)
    return value


def links(plan: Plan, source: str, what: str) -> list[str]:
    """Return the addresses that a source's links for one purpose lead to."""
    return [link.sink for link in plan.links if link.source == source and link.what == what]


def addons(plan: Plan, placement: str = "main") -> tuple[str, ...]:
    """Return the add-ons planned for a cluster."""
    value = resource(plan, Kind.CLUSTER, placement).value
    assert isinstance(value, Cluster)
    return value.addons


def assert_whole(plan: Plan) -> None:
    """Assert that addresses are unique, links have sinks, and sinks precede sources, which rules out cycles.

    Only Prometheus may link to later resources, since it doesn't wait for them.
    """
    order = {resource.place: at for at, resource in enumerate(plan.resources)}
    assert len(order) == len(plan.resources)
    clusters = {resource.place for resource in plan.resources if resource.kind is Kind.CLUSTER}
    for link in plan.links:
        scraped = link.what == "metrics" and link.source in clusters
        assert scraped or order[link.sink] < order[link.source], link
    assert len(set(plan.links)) == len(plan.links)
