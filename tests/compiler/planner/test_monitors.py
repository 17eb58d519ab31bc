"""Tests that a monitor is planned as a job with permissions, or as mere alert rules without a job."""

from __future__ import annotations

from modelyard.plan import Access, Kind
from tests.compiler.planner.planned import identity, links
from tests.plans import plan_of, planned, resource
from tests.specs import VALID_SPEC, changed


def test_a_monitor_can_read_its_data_and_start_its_pipeline() -> None:
    plan = plan_of(VALID_SPEC)

    assert identity(plan, "monitor-drift").api == "trigger"
    assert identity(plan, "monitor-quality").api == ""
    assert Access("lake", "chargebacks/", "read") in identity(plan, "monitor-quality").access
    assert links(plan, "main:monitor/monitor-drift", "trigger") == ["main:training-job/retrain"]
    assert links(plan, "main:monitor/monitor-drift", "metrics") == ["main:cluster/main"]


PERFORMANCE = changed(
    "type: data-drift", "type: performance", ("checks: {psi: {max: 0.2}", "checks: {p99_ms: {max: 90}")
)


def test_a_performance_monitor_has_rules_but_no_job() -> None:
    spec = PERFORMANCE.replace("    reference: {data: transactions, window: 30d}\n", "", 1)
    spec = spec.replace("run: pipelines.retrain, cooldown: 3d", "", 1)
    plan = plan_of(spec)

    assert resource(plan, Kind.ALERT_RULES, "monitor-drift").origin == ("monitors", "drift", "checks")
    assert not [item for item in plan.resources if item.place == "main:monitor/monitor-drift"]


def test_a_performance_monitor_refuses_settings_for_jobs() -> None:
    _, problems = planned(PERFORMANCE)

    assert {problem.code for problem in problems} == {"E0506"}
    assert [problem.hint for problem in problems] == [
        "remove `reference`",
        "remove `onBreach.run`",
        "remove `onBreach.cooldown`",
    ]
