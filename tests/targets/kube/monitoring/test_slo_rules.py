"""Tests burn-rate rules for SLOs, with windows and factors from the SRE workbook."""

from __future__ import annotations

import pytest

from modelyard.plan import Kind, ModelServer
from modelyard_targets.kube.metrics.serve_series import applications
from modelyard_targets.kube.monitoring.slo_rules import BURNS
from modelyard_targets.kube.serving.model_server import lower_server
from tests.crds import problems
from tests.observed import AT_A_GATEWAY, ENVOY, alerts, context_of, rule_object, rules
from tests.plans import plan_of, resource_of
from tests.specs import VALID_SPEC, changed

SLO = "slo: {p99: 50ms, availability: 99.95%}"


def burns(text: str, slo: str) -> list[tuple[str, str, str]]:
    """Return the window, threshold and severity of each alert for an objective."""
    return [
        (rule["labels"]["window"], rule["expr"].split(" > ")[-1], rule["labels"]["severity"])
        for rule in alerts(text, "scorer")
        if rule["labels"].get("slo") == slo
    ]


def test_factors_for_thirty_days_match_the_workbook() -> None:
    assert [burn.factor(30 * 86400) for burn in BURNS] == pytest.approx([14.4, 6, 3, 1])


def test_availability_has_four_burn_alerts() -> None:
    assert burns(VALID_SPEC, "availability") == [
        ("1h", "0.0072", "page"),
        ("6h", "0.003", "page"),
        ("1d", "0.0015", "ticket"),
        ("3d", "0.0005", "ticket"),
    ]


def test_factors_follow_the_window_of_the_objective() -> None:
    """Burn-rate factors are lower for a one-week window (3.36 for 2% of the budget in an hour), but never below 1."""
    week = changed(SLO, "slo: {availability: 99.9%, window: 7d}")

    assert burns(week, "availability") == [
        ("1h", "0.00336", "page"),
        ("6h", "0.0014", "page"),
        ("1d", "0.001", "ticket"),
        ("3d", "0.001", "ticket"),
    ]


def test_windows_longer_than_the_objective_are_left_out() -> None:
    text = changed(SLO, "slo: {availability: 99%, window: 6h}")

    assert [window for window, _, _ in burns(text, "availability")] == ["1h", "6h"]


def test_unreachable_burn_rates_are_left_out() -> None:
    """Burn rates that not even a total outage reaches are omitted, e.g. 14.4 if half the requests may be slow."""
    assert burns(changed(SLO, "slo: {p50: 20ms}"), "latency-p50") == [("3d", "0.5", "ticket")]
    assert burns(changed(SLO, "slo: {p50: 20ms, window: 90d}"), "latency-p50") == [("3d", "0.5", "ticket")]
    assert [window for window, _, _ in burns(changed(SLO, "slo: {p90: 20ms}"), "latency-p90")] == ["6h", "1d", "3d"]


def test_each_latency_has_its_own_objective() -> None:
    text = changed(SLO, "slo: {p95: 40ms, p999: 200ms}")
    objectives = {rule["labels"]["slo"] for rule in rules(text, "scorer") if "slo" in rule["labels"]}

    assert objectives == {"latency-p95", "latency-p999"}
    (errors,) = [
        rule["expr"]
        for rule in rules(text, "scorer")
        if rule.get("record") == "modelyard:slo_errors:rate5m" and rule["labels"]["slo"] == "latency-p999"
    ]
    assert 'le=~"200(\\\\.0)?"' in errors


def test_histogram_has_a_bucket_for_the_bound() -> None:
    """The server's histogram has a bucket at each SLO's bound so that the rules find a series."""
    text = changed(SLO, "slo: {p95: 47ms}")
    context = context_of(text)
    server = resource_of(context.plan, ModelServer, "scorer-champion")

    assert "47," in str([item.manifest for item in lower_server(server, context)])


def test_applications_match_the_serve_config() -> None:
    """The rules and the servers use the same names for Ray Serve applications."""
    context = context_of(VALID_SPEC)
    inference = context.system.inference["scorer"]
    texts = [
        str(item.manifest)
        for variant in inference.variants
        for item in lower_server(resource_of(context.plan, ModelServer, f"scorer-{variant.name}"), context)
    ]

    assert all(any(name in text for text in texts) for name in applications(inference))


def test_mirrored_requests_do_not_count() -> None:
    """A variant that receives only mirrored requests does not affect the SLO."""
    text = changed("traffic: {champion: 95, challenger: 5}", "traffic: {champion: 100}\n    mirror: {to: challenger}")

    assert not [rule for rule in rules(text, "scorer") if "challenger" in rule["expr"]]


def test_alerts_have_routing_labels() -> None:
    """Every alert has the labels Alertmanager routes by: namespace, channel and workload."""
    for rule in alerts(VALID_SPEC, "scorer"):
        labels = rule["labels"]
        assert labels["namespace"] == "fraud"
        assert labels["channel_oncall"] == "true"
        assert labels["team"] == "payments-risk"
        assert labels["modelyard_dev_workload"] == "inference.scorer"
        assert set(rule["annotations"]) == {"summary", "description", "runbook"}


def test_missing_metrics_raise_an_alert() -> None:
    missing = [rule for rule in alerts(VALID_SPEC, "scorer") if rule["alert"] == "ModelyardEndpointGone"]

    assert [rule["labels"]["application"] for rule in missing] == ["scorer-challenger", "scorer-champion"]


@pytest.mark.parametrize(
    ("slo", "wait"),
    [
        ("availability: 99.95%", "130s"),
        ("availability: 99.99%", "60s"),
        ("availability: 99%", "600s"),
        ("availability: 99.9%, window: 7d", "60s"),
        ("p99: 50ms", "600s"),
    ],
)
def test_total_outage_pages_within_a_tenth_of_the_error_budget(slo: str, wait: str) -> None:
    """An outage pages once it has used 10% of the error budget, e.g. 130 seconds at 99.95% over 30 days."""
    rules = alerts(changed(SLO, f"slo: {{{slo}}}"), "scorer")

    assert {rule["for"] for rule in rules if rule["alert"] == "ModelyardEndpointGone"} == {wait}


def test_missing_proxies_of_our_gateway_page() -> None:
    (missing,) = [
        rule for rule in alerts(AT_A_GATEWAY, "scorer", platform=ENVOY) if rule["alert"] == "ModelyardGatewayGone"
    ]

    assert missing["expr"].startswith('absent(up{namespace="envoy-gateway-system",')
    assert missing["labels"]["gateway"] == "fraud"


def test_endpoint_that_scales_to_zero_is_checked_by_status() -> None:
    """Alerts for applications that scale to zero use Ray Serve's status rather than the replica count."""
    text = changed("fraud-xgb@candidate, replicas: 1}", "fraud-xgb@candidate, replicas: {min: 0, max: 2}}")
    expressions = [rule["expr"] for rule in alerts(text, "scorer") if rule["alert"] == "ModelyardEndpointGone"]

    assert ["replica_healthy" in expression for expression in expressions] == [False, True]
    assert (
        expressions[0]
        == 'absent(ray_serve_application_status{namespace="fraud",application=~"scorer-challenger"} == 6)'
    )


def test_team_name_is_escaped() -> None:
    text = changed("team: payments-risk", 'team: "{{ $labels.x }}"')

    assert alerts(text, "scorer")[0]["labels"]["team"] == '{{ "{{" }} $labels.x }}'


def test_rules_have_the_labels_of_the_clusters_prometheus() -> None:
    text = changed("gateway: {name", "telemetry: {labels: {release: platform}}\n      gateway: {name")

    assert rule_object(text, "scorer")["metadata"]["labels"]["release"] == "platform"


def test_rules_match_the_operators_schema() -> None:
    for name in ("scorer", "monitor-drift", "monitor-quality"):
        assert problems(rule_object(VALID_SPEC, name)) == []


def test_recorded_series_are_unique() -> None:
    """No two rules record a series with the same name and labels."""
    plan = plan_of(VALID_SPEC)
    recorded = [
        (rule["record"], tuple(sorted(rule["labels"].items())))
        for resource in plan.resources
        if resource.kind is Kind.ALERT_RULES
        for rule in rules(VALID_SPEC, resource.name)
        if "record" in rule
    ]

    assert len(set(recorded)) == len(recorded) > 0
