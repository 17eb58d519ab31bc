"""Tests a monitor's alert rules for failed checks, missing data, and overdue runs."""

from __future__ import annotations

from modelyard.spec import Schedule
from modelyard_targets.kube.monitoring.monitor_rules import period_s
from tests.observed import alerts
from tests.specs import VALID_SPEC, changed


def alerts_named(text: str, name: str, kind: str) -> list[dict[str, object]]:
    return [rule for rule in alerts(text, name) if rule["alert"] == kind]


PERFORMANCE = changed(
    "type: data-drift",
    "type: performance",
    ("    reference: {data: transactions, window: 30d}\n    window: 1d\n", "    window: 15m\n"),
    (
        "checks: {psi: {max: 0.2}, psi-amount: {metric: psi, max: 0.1, features: [amount], severity: ticket}}",
        "checks: {p99_ms: {max: 90}, throughput_rps: {min: 2, severity: ticket}, error_rate: {min: 0.01, max: 0.2}}",
    ),
    (", run: pipelines.retrain, cooldown: 3d", ""),
)


def test_every_check_has_an_alert_with_its_severity() -> None:
    rules = alerts(VALID_SPEC, "monitor-drift")

    assert [(rule["labels"].get("check"), rule["labels"]["severity"]) for rule in rules] == [
        ("psi", "page"),
        ("psi-amount", "ticket"),
        (None, "ticket"),
        (None, "ticket"),
        (None, "ticket"),
    ]
    assert rules[0]["expr"] == (
        "max by (feature) (last_over_time("
        'modelyard_monitor_breach{namespace="fraud",monitor="drift",check="psi",system=~"fraud|"}[3d])) > 0'
    )


def test_overdue_monitor_raises_an_alert() -> None:
    """A daily monitor raises an alert if it last ran 25 hours ago or has never run."""
    (stale,) = alerts_named(VALID_SPEC, "monitor-drift", "ModelyardMonitorStale")
    (silent,) = alerts_named(VALID_SPEC, "monitor-drift", "ModelyardMonitorSilent")

    assert str(stale["expr"]).endswith("> 90000")
    assert str(silent["expr"]).startswith("absent(last_over_time(modelyard_monitor_last_run_seconds{")
    assert silent["for"] == "90000s"


def test_missing_measurements_raise_alerts() -> None:
    """Windows with too few rows raise an alert, and so do missing labels for over half of the predictions.

    The latter is the default limit.
    """
    (unknown,) = alerts_named(VALID_SPEC, "monitor-drift", "ModelyardMonitorUnknown")
    assert str(unknown["expr"]).startswith("max by (check) (last_over_time(modelyard_monitor_unknown{")
    assert 'feature="all"' in str(unknown["expr"])

    (unknown,) = alerts_named(VALID_SPEC, "monitor-quality", "ModelyardMonitorUnknown")
    assert "feature=" not in str(unknown["expr"])  # includes variants that have no labels
    (coverage,) = alerts_named(VALID_SPEC, "monitor-quality", "ModelyardMonitorCoverage")
    assert str(coverage["expr"]).endswith("[21d])) < 0.5")
    other = changed("labels: chargebacks\n    window", "labels: chargebacks\n    coverage: 90%\n    window")
    assert str(alerts_named(other, "monitor-quality", "ModelyardMonitorCoverage")[0]["expr"]).endswith(" < 0.9")


def test_the_period_is_the_longest_time_between_runs() -> None:
    """For a weekday schedule, the longest gap between two runs includes the weekend."""
    assert period_s(Schedule(kind="cron", cron="0 6 * * 1-5")) == 3 * 86400
    assert period_s(Schedule(kind="cron", cron="*/10 * * * *")) == 600
    assert period_s(Schedule(kind="on-demand")) is None


def test_monitor_without_a_schedule_has_no_overdue_alert() -> None:
    """Without a schedule, a monitor has no overdue alert, and its values stay valid for three windows."""
    rules = alerts(changed('schedule: {cron: "0 6 * * 1"}', "schedule: on-demand"), "monitor-quality")

    assert [rule["alert"].removeprefix("ModelyardMonitor") for rule in rules] == ["Breach", "Unknown", "Coverage"]
    assert "[21d]" in rules[0]["expr"]


def test_monitor_notifies_its_channels_or_the_on_call_channel() -> None:
    other = VALID_SPEC + "  team: {type: slack, url: secret://vault/slack#url}\n"
    named_channel = other.replace("onBreach: {notify: [oncall], rollback", "onBreach: {notify: [team], rollback")
    silent = other.replace("onBreach: {notify: [oncall], rollback", "onBreach: {rollback")

    assert channels(named_channel) == ["channel_team"]
    assert channels(silent) == ["channel_oncall"]


def channels(text: str) -> list[str]:
    return [label for label in alerts(text, "monitor-quality")[0]["labels"] if label.startswith("channel_")]


def test_performance_checks_use_server_metrics() -> None:
    """Performance checks are rules over the monitor's window, so there is no alert for overdue runs."""
    rules = alerts(PERFORMANCE, "monitor-drift")

    assert [(rule["labels"]["check"], rule["labels"]["severity"]) for rule in rules] == [
        ("error_rate", "page"),
        ("p99_ms", "page"),
        ("throughput_rps", "ticket"),
    ]
    assert rules[1]["expr"] == (
        "histogram_quantile(0.99, sum by (le) (rate(ray_serve_http_request_latency_ms_bucket"
        '{namespace="fraud",application=~"scorer-challenger|scorer-champion"}[15m]))) > 90'
    )
    assert rules[2]["expr"].endswith("[15m])) < 2")
    assert " < 0.01 or (" in rules[0]["expr"]
    assert rules[0]["expr"].endswith(" > 0.2")


RUNS = (
    PERFORMANCE.replace("watch: inference.scorer\n    window: 15m", "watch: pipelines.retrain\n    window: 7d", 1)
    .replace("p99_ms: {max: 90}", "duration_s: {max: 7200}")
    .replace("throughput_rps: {min: 2, severity: ticket}", "freshness_s: {max: 900000}")
    .replace("error_rate: {min: 0.01, max: 0.2}", "failed_runs: {max: 1}")
)
"""A spec whose monitor `drift` watches the runs of a pipeline."""


def test_freshness_of_a_following_pipeline_uses_its_jobs() -> None:
    """A follower's freshness comes from its Jobs, because its suspended CronJob doesn't create any itself."""
    following = RUNS.replace(
        'schedule: {cron: "0 4 * * 0", timeZone: Europe/Berlin}', "schedule: {after: pipelines.nightly}", 1
    )
    (rule,) = [alert for alert in alerts(following, "monitor-drift") if alert["labels"]["check"] == "freshness_s"]

    assert rule["expr"] == (
        '(time() - max((last_over_time(kube_job_status_completion_time{namespace="fraud"}[250h])'
        " and on (namespace, job_name)"
        ' last_over_time(kube_job_owner{namespace="fraud",owner_kind="CronJob",owner_name="retrain"}[250h]))'
        ' or kube_cronjob_created{namespace="fraud",cronjob="retrain"})) > 900000'
    )


def test_a_monitor_may_watch_the_runs_of_a_pipeline() -> None:
    by_check = {str(rule["labels"]["check"]): rule for rule in alerts(RUNS, "monitor-drift")}

    assert set(by_check) == {"duration_s", "freshness_s", "failed_runs"}
    assert "kube_cronjob_status_last_successful_time" in by_check["freshness_s"]["expr"]
    assert by_check["failed_runs"]["expr"].endswith("or vector(0)) > 1")
    assert by_check["duration_s"]["annotations"]["summary"].endswith("duration_s of pipeline retrain is above 7200")
