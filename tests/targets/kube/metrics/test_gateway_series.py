"""Selectors for Envoy's metrics about the Gateway in front of an endpoint."""

from __future__ import annotations

from modelyard_targets.kube.metrics.gateway_series import Front, front_of, of_route, proxies_of
from tests.observed import AT_A_GATEWAY, ENVOY, context_of
from tests.specs import VALID_SPEC


def test_a_gateway_of_ours_is_in_front_of_what_it_routes_to() -> None:
    context = context_of(AT_A_GATEWAY, platform=ENVOY)

    assert front_of(context.system.inference["scorer"], context) == Front("fraud", "scorer")


def test_of_a_gateway_of_another_controller_nothing_is_known() -> None:
    context = context_of(VALID_SPEC)

    assert front_of(context.system.inference["scorer"], context) is None


def test_a_rollout_in_steps_has_the_gateway_and_the_route_that_kuberay_creates() -> None:
    text = AT_A_GATEWAY.replace("    traffic: {champion: 95, challenger: 5}\n", "").replace(
        "      challenger: {model: fraud-xgb@candidate, replicas: 1}\n", ""
    )
    text = text.replace("    slo:", "    rollout: {strategy: incremental}\n    slo:")
    context = context_of(text, platform=ENVOY)

    front = front_of(context.system.inference["scorer"], context)
    assert front == Front("scorer-gateway", "scorer-httproute")


def test_a_name_is_no_pattern() -> None:
    context = context_of(AT_A_GATEWAY, platform=ENVOY)

    assert "httproute/fraud/a\\\\.b/rule/[0-9]+" in of_route(Front("fraud", "a.b"), context)


def test_the_proxies_of_a_gateway_are_found_by_their_labels() -> None:
    assert proxies_of(Front("fraud", "scorer"), context_of(AT_A_GATEWAY, platform=ENVOY)) == (
        '{namespace="envoy-gateway-system",gateway_envoyproxy_io_owning_gateway_name="fraud",'
        'gateway_envoyproxy_io_owning_gateway_namespace="fraud"}'
    )
