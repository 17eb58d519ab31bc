"""Tests dispatching functions and selecting resources by the type of a value."""

from __future__ import annotations

from modelyard.plan import ByType, ModelServer, Resource, Route, is_adopted, of_type
from tests.plans import plan_of
from tests.specs import VALID_SPEC, changed


def _kind(resource: Resource, sign: str) -> str:
    return f"{resource.kind.value}{sign}"


def _server(resource: Resource[ModelServer], sign: str) -> str:
    return f"{len(resource.value.applications)} application{sign}"


def test_a_case_applies_only_to_its_type() -> None:
    plan, plain = plan_of(VALID_SPEC), ByType(_kind)
    cased = plain.case(ModelServer, _server)
    server, route = plan.of(ModelServer)[0], plan.of(Route)[0]

    assert (cased(server, "!"), cased(route, "!")) == ("1 application!", "endpoint!")
    assert plain(server, "!") == "model-server!"  # adding a case creates another function
    assert (cased.covers(server), cased.covers(route)) == (True, False)
    assert not plain.types
    assert cased.types == {ModelServer}


def test_resources_of_a_type_are_picked_in_order() -> None:
    plan = plan_of(VALID_SPEC)

    assert tuple(of_type(plan.resources, Route)) == plan.of(Route)
    assert [resource.place for resource in of_type(reversed(plan.resources), ModelServer)] == [
        resource.place for resource in reversed(plan.of(ModelServer))
    ]


def test_adopted_resources_already_exist() -> None:
    """The plan shows which buckets, databases and registries are adopted."""
    text = changed("registry: {database: runs, artifacts: lake}", 'registry: {adopt: "http://mlflow.ml.svc:5000"}')
    before, after = (
        {resource.address for resource in plan_of(spec).resources if is_adopted(resource)}
        for spec in (VALID_SPEC, text)
    )

    assert "registry/registry" not in before
    assert after == before | {"registry/registry"}
    assert {resource.address for resource in plan_of(VALID_SPEC).of(ModelServer)}.isdisjoint(before)
