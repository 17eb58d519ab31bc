"""Tests that monitors are planned as jobs with permissions, or only as alert rules."""

from __future__ import annotations

from modelyard.plan import Access, Kind
from tests.compiler.planner.planned import identity, links
from tests.plans import plan_of, planned, resource
from tests.specs import VALID_SPEC, changed


def test_a_monitor_can_read_its_data_and_start_its_pipeline() -> None:
    found = plan_of(VALID_SPEC)

    assert identity(found, "monitor-drift").api == "trigger"
    assert identity(found, "monitor-quality").api == ""
    assert Access("lake", "chargebacks/", "read") in identity(found, "monitor-quality").access
    assert links(found, "main:monitor/monitor-drift", "trigger") == ["main:training-job/retrain"]
    assert links(found, "main:monitor/monitor-drift", "metrics") == ["main:cluster/main"]


PERFORMANCE = changed(
    "type: data-drift", "type: performance", ("checks: {psi: {max: 0.2}", "checks: {p99_ms: {max: 90}")
)


def test_a_performance_monitor_has_rules_but_no_job() -> None:
    spec = PERFORMANCE.replace("    reference: {data: transactions, window: 30d}\n", "", 1)
    spec = spec.replace("run: pipelines.retrain, cooldown: 3d", "", 1)
    found = plan_of(spec)

    assert resource(found, Kind.ALERT_RULES, "monitor-drift").origin == ("monitors", "drift", "checks")
    assert not [one for one in found.resources if one.place == "main:monitor/monitor-drift"]


def test_a_performance_monitor_refuses_settings_for_jobs() -> None:
    _, found = planned(PERFORMANCE)

    assert {one.code for one in found} == {"E0506"}
    assert [one.hint for one in found] == ["remove `reference`", "remove `onBreach.run`", "remove `onBreach.cooldown`"]
