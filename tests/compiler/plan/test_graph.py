"""Tests finding a plan's resources by the type of their value, and those a link leads to."""

from __future__ import annotations

import pytest

from modelyard.plan import Cluster, Kind, ModelServer, Plan, Route, SystemPool
from modelyard.spec import Channel, Store
from tests.hybrid import hybrid_plan
from tests.plans import plan_of
from tests.specs import VALID_SPEC


@pytest.fixture(scope="module")
def two() -> Plan:
    """Return a plan for a system on two targets."""
    return hybrid_plan()


def test_resources_of_a_type_are_in_plan_order() -> None:
    plan = plan_of(VALID_SPEC)
    servers = [resource for resource in plan.resources if resource.kind is Kind.MODEL_SERVER]

    assert len(servers) > 1
    assert list(plan.of(ModelServer)) == servers


def test_resources_of_one_placement_are_found(two: Plan) -> None:
    clusters = {placement: two.of(Cluster, placement) for placement in two.placements()}

    assert {placement: [resource.placement for resource in resources] for placement, resources in clusters.items()} == {
        placement: [placement] for placement in two.placements()
    }


def test_unplanned_resources_are_not_found(two: Plan) -> None:
    assert two.of(SystemPool, "nowhere") == ()
    assert two.of(Channel, "nowhere") == ()


def test_a_sink_is_found_only_by_its_type(two: Plan) -> None:
    sinks = {link.sink for link in two.links}
    stores = {place for place in sinks if two.at(place, Store) is not None}

    assert stores
    assert stores == {store.place for store in two.of(Store)} & sinks
    assert stores != sinks
    assert all(two.at(place, Route) is None for place in stores)
