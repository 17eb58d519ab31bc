"""Prometheus itself reads the rules, and tells when it should: promtool's check and its unit tests."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from modelyard_targets.kube.placement.context import ANY_PLATFORM
from modelyard_targets.kube.placement.platform import Platform
from tests.observed import AT_A_GATEWAY, ENVOY, rule_object
from tests.specs import VALID_SPEC, changed
from tests.targets.kube.monitoring.test_monitor_rules import PERFORMANCE, RUNS
from tests.targets.kube.monitoring.test_pipeline_rules import ONCE, SCHEDULE

Object: TypeAlias = dict[str, Any]

SLO = "slo: {p99: 50ms, availability: 99.95%}"
REQUESTS = 'ray_serve_num_http_requests_total{namespace="fraud",application="scorer-champion",status_code="%s"}'
HEALTHY = 'ray_serve_deployment_replica_healthy{namespace="fraud",application="scorer-%s"}'
LATENCY = "ray_serve_http_request_latency_ms_%s"
ANSWERS = 'namespace="fraud",application="scorer-champion",status_code="200"'


@pytest.fixture(scope="session")
def promtool(built: Callable[[str], Path]) -> Path:
    """Prometheus' own tool."""
    return built("promtool")


class Prometheus:
    """Rules of a spec, evaluated over series that are written out."""

    def __init__(self, promtool: Path, folder: Path) -> None:
        self._promtool, self._folder = promtool, folder

    def check(self, text: str, name: str) -> str:
        """What Prometheus has against the rules; empty if nothing."""
        done = self._run("check", "rules", "--lint-fatal", self._rules(rule_object(text, name)))
        return "" if done.returncode == 0 else done.stdout + done.stderr

    def told(
        self, text: str, name: str, series: dict[str, str], minutes: int, platform: Platform = ANY_PLATFORM
    ) -> set[tuple[str, ...]]:
        """Alerts that fire after some minutes with these series: name, severity, and what they are about.

        promtool is asked for every alert with the expectation of none, and says what it got.
        """
        found_rules = rule_object(text, name, platform=platform)
        rules, groups = self._rules(found_rules), found_rules["spec"]["groups"]
        names = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
        test: Object = {
            "interval": "1m",
            "input_series": [{"series": one, "values": values} for one, values in series.items()],
            "alert_rule_test": [
                {"eval_time": f"{minutes}m", "alertname": alert, "exp_alerts": []} for alert in sorted(names)
            ],
        }
        path = self._folder / "test.yaml"
        asked = {"rule_files": [str(rules)], "evaluation_interval": "1m", "tests": [test]}
        path.write_text(json.dumps(asked), encoding="utf-8")
        done = self._run("test", "rules", path)
        found = set(_got(done.stdout + done.stderr))
        assert (done.returncode == 0) == (not found), done.stdout + done.stderr
        return found

    def _rules(self, manifest: Object) -> Path:
        """The rules of a PrometheusRule as a file of Prometheus; JSON is YAML."""
        path = self._folder / "rules.yaml"
        path.write_text(json.dumps(manifest["spec"]), encoding="utf-8")
        return path

    def _run(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run([self._promtool, *arguments], capture_output=True, text=True, timeout=120)


@pytest.fixture
def prometheus(promtool: Path, tmp_path: Path) -> Prometheus:
    return Prometheus(promtool, tmp_path)


def _got(text: str) -> Iterator[tuple[str, ...]]:
    """Name, severity, objective, window, application and check of what promtool says that it got."""
    for line in text.split("got:")[1:]:
        for labels in re.findall(r"Labels:\{(.*?)\}", line, re.DOTALL):
            pairs = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            about = (pairs.get(key, "") for key in ("alertname", "severity", "slo", "window", "application", "check"))
            yield tuple(one for one in about if one)


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
def test_prometheus_reads_the_rules(prometheus: Prometheus, text: str, name: str) -> None:
    """Expressions, templates and names are all valid."""
    assert prometheus.check(text, name) == ""


def healthy() -> dict[str, str]:
    return {HEALTHY % "champion": "1x400", HEALTHY % "challenger": "1x400"}


def test_a_healthy_endpoint_tells_nothing(prometheus: Prometheus) -> None:
    """One failure in ten thousand requests is within the objective."""
    series = {**healthy(), REQUESTS % "200": "0+60000x400", REQUESTS % "500": "0+6x400"}

    assert prometheus.told(VALID_SPEC, "scorer", series, 300) == set()


def test_without_a_single_failure_the_ratio_is_still_there(prometheus: Prometheus) -> None:
    assert prometheus.told(VALID_SPEC, "scorer", {**healthy(), REQUESTS % "200": "0+600x400"}, 300) == set()


def test_an_outage_pages_within_minutes(prometheus: Prometheus) -> None:
    """After four quiet hours a tenth of the requests fails: a page, ten minutes later."""
    series = {**healthy(), REQUESTS % "200": "0+600x400", REQUESTS % "500": "0+0x240 0+60x160"}

    told = prometheus.told(VALID_SPEC, "scorer", series, 250)

    assert ("ModelyardSloBurn", "page", "availability", "1h") in told


def test_a_page_ends_soon_after_the_outage(prometheus: Prometheus) -> None:
    """The short window says that it is over, while the long one still remembers."""
    series = {**healthy(), REQUESTS % "200": "0+600x400", REQUESTS % "500": "0+0x240 0+60x30 1800+0x130"}
    told = prometheus.told(VALID_SPEC, "scorer", series, 280)

    assert ("ModelyardSloBurn", "page", "availability", "1h") not in told


def test_refused_requests_are_the_clients(prometheus: Prometheus) -> None:
    series = {**healthy(), REQUESTS % "200": "0+600x400", REQUESTS % "422": "0+600x400"}

    assert prometheus.told(VALID_SPEC, "scorer", series, 300) == set()


def test_slow_answers_burn_the_budget_of_latency(prometheus: Prometheus) -> None:
    """Every second answer takes longer than 50 ms."""
    series = {
        **healthy(),
        REQUESTS % "200": "0+600x400",
        f"{LATENCY % 'count'}{{{ANSWERS}}}": "0+600x400",
        f'{LATENCY % "bucket"}{{{ANSWERS},le="20.0"}}': "0+100x400",
        f'{LATENCY % "bucket"}{{{ANSWERS},le="50.0"}}': "0+300x400",
        f'{LATENCY % "bucket"}{{{ANSWERS},le="+Inf"}}': "0+600x400",
    }
    told = prometheus.told(VALID_SPEC, "scorer", series, 120)

    assert ("ModelyardSloBurn", "page", "latency-p99", "1h") in told
    assert not [one for one in told if "availability" in one]


def test_an_application_without_a_healthy_replica_pages(prometheus: Prometheus) -> None:
    series = {HEALTHY % "champion": "1x60", HEALTHY % "challenger": "1x20 0x40", REQUESTS % "200": "0+600x60"}

    assert prometheus.told(VALID_SPEC, "scorer", series, 50) == {("ModelyardEndpointGone", "page", "scorer-challenger")}


@pytest.mark.parametrize("status", ["408", "499", "504"])
def test_time_outs_burn_the_budget(prometheus: Prometheus, status: str) -> None:
    """Every request times out: at the proxy of Ray, at its caller, at a replica."""
    series = {**healthy(), REQUESTS % "200": "0+600x60 36000x60", REQUESTS % status: "0x60 0+600x60"}

    told = prometheus.told(VALID_SPEC, "scorer", series, 70)

    assert ("ModelyardSloBurn", "page", "availability", "1h") in told


def test_the_loss_of_all_pods_pages_within_the_error_budget(prometheus: Prometheus) -> None:
    """After two minutes without a series, of the 21 minutes that 99.95 % leaves in a month."""
    series = {
        HEALTHY % "champion": "1x60 stale",
        HEALTHY % "challenger": "1x60 stale",
        REQUESTS % "200": "0+600x60 stale",
    }

    assert prometheus.told(VALID_SPEC, "scorer", series, 62) == set()
    assert prometheus.told(VALID_SPEC, "scorer", series, 65) == {
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
    """A proxy and all replicas run, and a thousand requests a minute are answered."""
    return {**healthy(), PROXY_UP: "1x400", ENVOY_REQUESTS % "200": "0+1000x400", **more}


def paged(told: set[tuple[str, ...]]) -> bool:
    return ("ModelyardSloBurn", "page", "availability", "1h") in told


def test_a_healthy_endpoint_behind_a_gateway_notifies_nobody(prometheus: Prometheus) -> None:
    """Copies of requests that fail are nobody's, and so are requests that are refused with 4xx."""
    series = at_gateway()
    series[f'envoy_cluster_upstream_rq{{{MIRROR},envoy_response_code="503"}}'] = "0+1000x400"
    series[ENVOY_REQUESTS % "422"] = "0+100x400"

    assert prometheus.told(AT_A_GATEWAY, "scorer", series, 300, ENVOY) == set()


def test_time_outs_of_the_gateway_page(prometheus: Prometheus) -> None:
    """Two requests of a hundred, of which the servers report nothing but callers that left."""
    series = at_gateway()
    series |= {ENVOY_REQUESTS % "504": "0x240 0+20x160", ENVOY_TIMED_OUT: "0x240 0+20x160"}
    series[REQUESTS % "499"] = "0x240 0+20x160"

    assert paged(prometheus.told(AT_A_GATEWAY, "scorer", series, 300, ENVOY))


def test_a_time_out_of_the_gateway_counts_once(prometheus: Prometheus) -> None:
    """With half of the pace that pages, which the servers' 499 of the same requests must not double."""
    series = at_gateway()
    series |= {ENVOY_REQUESTS % "504": "0+4x400", ENVOY_TIMED_OUT: "0+4x400", REQUESTS % "499": "0+4x400"}

    assert not paged(prometheus.told(AT_A_GATEWAY, "scorer", series, 300, ENVOY))


@pytest.mark.parametrize(
    ("answers", "seen_by_servers"),
    [({"408": "0x60 0+1000x60"}, {}), ({}, {"499": "0x60 0+1000x60"}), ({"503": "0x60 0+1000x60"}, {})],
)
def test_when_no_request_succeeds_any_more_it_pages_within_minutes(
    prometheus: Prometheus, answers: dict[str, str], seen_by_servers: dict[str, str]
) -> None:
    """All time out, all callers leave, all connections to the servers are refused."""
    series = {**healthy(), PROXY_UP: "1x400", ENVOY_REQUESTS % "200": "0+1000x60 60000x60"}
    series |= {ENVOY_REQUESTS % code: values for code, values in answers.items()}
    series |= {REQUESTS % code: values for code, values in seen_by_servers.items()}

    assert paged(prometheus.told(AT_A_GATEWAY, "scorer", series, 66, ENVOY))


def test_a_gateway_that_is_gone_pages(prometheus: Prometheus) -> None:
    """Its series go with it, so no ratio notices."""
    series = {**healthy(), PROXY_UP: "1x60 stale", ENVOY_REQUESTS % "200": "0+1000x60 stale"}

    assert prometheus.told(AT_A_GATEWAY, "scorer", series, 65, ENVOY) == {("ModelyardGatewayGone", "page")}


def test_an_application_that_scaled_to_nothing_pages_only_when_it_does_not_run(prometheus: Prometheus) -> None:
    text = changed("fraud-xgb@candidate, replicas: 1}", "fraud-xgb@candidate, replicas: {min: 0, max: 2}}")
    status = 'ray_serve_application_status{namespace="fraud",application="scorer-challenger"}'
    quiet = {HEALTHY % "champion": "1x60", HEALTHY % "challenger": "0x60", status: "6x60"}

    assert prometheus.told(text, "scorer", quiet, 50) == set()
    told = prometheus.told(text, "scorer", {**quiet, status: "6x20 2x40"}, 50)
    assert told == {("ModelyardEndpointGone", "page", "scorer-challenger")}


def monitored(breach: str, last_run: str, system: str = "fraud", namespace: str = "fraud") -> dict[str, str]:
    of = f'namespace="{namespace}",system="{system}",monitor="drift"'
    return {
        f'modelyard_monitor_breach{{{of},check="psi",feature="amount"}}': breach,
        f'modelyard_monitor_breach{{{of},check="psi-amount",feature="amount"}}': "0x1440",
        f"modelyard_monitor_last_run_seconds{{{of}}}": last_run,
    }


def test_a_breach_of_one_run_is_told_until_the_next(prometheus: Prometheus) -> None:
    """One sample a day is enough, and the next run takes it back."""
    once = monitored("1 _x1439 0 _x1440", "0 _x1439 86400 _x1440")

    assert prometheus.told(VALID_SPEC, "monitor-drift", once, 1200) == {("ModelyardMonitorBreach", "page", "psi")}
    assert prometheus.told(VALID_SPEC, "monitor-drift", once, 1500) == set()


def test_a_monitor_of_another_system_is_not_ours(prometheus: Prometheus) -> None:
    """Monitors of the same name in two systems that share a Prometheus."""
    series = {**monitored("0 _x1440", "0 _x1440"), **monitored("1 _x1440", "0 _x1440", system="other")}

    assert prometheus.told(VALID_SPEC, "monitor-drift", series, 600) == set()


def test_a_monitor_of_another_environment_is_not_ours(prometheus: Prometheus) -> None:
    """Of one system in two namespaces: what breaches in staging is nothing to production."""
    staging = monitored("1 _x1440", "0 _x1440", namespace="fraud-staging")

    assert prometheus.told(VALID_SPEC, "monitor-drift", {**monitored("0 _x1440", "0 _x1440"), **staging}, 600) == set()


def test_a_monitor_that_stopped_is_a_ticket(prometheus: Prometheus) -> None:
    """Twenty-six hours after a daily run."""
    told = prometheus.told(VALID_SPEC, "monitor-drift", monitored("0 _x1700", "0 _x1700"), 1560)

    assert told == {("ModelyardMonitorStale", "ticket")}


def test_a_monitor_that_never_ran_is_a_ticket(prometheus: Prometheus) -> None:
    assert prometheus.told(VALID_SPEC, "monitor-drift", {}, 1200) == set()
    assert prometheus.told(VALID_SPEC, "monitor-drift", {}, 1600) == {("ModelyardMonitorSilent", "ticket")}


def test_a_performance_monitor_tells_what_servers_measure(prometheus: Prometheus) -> None:
    """A tenth fails, which is below a fifth; one request comes a second, where at least two are expected."""
    series = {REQUESTS % "200": "0+54x60", REQUESTS % "500": "0+6x60"}

    assert prometheus.told(PERFORMANCE, "monitor-drift", series, 50) == {
        ("ModelyardMonitorBreach", "ticket", "throughput_rps")
    }


JOB = 'namespace="fraud",job_name="retrain-%s"'
CRON_JOB = 'namespace="fraud",cronjob="retrain"'


def run(number: int, start: str, condition: str) -> dict[str, str]:
    """The series of kube-state-metrics about a Job: they appear when it starts, its end when it has ended."""
    job = JOB % number
    owner = f'{job},owner_kind="CronJob",owner_name="retrain",owner_is_controller="true"'
    return {
        f"kube_job_owner{{{owner}}}": "1x20000",
        f"kube_job_status_start_time{{{job}}}": start,
        f'kube_job_{condition}{{{job},condition="true"}}': "1x20000",
    }


def scheduled(success: str = "") -> dict[str, str]:
    """The CronJob, which is as old as the clock of the test."""
    known = {f"kube_cronjob_created{{{CRON_JOB}}}": "0x20000"}
    return {**known, f"kube_cronjob_status_last_successful_time{{{CRON_JOB}}}": success} if success else known


def test_a_failed_run_is_a_ticket_until_the_next_succeeds(prometheus: Prometheus) -> None:
    series = {**scheduled(), **run(1, "600x20000", "failed"), **run(2, "_x60 3600x20000", "complete")}
    series['kube_job_complete{namespace="fraud",job_name="retrain-2",condition="true"}'] = "_x60 1x20000"

    assert prometheus.told(VALID_SPEC, "retrain", series, 30) == {("ModelyardPipelineFailed", "ticket")}
    assert prometheus.told(VALID_SPEC, "retrain", series, 70) == set()


def test_a_failed_run_of_another_pipeline_is_not_ours(prometheus: Prometheus) -> None:
    series = {name.replace("retrain", "nightly"): values for name, values in run(1, "600x20000", "failed").items()}

    assert prometheus.told(VALID_SPEC, "retrain", {**scheduled(), **series}, 30) == set()


def test_a_missing_run_is_a_ticket(prometheus: Prometheus) -> None:
    """A week, an hour, and twice six hours and ten minutes after the last success, or after the CronJob was created."""
    due = 7 * 24 * 60 + 60 + 2 * 370
    late = {("ModelyardPipelineMissing", "ticket")}

    assert prometheus.told(VALID_SPEC, "retrain", scheduled("3600x20000"), due + 59) == set()
    assert prometheus.told(VALID_SPEC, "retrain", scheduled("3600x20000"), due + 61) == late
    assert prometheus.told(VALID_SPEC, "retrain", scheduled(), due + 1) == late


def test_a_paused_schedule_misses_no_run(prometheus: Prometheus) -> None:
    """It is due again as long after it was resumed as after a success: an hour, an hour, and twice half an hour."""
    text = changed(SCHEDULE, 'schedule: {cron: "0 * * * *"}', ("    timeout: 6h", "    timeout: 20m"))
    due, late = 180, {("ModelyardPipelineMissing", "ticket")}
    suspended = f"kube_cronjob_spec_suspend{{{CRON_JOB}}}"
    series = {f"kube_cronjob_created{{{CRON_JOB}}}": "0x900"}

    assert prometheus.told(text, "retrain", {**series, suspended: "0x900"}, due + 5) == late
    assert prometheus.told(text, "retrain", {**series, suspended: "0x60 1x840"}, 800) == set()
    resumed = {**series, suspended: "0x60 1x340 0x500"}
    assert prometheus.told(text, "retrain", resumed, 400 + due - 5) == set()
    assert prometheus.told(text, "retrain", resumed, 400 + due + 15) == late


def test_a_pipeline_that_nobody_sees_is_a_ticket(prometheus: Prometheus) -> None:
    assert prometheus.told(VALID_SPEC, "retrain", {}, 50) == set()
    assert prometheus.told(VALID_SPEC, "retrain", {}, 70) == {("ModelyardPipelineUnseen", "ticket")}


PUSHED = '{namespace="fraud",system="fraud",pipeline="retrain"}'


def test_a_refused_gate_and_a_waiting_version_are_tickets_until_the_next_push(prometheus: Prometheus) -> None:
    """One sample a run: a week later the gate holds, and a version waits for approval."""
    week = 7 * 24 * 60
    series = {
        **scheduled(f"0x{week} 604800x{week}"),
        f"modelyard_gate_refused{PUSHED}": f"1 _x{week - 1} 0 _x{week}",
        f"modelyard_versions_waiting{PUSHED}": f"0 _x{week - 1} 1 _x{week}",
    }

    assert prometheus.told(VALID_SPEC, "retrain", series, 600) == {("ModelyardGateRefused", "ticket")}
    assert prometheus.told(VALID_SPEC, "retrain", series, week + 60) == {("ModelyardApprovalWaiting", "ticket")}


def test_an_approval_ends_its_alert_in_minutes(prometheus: Prometheus) -> None:
    """The promoter pushes the same series every few minutes."""
    week = 7 * 24 * 60
    series = {
        **scheduled(f"0x{week}"),
        f"modelyard_gate_refused{PUSHED}": f"0x{week}",
        f"modelyard_versions_waiting{PUSHED}": f"0 _x58 1 _x2 1 _x2 1x100 0x{week}",
    }

    assert prometheus.told(VALID_SPEC, "retrain", series, 120) == {("ModelyardApprovalWaiting", "ticket")}
    assert prometheus.told(VALID_SPEC, "retrain", series, 170) == set()


def test_a_monitor_watches_how_long_how_old_and_how_often_failed_runs_are(prometheus: Prometheus) -> None:
    """Two runs failed within the week, and one takes longer than two hours."""
    series = {**scheduled("3600x20000"), **run(1, "600x20000", "failed"), **run(2, "1200x20000", "failed")}
    job = JOB % 3
    series |= run(3, "3600x20000", "complete")
    series[f'kube_job_complete{{{job},condition="true"}}'] = "0x20000"
    series[f"kube_job_status_active{{{job}}}"] = "1x20000"

    told = prometheus.told(RUNS, "monitor-drift", series, 240)
    assert {about[-1] for about in told} == {"failed_runs", "duration_s"}
    told = prometheus.told(RUNS, "monitor-drift", scheduled("3600x20000"), 60 + 15000 + 10)
    assert {about[-1] for about in told} == {"freshness_s"}


def test_a_promoter_without_a_success_is_a_ticket_after_half_an_hour(prometheus: Prometheus) -> None:
    """Unless it is paused."""
    own = '{namespace="fraud",cronjob="promoter"}'
    series = {f"kube_cronjob_created{own}": "0x100", f"kube_cronjob_status_last_successful_time{own}": "600x100"}
    suspended = f"kube_cronjob_spec_suspend{own}"

    assert prometheus.told(VALID_SPEC, "registry.alerts", {**series, suspended: "0x100"}, 39) == set()
    late = {("ModelyardPromoterMissing", "ticket")}
    assert prometheus.told(VALID_SPEC, "registry.alerts", {**series, suspended: "0x100"}, 42) == late
    assert prometheus.told(VALID_SPEC, "registry.alerts", {**series, suspended: "1x100"}, 42) == set()


def test_a_registry_without_a_server_pages_after_ten_minutes(prometheus: Prometheus) -> None:
    available = 'kube_deployment_status_replicas_available{namespace="fraud",deployment="mlflow"}'

    assert prometheus.told(VALID_SPEC, "registry.alerts", {available: "1x60"}, 30) == set()
    assert prometheus.told(VALID_SPEC, "registry.alerts", {available: "1x20 0x40"}, 29) == set()
    assert prometheus.told(VALID_SPEC, "registry.alerts", {available: "1x20 0x40"}, 32) == {
        ("ModelyardRegistryGone", "page")
    }
