"""Tests that HTTPRoutes split, mirror and rewrite traffic, and that unsupported features are refused."""

from __future__ import annotations

from modelyard_targets.kube.network.gateway_classes import lacking
from modelyard_targets.kube.network.route import check_routes
from tests.lowering import Object, lowered
from tests.plans import plan_of
from tests.specs import VALID_SPEC, changed

TWO = "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n    traffic: {champion: 95, challenger: 5}\n"
SHARES = "traffic: {champion: 95, challenger: 5}"
MIRROR = "traffic: {champion: 100, challenger: 0}\n    mirror: {to: challenger, percent: 10}"
GATEWAY = "      gateway: {name: edge, namespace: gateways, mirrors: true}\n"
EXPOSED = "exposure: internal\n      host: scores.acme.example\n"


def route(text: str) -> Object:
    """Return the spec of the only HTTPRoute."""
    spec: Object = lowered(text).get("HTTPRoute", "scorer")["spec"]
    return spec


def refused(text: str) -> list[str]:
    """Return each diagnostic's code, followed by the spec line it refers to."""
    lines, plan = text.splitlines(), plan_of(text)
    gateway = plan.system.target("main").gateway
    return [
        f"{diagnostic.code} {lines[diagnostic.span.line - 1].strip()}"
        for diagnostic in check_routes(plan, "main", gateway)
        if diagnostic.span is not None
    ]


def test_traffic_is_divided_by_weight() -> None:
    (rule,) = route(VALID_SPEC)["rules"]

    assert rule["backendRefs"] == [
        {"name": "scorer-challenger-serve-svc", "port": 8000, "weight": 5},
        {"name": "scorer-champion-serve-svc", "port": 8000, "weight": 95},
    ]
    assert rule["timeouts"] == {"request": "60s"}


def test_a_class_of_a_cloud_is_refused_for_what_its_routes_need() -> None:
    """A cloud's GatewayClass is judged by its conformance report, if it has one and there are HTTPRoutes."""
    own = ("{name: edge, namespace: gateways, mirrors: true}", "{class: gke-l7-rilb, mirrors: true}")
    line = "gateway: {class: gke-l7-rilb, mirrors: true}"

    assert refused(changed(*own)) == [f"E0616 {line}"]
    assert refused(changed(own[0], "{class: cilium, mirrors: true}")) == []
    assert lacking("azure-alb-external", []) == ()


def test_a_mirror_copies_a_share_to_a_variant_without_traffic() -> None:
    (rule,) = route(changed(SHARES, MIRROR))["rules"]

    assert [backend["name"] for backend in rule["backendRefs"]] == ["scorer-champion-serve-svc"]
    assert rule["filters"] == [
        {
            "type": "RequestMirror",
            "requestMirror": {"backendRef": {"name": "scorer-challenger-serve-svc", "port": 8000}, "percent": 10},
        }
    ]


def test_route_refers_to_the_existing_gateway() -> None:
    listener = changed("{name: edge, namespace: gateways,", "{name: edge, namespace: gateways, listener: https,")

    assert route(VALID_SPEC)["parentRefs"] == [{"name": "edge", "namespace": "gateways"}]
    assert route(listener)["parentRefs"] == [{"name": "edge", "namespace": "gateways", "sectionName": "https"}]
    assert route(VALID_SPEC)["hostnames"] == ["scores.acme.example"]


def test_route_refers_to_the_created_gateway() -> None:
    text = changed("{name: edge, namespace: gateways, mirrors: true}", "{class: istio}")

    assert route(text)["parentRefs"] == [{"name": "fraud", "namespace": "fraud"}]


def test_one_variant_for_its_own_cluster_needs_no_route() -> None:
    manifests = lowered(changed(TWO, "", (EXPOSED, "exposure: cluster\n")))

    assert manifests.names("RayService") == ["scorer"]
    assert manifests.names("HTTPRoute") == []


def test_an_incremental_rollout_has_its_own_route() -> None:
    """The compiler emits no HTTPRoute for an incremental rollout, because KubeRay creates it."""
    text = changed(
        TWO,
        "    rollout: {strategy: incremental}\n",
        ("{name: edge, namespace: gateways, mirrors: true}", "{class: istio}"),
        (EXPOSED, "exposure: internal\n"),
    )

    assert lowered(text).names("HTTPRoute") == []
    assert refused(text) == []


def test_endpoint_path_is_not_rewritten() -> None:
    """The HTTPRoute doesn't rewrite the endpoint's path, because the server itself expects it."""
    text = changed("host: scores.acme.example", "host: scores.acme.example\n      path: /score")
    (rule,) = route(text)["rules"]
    config = lowered(text).get("RayService", "scorer-champion")["spec"]["serveConfigV2"]

    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/score"}}]
    assert "filters" not in rule
    assert "route_prefix: /score\n" in config


def test_path_of_a_pool_member_is_rewritten() -> None:
    text = changed(TWO, "    pool: shared\n")
    (rule,) = route(text)["rules"]

    assert rule["filters"] == [
        {
            "type": "URLRewrite",
            "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/scorer"}},
        }
    ]
    assert rule["backendRefs"] == [{"name": "pool-shared-serve-svc", "port": 8000, "weight": 100}]


def test_gateway_features_are_refused_without_a_gateway() -> None:
    shares = changed(GATEWAY, "", (EXPOSED, "exposure: cluster\n"))
    mirrored = changed(GATEWAY, "", (EXPOSED, "exposure: cluster\n"), (SHARES, MIRROR))

    assert refused(VALID_SPEC) == []
    assert refused(shares) == ["E0610 traffic: {champion: 95, challenger: 5}"]
    assert refused(mirrored) == [
        "E0610 traffic: {champion: 100, challenger: 0}",
        "E0610 mirror: {to: challenger, percent: 10}",
    ]


def test_mirror_is_refused_without_gateway_support() -> None:
    assert refused(changed(", mirrors: true", "", (SHARES, MIRROR))) == ["E0611 mirror: {to: challenger, percent: 10}"]


def test_host_and_exposure_are_refused_with_an_incremental_rollout() -> None:
    text = changed(
        TWO,
        "    rollout: {strategy: incremental}\n",
        ("{name: edge, namespace: gateways, mirrors: true}", "{class: istio}"),
        ("exposure: internal", "exposure: public"),
    )

    assert refused(text) == ["E0612 host: scores.acme.example", "E0612 exposure: public"]
