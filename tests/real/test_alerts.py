"""Tests that promtool accepts the emitted rules, and that endpoint alerts fire when they should."""

from __future__ import annotations

import pytest
import yaml

from modelyard.api import compile_text
from tests.hostile.seeds import FIELDS
from tests.observed import AT_A_GATEWAY, ENVOY
from tests.real.promtool import REQUESTS, Object, Prometheus
from tests.specs import VALID_SPEC, changed
from tests.targets.kube.monitoring.test_language_rules import TEXTS
from tests.targets.kube.monitoring.test_monitor_rules import PERFORMANCE, RUNS
from tests.targets.kube.monitoring.test_pipeline_rules import ONCE

OF_SLO = ',namespace="shelf",modelyard_dev_workload="inference.shelf",slo="latency-p99"'
SLO = "slo: {p99: 50ms, availability: 99.95%}"


HEALTHY = 'ray_serve_deployment_replica_healthy{namespace="fraud",application="scorer-%s"}'

LATENCY = "ray_serve_http_request_latency_ms_%s"

ANSWERS = 'namespace="fraud",application="scorer-champion",status_code="200"'


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (VALID_SPEC, "scorer"),
        (VALID_SPEC, "monitor-drift"),
        (VALID_SPEC, "monitor-quality"),
        (PERFORMANCE, "monitor-drift"),
        (RUNS, "monitor-drift"),
        (VALID_SPEC, "retrain"),
        (VALID_SPEC, "registry.alerts"),
        (TEXTS, "assistant"),
        (ONCE, "retrain"),
        (changed("team: payments-risk", 'team: "{{ $labels.x }} \\" {{"'), "scorer"),
        (
            changed(
                "slo: {p99: 50ms, availability: 99.95%}", "slo: {p50: 5ms, p999: 1s, availability: 100%, window: 90d}"
            ),
            "scorer",
        ),
    ],
)
def test_rules_pass_promtool_check(prometheus: Prometheus, text: str, name: str) -> None:
    """promtool finds no error in the expressions, templates and names."""
    assert prometheus.check(text, name) == ""


def healthy() -> dict[str, str]:
    return {HEALTHY % "champion": "1x400", HEALTHY % "challenger": "1x400"}


def test_healthy_endpoint_raises_no_alert(prometheus: Prometheus) -> None:
    """One failure in ten thousand requests is within the objective, so no alert fires."""
    series = {**healthy(), REQUESTS % "200": "0+60000x400", REQUESTS % "500": "0+6x400"}

    assert prometheus.fired_alerts(VALID_SPEC, "scorer", series, 300) == set()


def test_ratio_exists_without_any_failures(prometheus: Prometheus) -> None:
    assert prometheus.fired_alerts(VALID_SPEC, "scorer", {**healthy(), REQUESTS % "200": "0+600x400"}, 300) == set()


def test_an_outage_pages_within_minutes(prometheus: Prometheus) -> None:
    """If 10% of requests fail after four quiet hours, a page is sent within ten minutes."""
    series = {**healthy(), REQUESTS % "200": "0+600x400", REQUESTS % "500": "0+0x240 0+60x160"}

    alerts = prometheus.fired_alerts(VALID_SPEC, "scorer", series, 250)

    assert ("ModelyardSloBurn", "page", "availability", "1h") in alerts


def test_a_page_ends_soon_after_the_outage(prometheus: Prometheus) -> None:
    """The page resolves once the short window has no failures, even though the long window includes the outage."""
    series = {**healthy(), REQUESTS % "200": "0+600x400", REQUESTS % "500": "0+0x240 0+60x30 1800+0x130"}
    alerts = prometheus.fired_alerts(VALID_SPEC, "scorer", series, 280)

    assert ("ModelyardSloBurn", "page", "availability", "1h") not in alerts


def test_requests_refused_with_4xx_raise_no_alert(prometheus: Prometheus) -> None:
    series = {**healthy(), REQUESTS % "200": "0+600x400", REQUESTS % "422": "0+600x400"}

    assert prometheus.fired_alerts(VALID_SPEC, "scorer", series, 300) == set()


def test_slow_answers_burn_the_latency_budget(prometheus: Prometheus) -> None:
    """If half of the responses take longer than 50 ms, the latency budget alert fires."""
    series = {
        **healthy(),
        REQUESTS % "200": "0+600x400",
        f"{LATENCY % 'count'}{{{ANSWERS}}}": "0+600x400",
        f'{LATENCY % "bucket"}{{{ANSWERS},le="20.0"}}': "0+100x400",
        f'{LATENCY % "bucket"}{{{ANSWERS},le="50.0"}}': "0+300x400",
        f'{LATENCY % "bucket"}{{{ANSWERS},le="+Inf"}}': "0+600x400",
    }
    alerts = prometheus.fired_alerts(VALID_SPEC, "scorer", series, 120)

    assert ("ModelyardSloBurn", "page", "latency-p99", "1h") in alerts
    assert not [alert for alert in alerts if "availability" in alert]


def test_an_application_without_a_healthy_replica_pages(prometheus: Prometheus) -> None:
    series = {HEALTHY % "champion": "1x60", HEALTHY % "challenger": "1x20 0x40", REQUESTS % "200": "0+600x60"}

    assert prometheus.fired_alerts(VALID_SPEC, "scorer", series, 50) == {
        ("ModelyardEndpointGone", "page", "scorer-challenger")
    }


@pytest.mark.parametrize("status", ["408", "499", "504"])
def test_timeouts_burn_the_availability_budget(prometheus: Prometheus, status: str) -> None:
    """Timeouts at Ray's proxy, the caller or a replica all count as failed requests."""
    series = {**healthy(), REQUESTS % "200": "0+600x60 36000x60", REQUESTS % status: "0x60 0+600x60"}

    alerts = prometheus.fired_alerts(VALID_SPEC, "scorer", series, 70)

    assert ("ModelyardSloBurn", "page", "availability", "1h") in alerts


def test_the_loss_of_all_pods_pages_within_the_error_budget(prometheus: Prometheus) -> None:
    """A page is sent after two minutes without a series.

    An objective of 99.95% allows 21 minutes a month.
    """
    series = {
        HEALTHY % "champion": "1x60 stale",
        HEALTHY % "challenger": "1x60 stale",
        REQUESTS % "200": "0+600x60 stale",
    }

    assert prometheus.fired_alerts(VALID_SPEC, "scorer", series, 62) == set()
    assert prometheus.fired_alerts(VALID_SPEC, "scorer", series, 65) == {
        ("ModelyardEndpointGone", "page", "scorer-champion"),
        ("ModelyardEndpointGone", "page", "scorer-challenger"),
    }


ROUTE = 'namespace="envoy-gateway-system",envoy_cluster_name="httproute/fraud/scorer/rule/0"'

MIRROR = 'namespace="envoy-gateway-system",envoy_cluster_name="httproute/fraud/scorer/rule/0-mirror-0"'

ENVOY_REQUESTS = f'envoy_cluster_upstream_rq{{{ROUTE},envoy_response_code="%s"}}'

ENVOY_TIMED_OUT = f"envoy_cluster_upstream_rq_timeout{{{ROUTE}}}"

PROXY_UP = (
    'up{namespace="envoy-gateway-system",gateway_envoyproxy_io_owning_gateway_name="fraud",'
    'gateway_envoyproxy_io_owning_gateway_namespace="fraud"}'
)


def at_gateway(**more: str) -> dict[str, str]:
    """Return the series of a running proxy and of replicas that handle a thousand requests a minute."""
    return {**healthy(), PROXY_UP: "1x400", ENVOY_REQUESTS % "200": "0+1000x400", **more}


def paged(alerts: set[tuple[str, ...]]) -> bool:
    return ("ModelyardSloBurn", "page", "availability", "1h") in alerts


def test_a_healthy_endpoint_behind_a_gateway_notifies_nobody(prometheus: Prometheus) -> None:
    """Failed mirrored requests and 4xx responses do not count as failures."""
    series = at_gateway()
    series[f'envoy_cluster_upstream_rq{{{MIRROR},envoy_response_code="503"}}'] = "0+1000x400"
    series[ENVOY_REQUESTS % "422"] = "0+100x400"

    assert prometheus.fired_alerts(AT_A_GATEWAY, "scorer", series, 300, ENVOY) == set()


def test_gateway_timeouts_page(prometheus: Prometheus) -> None:
    """If 2% of requests time out, a page is sent even though servers report only disconnected callers."""
    series = at_gateway()
    series |= {ENVOY_REQUESTS % "504": "0x240 0+20x160", ENVOY_TIMED_OUT: "0x240 0+20x160"}
    series[REQUESTS % "499"] = "0x240 0+20x160"

    assert paged(prometheus.fired_alerts(AT_A_GATEWAY, "scorer", series, 300, ENVOY))


def test_gateway_timeout_counts_once(prometheus: Prometheus) -> None:
    """No page is sent at half the paging failure rate, because the servers' 499s aren't counted as well."""
    series = at_gateway()
    series |= {ENVOY_REQUESTS % "504": "0+4x400", ENVOY_TIMED_OUT: "0+4x400", REQUESTS % "499": "0+4x400"}

    assert not paged(prometheus.fired_alerts(AT_A_GATEWAY, "scorer", series, 300, ENVOY))


@pytest.mark.parametrize(
    ("answers", "seen_by_servers"),
    [({"408": "0x60 0+1000x60"}, {}), ({}, {"499": "0x60 0+1000x60"}), ({"503": "0x60 0+1000x60"}, {})],
)
def test_total_failure_behind_a_gateway_pages_within_minutes(
    prometheus: Prometheus, answers: dict[str, str], seen_by_servers: dict[str, str]
) -> None:
    """A page is sent if all requests time out, all callers disconnect, or servers refuse all connections."""
    series = {**healthy(), PROXY_UP: "1x400", ENVOY_REQUESTS % "200": "0+1000x60 60000x60"}
    series |= {ENVOY_REQUESTS % code: values for code, values in answers.items()}
    series |= {REQUESTS % code: values for code, values in seen_by_servers.items()}

    assert paged(prometheus.fired_alerts(AT_A_GATEWAY, "scorer", series, 66, ENVOY))


def test_missing_gateway_pages(prometheus: Prometheus) -> None:
    """A missing gateway still pages.

    It has no series, so ratio alerts can't fire, and a separate alert covers it.
    """
    series = {**healthy(), PROXY_UP: "1x60 stale", ENVOY_REQUESTS % "200": "0+1000x60 stale"}

    assert prometheus.fired_alerts(AT_A_GATEWAY, "scorer", series, 65, ENVOY) == {("ModelyardGatewayGone", "page")}


def test_application_scaled_to_zero_pages_only_when_it_is_unhealthy(prometheus: Prometheus) -> None:
    text = changed("fraud-xgb@candidate, replicas: 1}", "fraud-xgb@candidate, replicas: {min: 0, max: 2}}")
    status = 'ray_serve_application_status{namespace="fraud",application="scorer-challenger"}'
    quiet = {HEALTHY % "champion": "1x60", HEALTHY % "challenger": "0x60", status: "6x60"}

    assert prometheus.fired_alerts(text, "scorer", quiet, 50) == set()
    alerts = prometheus.fired_alerts(text, "scorer", {**quiet, status: "6x20 2x40"}, 50)
    assert alerts == {("ModelyardEndpointGone", "page", "scorer-challenger")}


def of_site(series: str, site: str, labels: str = "") -> str:
    """Return a series as a site's Prometheus would send it."""
    return f'{series}{{modelyard_system="shelf",modelyard_target="shops",modelyard_site="{site}"{labels}}}'


@pytest.fixture(scope="module")
def of_sites() -> Object:
    """Return the alert rules for two sites, as evaluated on another target."""
    compiled = compile_text((FIELDS / "sites.yaml").read_text(encoding="utf-8"))
    rules: Object = yaml.safe_load(compiled.files["default/centre/workloads/manifests/sites-shops.yaml"])
    return rules


def test_rules_of_sites_pass_promtool_check(prometheus: Prometheus, of_sites: Object) -> None:
    assert prometheus.problems(of_sites) == ""


def test_alerts_of_sites_fire_for_each_site(prometheus: Prometheus, of_sites: Object) -> None:
    """Each site gets its own alert if it has no server, sends no data, or is slow."""
    server = of_site("ray_serve_deployment_replica_healthy", "shop-001", ',namespace="shelf",application="shelf-live"')
    slow = [of_site(f"modelyard:slo_error_ratio:rate{window}", "shop-001", OF_SLO) for window in ("1h", "5m")]
    one_site = {of_site("up", "shop-001"): "1x60", server: "1x60"}
    both_sites = {**one_site, of_site("up", "shop-107"): "1x60"}
    no_server = ("ModelyardEndpointGone", "page", "shelf-live", "shop-107")

    assert prometheus.firing(of_sites, both_sites, 60) == {no_server}
    assert prometheus.firing(of_sites, one_site, 60) == {("ModelyardSiteSilent", "ticket", "shop-107")}
    assert prometheus.firing(of_sites, {**both_sites, **dict.fromkeys(slow, "0.9x60")}, 60) == {
        no_server,
        ("ModelyardSloBurn", "page", "latency-p99", "1h", "shop-001"),
    }


TEXTS_OF = 'namespace="support",application="assistant-live"'

TEXTS_HEALTHY = {
    f"ray_serve_deployment_replica_healthy{{{TEXTS_OF}}}": "1x400",
    f'ray_serve_num_http_requests_total{{{TEXTS_OF},status_code="200"}}': "0+600x400",
}


def histogram(series: str, *buckets: tuple[str, int]) -> dict[str, str]:
    """Return a histogram of 600 generated texts per minute with the given count in each bucket."""
    rising = {f'{series}_bucket{{{TEXTS_OF},le="{bound}"}}': f"0+{texts}x400" for bound, texts in buckets}
    return {**rising, f"{series}_count{{{TEXTS_OF}}}": "0+600x400"}


def test_late_first_tokens_page(prometheus: Prometheus) -> None:
    """An alert fires if half of the texts start after 800 ms, even if all of them are fast once started."""
    first = histogram("ray_modelyard_time_to_first_token_seconds", ("0.5", 100), ("0.8", 300), ("+Inf", 600))
    rate = histogram("ray_modelyard_tokens_per_second", ("10.0", 0), ("12.5", 0), ("25.0", 600), ("+Inf", 600))

    told = prometheus.fired_alerts(TEXTS, "assistant", {**TEXTS_HEALTHY, **first, **rate}, 400)

    assert {alert[2] for alert in told} == {"first-token-p95"}
    assert ("ModelyardSloBurn", "page", "first-token-p95", "6h") in told


def test_slow_texts_page(prometheus: Prometheus) -> None:
    """An alert fires if half of the texts get fewer tokens per second than the objective."""
    rate = histogram("ray_modelyard_tokens_per_second", ("10.0", 100), ("12.5", 300), ("25.0", 600), ("+Inf", 600))

    told = prometheus.fired_alerts(TEXTS, "assistant", {**TEXTS_HEALTHY, **rate}, 400)

    assert {alert[2] for alert in told} == {"tokens-per-second"}


def test_broken_streams_burn_the_availability_budget(prometheus: Prometheus) -> None:
    """Streams that end with an error count as failures, although their status is 200."""
    broken = {f'ray_modelyard_broken_streams_total{{{TEXTS_OF},version="1"}}': "0x240 0+300x160"}

    assert prometheus.fired_alerts(TEXTS, "assistant", TEXTS_HEALTHY, 270) == set()
    told = prometheus.fired_alerts(TEXTS, "assistant", {**TEXTS_HEALTHY, **broken}, 270)
    assert ("ModelyardSloBurn", "page", "availability", "1h") in told
