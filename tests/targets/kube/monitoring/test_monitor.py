"""Tests that a monitor becomes a CronJob with only the permissions its actions require."""

from __future__ import annotations

from modelyard_targets.kube.checks.check import check_monitors
from tests.lowering import Object, lowered
from tests.plans import plan_of
from tests.specs import VALID_SPEC, changed


def pod(text: str, name: str) -> Object:
    """Return the Pod spec of a monitor's CronJob."""
    spec: Object = lowered(text).get("CronJob", name)["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    return spec


def test_a_monitor_runs_our_comparison_on_its_own_hardware() -> None:
    (container,) = pod(
        changed("    labels: chargebacks", "    compute: cpu\n    labels: chargebacks"), "monitor-quality"
    )["containers"]

    assert container["command"] == ["python", "-m", "modelyard_runtime", "monitor"]
    assert container["resources"]["limits"] == {"cpu": "2", "memory": "8Gi"}


def test_a_monitor_keeps_its_schedule() -> None:
    spec = lowered(VALID_SPEC).get("CronJob", "monitor-quality")["spec"]

    assert (spec["schedule"], spec["concurrencyPolicy"]) == ("0 6 * * 1", "Forbid")


def test_only_a_monitor_that_starts_runs_has_an_api_token() -> None:
    assert pod(VALID_SPEC, "monitor-drift")["automountServiceAccountToken"] is True
    assert pod(VALID_SPEC, "monitor-quality")["automountServiceAccountToken"] is False


def test_performance_monitor_has_no_cron_job() -> None:
    """A performance monitor consists only of alert rules."""
    text = changed(
        "monitors:\n",
        "monitors:\n  slow:\n    type: performance\n    watch: inference.scorer\n    checks: {p99_ms: {max: 90}}\n"
        "    onBreach: {notify: [oncall]}\n",
    )

    assert lowered(text).names("CronJob") == [
        "nightly",
        "report",
        "retrain",
        "try-out",
        "monitor-drift",
        "monitor-quality",
        "promoter",
    ]


def test_monitor_cannot_start_a_pipeline_that_runs_once() -> None:
    text = changed('schedule: {cron: "0 4 * * 0", timeZone: Europe/Berlin}', "schedule: once")
    (diagnostic,) = check_monitors(plan_of(text), "main")

    assert diagnostic.code == "E0614"
    assert diagnostic.span is not None
    assert "run: pipelines.retrain" in text.splitlines()[diagnostic.span.line - 1]


def test_pipeline_on_another_cluster_may_be_requested_unless_it_runs_once() -> None:
    text = changed(
        "      gateway: {name: edge",
        "      reachableFrom: [far]\n      gateway: {name: edge",
        (
            "  placement: {default: main}",
            "    far: {provider: kubernetes, context: far, residency: eu}\n  placement: {default: main, training: far}",
        ),
        ("registry: {database: runs, artifacts: lake}", 'registry: {adopt: "https://mlflow.acme.example"}'),
    )
    once = text.replace('schedule: {cron: "0 4 * * 0", timeZone: Europe/Berlin}', "schedule: once")

    assert list(check_monitors(plan_of(text), "main")) == []
    assert [diagnostic.code for diagnostic in check_monitors(plan_of(once), "main")] == ["E0614"]
    assert list(check_monitors(plan_of(VALID_SPEC), "main")) == []
