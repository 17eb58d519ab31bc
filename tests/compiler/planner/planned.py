"""Parts of a plan by what tests look for, and the plans that several of them ask for."""

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
    """What that workload may do."""
    value = resource(plan, Kind.IDENTITY, name).value
    assert isinstance(value, Identity)
    return value


def links(plan: Plan, source: str, what: str) -> list[str]:
    """What this one reaches for that."""
    return [link.sink for link in plan.links if link.source == source and link.what == what]


def addons(plan: Plan, placement: str = "main") -> tuple[str, ...]:
    """The add-ons that a cluster gets."""
    value = resource(plan, Kind.CLUSTER, placement).value
    assert isinstance(value, Cluster)
    return value.addons


def assert_whole(plan: Plan) -> None:
    """Addresses are unique, links lead somewhere, and whatever is reached is made before: so there is no cycle.

    Prometheus alone reaches what comes after it, and waits for none of it.
    """
    order = {one.place: at for at, one in enumerate(plan.resources)}
    assert len(order) == len(plan.resources)
    clusters = {one.place for one in plan.resources if one.kind is Kind.CLUSTER}
    for link in plan.links:
        scraped = link.what == "metrics" and link.source in clusters
        assert scraped or order[link.sink] < order[link.source], link
    assert len(set(plan.links)) == len(plan.links)
