"""Tests how rules select Envoy's metrics for the Gateway in front of an endpoint."""

from __future__ import annotations

from modelyard_targets.kube.metrics.gateway_series import Front, front_of, of_route, proxies_of
from tests.observed import AT_A_GATEWAY, ENVOY, context_of
from tests.specs import VALID_SPEC


def test_endpoint_has_our_gateway_in_front() -> None:
    context = context_of(AT_A_GATEWAY, platform=ENVOY)

    assert front_of(context.system.inference["scorer"], context) == Front("fraud", "scorer")


def test_gateway_of_another_controller_is_unknown() -> None:
    context = context_of(VALID_SPEC)

    assert front_of(context.system.inference["scorer"], context) is None


def test_incremental_rollout_has_kuberays_gateway_and_route() -> None:
    text = AT_A_GATEWAY.replace("    traffic: {champion: 95, challenger: 5}\n", "").replace(
        "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n", ""
    )
    text = text.replace("    slo:", "    rollout: {strategy: incremental}\n    slo:")
    context = context_of(text, platform=ENVOY)

    front = front_of(context.system.inference["scorer"], context)
    assert front == Front("scorer-gateway", "scorer-httproute")


def test_names_are_escaped_in_patterns() -> None:
    context = context_of(AT_A_GATEWAY, platform=ENVOY)

    assert "httproute/fraud/a\\\\.b/rule/[0-9]+" in of_route(Front("fraud", "a.b"), context)


def test_proxies_are_selected_by_gateway_labels() -> None:
    assert proxies_of(Front("fraud", "scorer"), context_of(AT_A_GATEWAY, platform=ENVOY)) == (
        '{namespace="envoy-gateway-system",gateway_envoyproxy_io_owning_gateway_name="fraud",'
        'gateway_envoyproxy_io_owning_gateway_namespace="fraud"}'
    )
