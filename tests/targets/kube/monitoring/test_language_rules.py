"""Tests that rules, histograms and dashboards for language model objectives are consistent."""

from __future__ import annotations

import json

import pytest

from tests.observed import dashboard_of, rules
from tests.targets.kube.serving.test_language import CPU_SPEC, application

OBJECTIVES = "slo: {availability: 99%, timeToFirstToken: {p95: 800ms, p99: 2s}, tokensPerSecond: {min: 12.5}}"
TEXTS = CPU_SPEC.replace("    compute: cpu\n", f"    compute: cpu\n    endpoint: {{timeout: 150s}}\n    {OBJECTIVES}\n")
"""A language model's endpoint with objectives in tokens, and with a longer timeout than usual."""


def test_every_objective_has_its_own_rules() -> None:
    found = {rule["labels"]["slo"] for rule in rules(TEXTS, "assistant") if "slo" in rule["labels"]}

    assert found == {"availability", "first-token-p95", "first-token-p99", "tokens-per-second"}


def test_histograms_have_the_bounds_of_the_rules() -> None:
    """The server gets each objective's bound, so its histograms have the buckets selected by the rules."""
    _, _, described = application(TEXTS)
    errors = {
        rule["labels"]["slo"]: rule["expr"]
        for rule in rules(TEXTS, "assistant")
        if rule.get("record") == "modelyard:slo_errors:rate5m"
    }

    assert described["generation"]["firstTokenObjectives"] == [0.8, 2.0]
    assert described["generation"]["tokenRateObjective"] == 12.5
    assert 'le=~"0\\\\.8"' in errors["first-token-p95"]
    assert 'le=~"2(\\\\.0)?"' in errors["first-token-p99"]
    assert 'le=~"12\\\\.5"' in errors["tokens-per-second"]


def test_latency_histogram_reaches_to_the_timeout() -> None:
    """Half of the responses may take more than a minute, so buckets up to 60 s would not be enough."""
    service, _, _ = application(TEXTS.replace(OBJECTIVES, "slo: {p50: 130s}"))

    assert ",60000,120000,130000,150000" in json.dumps(service)


@pytest.mark.parametrize("name", ["Time to first token", "Tokens per second of a text"])
def test_dashboard_shows_the_objectives(name: str) -> None:
    (panel,) = [panel for panel in dashboard_of(TEXTS, "assistant")["panels"] if panel["title"] == name]

    assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"][-1] == {
        "color": "red",
        "value": 0.8 if name.startswith("Time") else 12.5,
    }


def test_autoscaler_counts_tokens() -> None:
    """The autoscaling policy is a class in the runtime. Replicas still get only the requests they can hold."""
    text = CPU_SPEC.replace(
        "    compute: cpu\n", "    compute: cpu\n    scaling: {metric: ongoing-tokens, target: 9000}\n"
    )
    _, serve, _ = application(text)
    (deployment,) = serve["deployments"]

    assert deployment["max_ongoing_requests"] == 12
    assert deployment["autoscaling_config"]["policy"] == {
        "policy_function": "modelyard_runtime.serving.language.scaling:ByTokens",
        "policy_kwargs": {"target": 9000.0},
    }
    assert "target_ongoing_requests" not in deployment["autoscaling_config"]
