"""Tests that pipeline alerts fire at the right time and go to the pipeline's channels."""

from __future__ import annotations

from typing import Any

import pytest

from modelyard.plan import Job, Kind
from modelyard_targets.kube.monitoring.pipeline_rules import due_s
from modelyard_targets.kube.pipelines.job import lower_job
from modelyard_targets.kube.workload.describe import describe_job
from tests.crds import problems
from tests.observed import alerts, context_of, rule_object
from tests.plans import plan_of, resource, resource_of
from tests.specs import VALID_SPEC, changed

SCHEDULE = 'schedule: {cron: "0 4 * * 0", timeZone: Europe/Berlin}'
ONCE = changed(SCHEDULE, "schedule: once").replace("run: pipelines.retrain, cooldown: 3d", "rollback: true")
ON_DEMAND = changed(SCHEDULE, "schedule: on-demand")


def by_name(text: str) -> dict[str, dict[str, Any]]:
    return {rule["alert"]: rule for rule in alerts(text, "retrain")}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (VALID_SPEC, ["Failed", "Missing", "Unseen"]),
        (ON_DEMAND, ["Failed"]),
        (changed(SCHEDULE, "schedule: {after: pipelines.nightly}"), ["Failed"]),
        (ONCE, ["Failed"]),
    ],
)
def test_only_scheduled_pipelines_have_missing_run_alerts(text: str, expected: list[str]) -> None:
    of_runs = "ModelyardPipeline"
    assert [name.removeprefix(of_runs) for name in by_name(text) if name.startswith(of_runs)] == expected
    assert problems(rule_object(text, "retrain")) == []


def test_pipeline_alerts_are_tickets_for_the_owner() -> None:
    labels = by_name(VALID_SPEC)["ModelyardPipelineFailed"]["labels"]

    assert (labels["severity"], labels["channel_oncall"], labels["namespace"]) == ("ticket", "true", "fraud")
    assert (labels["pipeline"], labels["modelyard_dev_workload"]) == ("retrain", "pipelines.retrain")


def test_a_run_is_due_after_the_longest_gap_and_two_attempts() -> None:
    """A run is due a week, an hour and two 6 h 10 min attempts after the last success."""
    job = resource(plan_of(VALID_SPEC), Kind.TRAINING_JOB, "retrain").value
    assert isinstance(job, Job)

    assert due_s(job.pipeline) == 7 * 86400 + 3600 + 2 * (6 * 3600 + 600)
    late, _, _ = str(by_name(VALID_SPEC)["ModelyardPipelineMissing"]["expr"]).partition(" unless ")
    assert late.endswith(f" > {due_s(job.pipeline)}")


def test_no_alert_while_the_schedule_is_paused() -> None:
    """No run is overdue while the pipeline's CronJob is suspended, or shortly after it is resumed."""
    expression = by_name(VALID_SPEC)["ModelyardPipelineMissing"]["expr"]

    paused = 'max_over_time(kube_cronjob_spec_suspend{namespace="fraud",cronjob="retrain"}[10880m:10m]) == 1'
    assert expression.partition(" unless on () ")[2] == paused


def test_single_run_alert_uses_the_rayjob_name() -> None:
    context = context_of(ONCE)
    manifests = [item.manifest for item in lower_job(resource_of(context.plan, Job, "retrain"), context)]
    (name,) = [each["metadata"]["name"] for each in manifests if each["kind"] == "RayJob"]  # type: ignore[call-overload,index]

    expression = by_name(ONCE)["ModelyardPipelineFailed"]["expr"]
    selected = f'{{namespace="fraud",name="{name}",deployment_status="Failed"}}'
    assert expression == f"max(kuberay_job_deployment_status{selected}) == 1"


def test_no_alert_rules_without_an_on_call_channel() -> None:
    plan = plan_of(VALID_SPEC.replace(", oncall: oncall", ""))

    assert "retrain" not in [resource.name for resource in plan.resources if resource.kind is Kind.ALERT_RULES]


def test_shared_cluster_without_prometheus_has_no_alert_rules() -> None:
    """On a shared cluster without Prometheus, pipelines have no alert rules, but the spec is accepted."""
    text = VALID_SPEC[: VALID_SPEC.index("monitors:")] + VALID_SPEC[VALID_SPEC.index("channels:") :]
    text = text.replace("    slo: {p99: 50ms, availability: 99.95%}\n", "")
    shared = text.replace("residency: eu\n", "residency: eu\n      tenancy: shared\n")
    observed = shared.replace("tenancy: shared\n", "tenancy: shared\n      present: [prometheus]\n")

    assert [resource for resource in plan_of(shared).resources if resource.kind is Kind.ALERT_RULES] == []
    assert "retrain" in [resource.name for resource in plan_of(observed).resources if resource.kind is Kind.ALERT_RULES]


def test_refused_gate_and_waiting_approval_raise_alerts() -> None:
    """Alerts for refused gates and pending approvals look back over three run periods."""
    rules = by_name(changed("runs: 7d}", "runs: 7d, metrics: 60d}"))

    pushed = '{namespace="fraud",pipeline="retrain",system=~"fraud|"}[21d]'
    assert rules["ModelyardGateRefused"]["expr"] == f"max(last_over_time(modelyard_gate_refused{pushed})) > 0"
    assert rules["ModelyardApprovalWaiting"]["expr"] == f"max(last_over_time(modelyard_versions_waiting{pushed})) > 0"
    assert rules["ModelyardApprovalWaiting"]["labels"]["channel_oncall"] == "true"


def test_look_back_is_limited_by_the_retention() -> None:
    """Alerts look back no further than our Prometheus's retention, which is 15 days by default."""
    rules = by_name(VALID_SPEC)

    assert "[15d]" in str(rules["ModelyardGateRefused"]["expr"])
    assert rules["ModelyardGateRefused"]["annotations"]["description"].endswith("or after 15d.")
    assert "[15d]" in str(rules["ModelyardApprovalWaiting"]["expr"])
    elsewhere = by_name(changed("      residency: eu\n", "      residency: eu\n      present: [prometheus]\n"))
    assert "[21d]" in str(elsewhere["ModelyardGateRefused"]["expr"])


OWN_CODE = changed("output: scores", 'output: scores\n    source: {entrypoint: "fraud.score:main"}')


def test_only_runs_with_alerts_push_metrics() -> None:
    """Training with a gate and built-in scoring push metrics, but scoring with user code doesn't."""
    context, own = context_of(VALID_SPEC), context_of(OWN_CODE)
    described = describe_job(resource_of(context.plan, Job, "retrain"), context)
    scoring = describe_job(resource_of(context.plan, Job, "nightly"), context)

    assert described["metrics"] == {
        "otlp": "http://prometheus-operated.monitoring.svc.cluster.local:9090/api/v1/otlp/v1/metrics",
        "namespace": "fraud",
    }
    assert scoring["metrics"] == described["metrics"]
    assert "metrics" not in describe_job(resource_of(own.plan, Job, "nightly"), own)
    assert "ModelyardGateRefused" not in [rule["alert"] for rule in alerts(VALID_SPEC, "nightly")]


def test_skipped_files_raise_an_alert() -> None:
    """The alert for skipped batch inference files has a runbook that says where these files are listed."""
    rules = {rule["alert"]: rule for rule in alerts(VALID_SPEC, "nightly")}
    rule = rules["ModelyardFilesRefused"]

    chosen = 'namespace="fraud",pipeline="nightly",system=~"fraud|"'
    assert rule["expr"].startswith(f"max(last_over_time(modelyard_batch_refused_files{{{chosen}}}[")
    assert rule["labels"]["channel_oncall"] == "true"
    assert "_modelyard/refused.json" in rule["annotations"]["runbook"]
    assert problems(rule_object(VALID_SPEC, "nightly")) == []
    assert "ModelyardFilesRefused" not in [rule["alert"] for rule in alerts(OWN_CODE, "nightly")]
