"""Tests that an endpoint's requests and failures are counted at our Gateway or else at the servers."""

from __future__ import annotations

from modelyard_targets.kube.monitoring.availability import failures, requests
from tests.observed import AT_A_GATEWAY, ENVOY, context_of
from tests.specs import VALID_SPEC

SERVERS = 'namespace="fraud",application=~"scorer-challenger|scorer-champion"'
ROUTE = 'namespace="envoy-gateway-system",envoy_cluster_name=~"httproute/fraud/scorer/rule/[0-9]+(/backend/[0-9]+)?"'


def test_servers_count_requests_without_our_gateway() -> None:
    """Without our Gateway, servers count requests. Timeouts and disconnects are failures, like 5xx codes."""
    context = context_of(VALID_SPEC)
    inference = context.system.inference["scorer"]

    every = f"sum(rate(ray_serve_num_http_requests_total{{{SERVERS}}}[5m]))"
    failed = f'sum(rate(ray_serve_num_http_requests_total{{{SERVERS},status_code=~"5..|408|499"}}[5m]))'
    assert requests(inference, context, "5m") == every
    assert failures(inference, context, "5m") == f"({failed} or 0 * {every})"


def test_envoy_counts_requests_behind_our_gateway() -> None:
    """Behind our Gateway, Envoy counts all requests except those of disconnected clients."""
    context = context_of(AT_A_GATEWAY, platform=ENVOY)
    inference = context.system.inference["scorer"]

    left = (
        f'clamp_min((sum(rate(ray_serve_num_http_requests_total{{{SERVERS},status_code="499"}}[1h])) or vector(0)) - '
        f"(sum(rate(envoy_cluster_upstream_rq_timeout{{{ROUTE}}}[1h])) or vector(0)), 0)"
    )
    failed = f'sum(rate(envoy_cluster_upstream_rq{{{ROUTE},envoy_response_code=~"5..|408|499"}}[1h]))'
    assert requests(inference, context, "1h") == f"(sum(rate(envoy_cluster_upstream_rq{{{ROUTE}}}[1h])) + {left})"
    assert failures(inference, context, "1h") == f"(({failed} or vector(0)) + {left})"
