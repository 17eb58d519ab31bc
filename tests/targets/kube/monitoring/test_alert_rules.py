"""Tests that every alert has a severity accepted by one of its channels."""

from __future__ import annotations

import pytest

from modelyard.plan import Kind
from tests.observed import alerts
from tests.plans import plan_of
from tests.specs import changed

KEY = "key: secret://vault/pagerduty#fraud}"


@pytest.mark.parametrize("severity", ["page", "ticket"])
def test_channel_with_one_severity_gets_every_alert(severity: str) -> None:
    """If the only channel accepts a single severity, all SLO, monitor and pipeline alerts get it."""
    text = changed(KEY, f"{KEY[:-1]}, severities: [{severity}]}}")
    rule_names = [resource.name for resource in plan_of(text).resources if resource.kind is Kind.ALERT_RULES]
    rules = [rule for name in rule_names for rule in alerts(text, name)]

    assert {"ModelyardSloBurn", "ModelyardMonitorStale", "ModelyardPipelineFailed"} <= {each["alert"] for each in rules}
    assert {each["labels"]["severity"] for each in rules} == {severity}
