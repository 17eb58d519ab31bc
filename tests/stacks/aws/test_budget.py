"""Tests that the budget covers resources with the system's tag and notifies the owner."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stacks.aws.programs import ACCOUNT, elsewhere, inputs, registered
from tests.stacks.programs import Refused

BUDGET = "aws:budgets/budget:Budget"


def budget(emails: str) -> str:
    return f"""{ACCOUNT}
from modelyard_stacks.aws.budget import Budget

Budget("budget", account=account, monthly_usd=18000, system="fraud", emails={emails})
"""


def test_budget_covers_resources_with_the_system_tag(tmp_path: Path) -> None:
    resources = registered(tmp_path, budget('["risk@acme.example"]'))
    settings = inputs(resources, BUDGET, "budget")

    assert settings["limitAmount"] == "18000"
    assert settings["limitUnit"] == "USD"
    assert (settings["budgetType"], settings["timeUnit"]) == ("COST", "MONTHLY")
    assert settings["costFilters"] == [{"name": "TagKeyValue", "values": ["user:modelyard:system$fraud"]}]
    assert not elsewhere(resources)


def test_owner_is_notified_before_and_when_the_budget_is_spent(tmp_path: Path) -> None:
    settings = inputs(registered(tmp_path, budget('["risk@acme.example"]')), BUDGET, "budget")

    assert [(each["notificationType"], each["threshold"]) for each in settings["notifications"]] == [
        ("ACTUAL", 80),
        ("ACTUAL", 100),
        ("FORECASTED", 100),
    ]
    for each in settings["notifications"]:
        assert each["comparisonOperator"] == "GREATER_THAN"
        assert each["thresholdType"] == "PERCENTAGE"
        assert each["subscriberEmailAddresses"] == ["risk@acme.example"]


@pytest.mark.parametrize("emails", ["[]", '["a@acme.example"] * 11'])
def test_budget_with_no_or_too_many_addresses_is_refused(emails: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="budget: a budget notifies 1 to 10 addresses"):
        registered(tmp_path, budget(emails))
