"""Tests that an endpoint's dashboard has a stable uid and shows metrics scraped by Prometheus."""

from __future__ import annotations

import json

from modelyard.plan import Kind
from modelyard.spec import Inference
from modelyard_targets.kube.monitoring.dashboard import lower_dashboard
from modelyard_targets.kube.monitoring.scraping import lower_scraping
from tests.crds import problems
from tests.observed import AT_A_GATEWAY, ENVOY, context_of, dashboard_of
from tests.plans import plan_of, resource, resource_of
from tests.specs import VALID_SPEC, changed


def titles(text: str) -> list[str]:
    return [panel["title"] for panel in dashboard_of(text, "scorer")["panels"]]


def test_dashboard_has_expected_panels() -> None:
    assert titles(VALID_SPEC) == [
        "Requests",
        "Latency",
        "Healthy replicas",
        "Requests in the servers",
        "Error budget burn rate, last hour",
        "Error budget left of 30d",
        "Monitor drift",
        "Monitor quality",
    ]


def test_monitor_on_another_target_has_no_panel() -> None:
    """A monitor on another target has no panel, because it pushes its metrics to that target's Prometheus."""
    hub = "    hub: {provider: kubernetes, context: hub, residency: eu, capacity: [{count: 3, cpu: 16, memory: 64Gi}]}"
    text = changed(
        "  placement:",
        f"{hub}\n  placement:",
        ("      residency: eu\n", "      residency: eu\n      reachableFrom: [hub]\n"),
        ("  drift:\n", "  drift:\n    target: hub\n"),
    )

    assert "Monitor drift" not in titles(text)
    assert "Monitor quality" in titles(text)


def test_no_budget_panel_without_an_slo() -> None:
    assert "Error budget left of 30d" not in titles(changed("    slo: {p99: 50ms, availability: 99.95%}\n", ""))


def test_strictest_latency_bound_is_a_threshold() -> None:
    (latency,) = [panel for panel in dashboard_of(VALID_SPEC, "scorer")["panels"] if panel["title"] == "Latency"]

    assert latency["fieldConfig"]["defaults"]["thresholds"]["steps"][-1] == {"color": "red", "value": 50}


def test_dashboard_uid_is_stable_and_unique() -> None:
    """A dashboard's uid doesn't change with the spec, and no two endpoints share one."""
    other = "  other: {variants: {a: {model: fraud-xgb@champion}}, compute: cpu}\n"
    two = VALID_SPEC.replace("monitors:\n", f"{other}monitors:\n", 1)
    first = dashboard_of(VALID_SPEC, "scorer")["uid"]

    assert first == dashboard_of(two, "scorer")["uid"] != dashboard_of(two, "other")["uid"]
    assert len(first) <= 40


def test_panels_do_not_overlap() -> None:
    cells = [
        (panel["gridPos"]["x"] + x, panel["gridPos"]["y"] + y)
        for panel in dashboard_of(VALID_SPEC, "scorer")["panels"]
        for x in range(panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["h"])
    ]

    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) == 23


def test_dashboard_config_map_is_labelled_and_valid() -> None:
    context = context_of(VALID_SPEC)
    (dashboard,) = lower_dashboard(resource_of(context.plan, Inference, "scorer"), context)
    text = json.dumps(dashboard.manifest)

    assert problems(json.loads(text)) == []
    assert json.loads(text)["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert len(text) < 1024**2


def test_every_ray_pod_is_scraped() -> None:
    """Prometheus scrapes three ports of Ray heads and one of workers, and labels them with the workload name."""
    context = context_of(VALID_SPEC)
    monitors = [
        json.loads(json.dumps(item.manifest))
        for item in lower_scraping(resource(context.plan, Kind.NAMESPACE, "fraud"), context)
    ]

    assert [[item["port"] for item in each["spec"]["podMetricsEndpoints"]] for each in monitors] == [
        ["metrics", "as-metrics", "dash-metrics"],
        ["metrics"],
    ]
    assert all(each["spec"]["podTargetLabels"] == ["modelyard.dev/workload"] for each in monitors)
    assert [problems(each) for each in monitors] == [[], []]


def test_nothing_is_scraped_without_a_prometheus() -> None:
    quiet = VALID_SPEC[: VALID_SPEC.index("monitors:")].replace("    slo: {p99: 50ms, availability: 99.95%}\n", "")
    quiet = quiet.replace(", oncall: oncall", "")
    plan = plan_of(quiet)

    assert not [item for item in plan.resources if item.kind in (Kind.DASHBOARD, Kind.ALERT_RULES)]
    context = context_of(quiet)
    assert list(lower_scraping(resource(plan, Kind.NAMESPACE, "fraud"), context)) == []


def test_gateway_responses_have_a_panel() -> None:
    panels = dashboard_of(AT_A_GATEWAY, "scorer", platform=ENVOY)["panels"]

    assert panels[0]["title"] == "Requests at the Gateway"
    assert "sum by (envoy_response_code) (rate(envoy_cluster_upstream_rq{" in panels[0]["targets"][0]["expr"]
