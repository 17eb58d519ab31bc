"""Tests the alerts for monitors, runs, versions, the promoter and the registry with promtool."""

from __future__ import annotations

from tests.real.promtool import REQUESTS, Prometheus
from tests.specs import VALID_SPEC, changed
from tests.targets.kube.monitoring.test_monitor_rules import PERFORMANCE, RUNS
from tests.targets.kube.monitoring.test_pipeline_rules import SCHEDULE


def monitored(breach: str, last_run: str, system: str = "fraud", namespace: str = "fraud") -> dict[str, str]:
    of = f'namespace="{namespace}",system="{system}",monitor="drift"'
    return {
        f'modelyard_monitor_breach{{{of},check="psi",feature="amount"}}': breach,
        f'modelyard_monitor_breach{{{of},check="psi-amount",feature="amount"}}': "0x1440",
        f"modelyard_monitor_last_run_seconds{{{of}}}": last_run,
    }


def test_breach_alert_fires_until_the_next_run(prometheus: Prometheus) -> None:
    """The alert fires after a run pushes a breach, until the next run pushes a sample without one."""
    once = monitored("1 _x1439 0 _x1440", "0 _x1439 86400 _x1440")

    assert prometheus.fired_alerts(VALID_SPEC, "monitor-drift", once, 1200) == {
        ("ModelyardMonitorBreach", "page", "psi")
    }
    assert prometheus.fired_alerts(VALID_SPEC, "monitor-drift", once, 1500) == set()


def test_monitor_of_another_system_is_ignored(prometheus: Prometheus) -> None:
    """Two systems that share a Prometheus may have monitors of the same name."""
    series = {**monitored("0 _x1440", "0 _x1440"), **monitored("1 _x1440", "0 _x1440", system="other")}

    assert prometheus.fired_alerts(VALID_SPEC, "monitor-drift", series, 600) == set()


def test_monitor_of_another_environment_is_ignored(prometheus: Prometheus) -> None:
    """A system may run in two namespaces. A breach in staging must not trigger an alert in production."""
    staging = monitored("1 _x1440", "0 _x1440", namespace="fraud-staging")

    assert (
        prometheus.fired_alerts(VALID_SPEC, "monitor-drift", {**monitored("0 _x1440", "0 _x1440"), **staging}, 600)
        == set()
    )


def test_stopped_monitor_opens_a_ticket(prometheus: Prometheus) -> None:
    """A ticket is opened 26 hours after the last run of a daily monitor."""
    alerts = prometheus.fired_alerts(VALID_SPEC, "monitor-drift", monitored("0 _x1700", "0 _x1700"), 1560)

    assert alerts == {("ModelyardMonitorStale", "ticket")}


def test_monitor_that_never_ran_opens_a_ticket(prometheus: Prometheus) -> None:
    assert prometheus.fired_alerts(VALID_SPEC, "monitor-drift", {}, 1200) == set()
    assert prometheus.fired_alerts(VALID_SPEC, "monitor-drift", {}, 1600) == {("ModelyardMonitorSilent", "ticket")}


def test_performance_monitor_uses_server_metrics(prometheus: Prometheus) -> None:
    """The throughput alert fires at 1 request per second (minimum 2), while 1 in 10 requests may fail."""
    series = {REQUESTS % "200": "0+54x60", REQUESTS % "500": "0+6x60"}

    assert prometheus.fired_alerts(PERFORMANCE, "monitor-drift", series, 50) == {
        ("ModelyardMonitorBreach", "ticket", "throughput_rps")
    }


JOB = 'namespace="fraud",job_name="retrain-%s"'

CRON_JOB = 'namespace="fraud",cronjob="retrain"'


def run(number: int, start: str, condition: str) -> dict[str, str]:
    """Return the series kube-state-metrics exports for a Job that ended in the given condition."""
    job = JOB % number
    owner = f'{job},owner_kind="CronJob",owner_name="retrain",owner_is_controller="true"'
    return {
        f"kube_job_owner{{{owner}}}": "1x20000",
        f"kube_job_status_start_time{{{job}}}": start,
        f'kube_job_{condition}{{{job},condition="true"}}': "1x20000",
    }


def scheduled(success: str = "") -> dict[str, str]:
    """Return the series of the CronJob, created at time zero."""
    known = {f"kube_cronjob_created{{{CRON_JOB}}}": "0x20000"}
    return {**known, f"kube_cronjob_status_last_successful_time{{{CRON_JOB}}}": success} if success else known


def test_failed_run_opens_a_ticket_until_the_next_success(prometheus: Prometheus) -> None:
    series = {**scheduled(), **run(1, "600x20000", "failed"), **run(2, "_x60 3600x20000", "complete")}
    series['kube_job_complete{namespace="fraud",job_name="retrain-2",condition="true"}'] = "_x60 1x20000"

    assert prometheus.fired_alerts(VALID_SPEC, "retrain", series, 30) == {("ModelyardPipelineFailed", "ticket")}
    assert prometheus.fired_alerts(VALID_SPEC, "retrain", series, 70) == set()


def test_failed_run_of_another_pipeline_is_ignored(prometheus: Prometheus) -> None:
    series = {name.replace("retrain", "nightly"): values for name, values in run(1, "600x20000", "failed").items()}

    assert prometheus.fired_alerts(VALID_SPEC, "retrain", {**scheduled(), **series}, 30) == set()


def test_missing_run_opens_a_ticket(prometheus: Prometheus) -> None:
    """A run is overdue a week, an hour and two attempts of 6 h 10 min after the last success or the creation."""
    due = 7 * 24 * 60 + 60 + 2 * 370
    late = {("ModelyardPipelineMissing", "ticket")}

    assert prometheus.fired_alerts(VALID_SPEC, "retrain", scheduled("3600x20000"), due + 59) == set()
    assert prometheus.fired_alerts(VALID_SPEC, "retrain", scheduled("3600x20000"), due + 61) == late
    assert prometheus.fired_alerts(VALID_SPEC, "retrain", scheduled(), due + 1) == late


def test_paused_schedule_raises_no_missing_run_alert(prometheus: Prometheus) -> None:
    """An hourly run is overdue 3 hours after a pause ends, i.e. two hours plus two half-hour attempts."""
    text = changed(SCHEDULE, 'schedule: {cron: "0 * * * *"}', ("    timeout: 6h", "    timeout: 20m"))
    due, late = 180, {("ModelyardPipelineMissing", "ticket")}
    suspended = f"kube_cronjob_spec_suspend{{{CRON_JOB}}}"
    series = {f"kube_cronjob_created{{{CRON_JOB}}}": "0x900"}

    assert prometheus.fired_alerts(text, "retrain", {**series, suspended: "0x900"}, due + 5) == late
    assert prometheus.fired_alerts(text, "retrain", {**series, suspended: "0x60 1x840"}, 800) == set()
    resumed = {**series, suspended: "0x60 1x340 0x500"}
    assert prometheus.fired_alerts(text, "retrain", resumed, 400 + due - 5) == set()
    assert prometheus.fired_alerts(text, "retrain", resumed, 400 + due + 15) == late


def test_pipeline_without_metrics_opens_a_ticket(prometheus: Prometheus) -> None:
    assert prometheus.fired_alerts(VALID_SPEC, "retrain", {}, 50) == set()
    assert prometheus.fired_alerts(VALID_SPEC, "retrain", {}, 70) == {("ModelyardPipelineUnseen", "ticket")}


PUSHED = '{namespace="fraud",system="fraud",pipeline="retrain"}'


def test_refused_gate_and_waiting_version_open_tickets_until_the_next_push(prometheus: Prometheus) -> None:
    """Refused gates and waiting versions open tickets until the next push.

    Each run pushes one sample. A week after a refusal, the gate passes and a version waits for approval.
    """
    week = 7 * 24 * 60
    series = {
        **scheduled(f"0x{week} 604800x{week}"),
        f"modelyard_gate_refused{PUSHED}": f"1 _x{week - 1} 0 _x{week}",
        f"modelyard_versions_waiting{PUSHED}": f"0 _x{week - 1} 1 _x{week}",
    }

    assert prometheus.fired_alerts(VALID_SPEC, "retrain", series, 600) == {("ModelyardGateRefused", "ticket")}
    assert prometheus.fired_alerts(VALID_SPEC, "retrain", series, week + 60) == {("ModelyardApprovalWaiting", "ticket")}


def test_approval_ends_the_alert_within_minutes(prometheus: Prometheus) -> None:
    """The alert ends soon after approval, because the promoter pushes the same series every few minutes."""
    week = 7 * 24 * 60
    series = {
        **scheduled(f"0x{week}"),
        f"modelyard_gate_refused{PUSHED}": f"0x{week}",
        f"modelyard_versions_waiting{PUSHED}": f"0 _x58 1 _x2 1 _x2 1x100 0x{week}",
    }

    assert prometheus.fired_alerts(VALID_SPEC, "retrain", series, 120) == {("ModelyardApprovalWaiting", "ticket")}
    assert prometheus.fired_alerts(VALID_SPEC, "retrain", series, 170) == set()


def test_monitor_checks_run_duration_freshness_and_failures(prometheus: Prometheus) -> None:
    """Two failed runs within the week are reported, and so is a run that takes longer than two hours."""
    series = {**scheduled("3600x20000"), **run(1, "600x20000", "failed"), **run(2, "1200x20000", "failed")}
    job = JOB % 3
    series |= run(3, "3600x20000", "complete")
    series[f'kube_job_complete{{{job},condition="true"}}'] = "0x20000"
    series[f"kube_job_status_active{{{job}}}"] = "1x20000"

    alerts = prometheus.fired_alerts(RUNS, "monitor-drift", series, 240)
    assert {about[-1] for about in alerts} == {"failed_runs", "duration_s"}
    alerts = prometheus.fired_alerts(RUNS, "monitor-drift", scheduled("3600x20000"), 60 + 15000 + 10)
    assert {about[-1] for about in alerts} == {"freshness_s"}


def test_promoter_without_a_success_opens_a_ticket_after_half_an_hour(prometheus: Prometheus) -> None:
    """The alert fires half an hour after the last success, unless the promoter is suspended."""
    own = '{namespace="fraud",cronjob="promoter"}'
    series = {f"kube_cronjob_created{own}": "0x100", f"kube_cronjob_status_last_successful_time{own}": "600x100"}
    suspended = f"kube_cronjob_spec_suspend{own}"

    assert prometheus.fired_alerts(VALID_SPEC, "registry.alerts", {**series, suspended: "0x100"}, 39) == set()
    late = {("ModelyardPromoterMissing", "ticket")}
    assert prometheus.fired_alerts(VALID_SPEC, "registry.alerts", {**series, suspended: "0x100"}, 42) == late
    assert prometheus.fired_alerts(VALID_SPEC, "registry.alerts", {**series, suspended: "1x100"}, 42) == set()


def test_a_registry_without_a_server_pages_after_ten_minutes(prometheus: Prometheus) -> None:
    available = 'kube_deployment_status_replicas_available{namespace="fraud",deployment="mlflow"}'

    assert prometheus.fired_alerts(VALID_SPEC, "registry.alerts", {available: "1x60"}, 30) == set()
    assert prometheus.fired_alerts(VALID_SPEC, "registry.alerts", {available: "1x20 0x40"}, 29) == set()
    assert prometheus.fired_alerts(VALID_SPEC, "registry.alerts", {available: "1x20 0x40"}, 32) == {
        ("ModelyardRegistryGone", "page")
    }
