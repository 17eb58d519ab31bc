"""Tests that an endpoint is planned as a server and a route, and may only write its captures."""

from __future__ import annotations

from modelyard.plan import Access, Kind, ModelServer, Route
from tests.compiler.planner.planned import identity, links
from tests.plans import large_spec, plan_of, resource
from tests.specs import VALID_SPEC, changed


def test_a_server_has_write_access_only_to_captures() -> None:
    """The server itself deletes expired captures in an adopted bucket, whose lifecycle rules we don't manage."""
    rights = identity(plan_of(VALID_SPEC), "scorer")

    assert rights.access == (
        Access("lake", "mlflow/models/fraud-fraud-xgb/", "read"),
        Access("lake", "captures/scorer", "write"),
    )
    assert [(ref.path, ref.key) for ref in rights.secrets] == [("lake", ""), ("scorer", "token")]


def test_a_server_cannot_delete_captures_unless_it_must() -> None:
    own_bucket = changed("lake: {type: object, adopt: acme-fraud-lake, ", "lake: {type: object, ")
    without_expiry = changed("retention: {captures: 90d, runs: 7d}", "retention: {runs: 7d}")

    for spec in (own_bucket, without_expiry):
        assert identity(plan_of(spec), "scorer").access[1] == Access("lake", "captures/scorer", "append")


def test_an_endpoint_with_one_variant_has_one_server_with_its_name() -> None:
    spec = changed(
        "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n", ""
    )
    plan = plan_of(spec)

    route = resource(plan, Kind.ENDPOINT, "scorer").value
    assert isinstance(route, Route)
    assert [(backend.server, backend.percent) for backend in route.backends] == [("scorer", 100)]
    assert links(plan, "main:endpoint/scorer", "requests") == ["main:model-server/scorer"]


def test_members_of_a_pool_share_a_server_and_its_identity() -> None:
    plan = plan_of(large_spec(9))

    server = resource(plan, Kind.MODEL_SERVER, "pool-shared0")
    assert isinstance(server.value, ModelServer)
    assert [application.route_prefix for application in server.value.applications] == ["/e0", "/e4", "/e8"]
    assert server.workload == "pool.shared0"
    assert identity(plan, "pool-shared0").workload == "pool.shared0"
    assert links(plan, "far:endpoint/e4", "requests") == ["far:model-server/pool-shared0"]
