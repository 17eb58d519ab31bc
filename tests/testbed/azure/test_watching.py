"""Tests logs, alarms and budgets in the Azure stand-in, and that it supports every type the components use."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from testbed.clouds.azure.arm import RESOURCES
from testbed.clouds.azure.cloud import SUBSCRIPTION
from testbed.clouds.azure.table import KINDS
from testbed.clouds.azure.watching import ACTIONS, ALERT, BUDGET, SETTING, WORKSPACE
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values
from tests.testbed.azure.world import HERE, IN_GROUP, World, a_network


@pytest.fixture
def workspace(world: World) -> Values:
    return world.make("logs", WORKSPACE, **HERE, retentionInDays=30)


def test_every_type_of_the_components_is_supported() -> None:
    assert set(KINDS) == set(RESOURCES)


def test_settings_have_known_categories(world: World, workspace: Values) -> None:
    network = a_network(world)
    with pytest.raises(Refused, match="Category 'guard' is not supported"):
        world.make(
            "setting",
            SETTING,
            resourceUri=network["net"]["id"],
            name="logs",
            workspaceId=workspace["id"],
            logs=[{"category": "guard", "enabled": True}],
        )


def test_alarms(world: World) -> None:
    gateway = a_network(world)["gateway"]["id"]
    actions = world.make("actions", ACTIONS, **IN_GROUP, location="Global", groupShortName="a", enabled=True)
    alert: dict[str, Any] = {
        **IN_GROUP,
        "location": "Global",
        "severity": 1,
        "enabled": True,
        "scopes": [gateway],
        "evaluationFrequency": "PT5M",
        "windowSize": "PT15M",
        "criteria": {
            "odataType": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
            "allOf": [
                {
                    "criterionType": "StaticThresholdCriterion",
                    "name": "a",
                    "metricName": "SNATConnectionCount",
                    "operator": "GreaterThan",
                    "threshold": 0,
                    "timeAggregation": "Total",
                }
            ],
        },
        "actions": [{"actionGroupId": actions["id"]}],
    }
    world.make("alert", ALERT, **alert)
    (criterion,) = alert["criteria"]["allOf"]
    wrong = {**alert["criteria"], "allOf": [{**criterion, "metricName": "cpu_percent"}]}
    with pytest.raises(Refused, match="Couldn't find a metric named cpu_percent"):
        world.change("alert", criteria=wrong)
    with pytest.raises(Refused, match="actionGroups/none' under resource group 'fraud' was not found"):
        world.change("alert", actions=[{"actionGroupId": f"{actions['id'].rpartition('/')[0]}/none"}])


def test_budgets_begin_with_a_month(world: World) -> None:
    budget: dict[str, Any] = {
        "scope": f"/subscriptions/{SUBSCRIPTION}",
        "amount": 100,
        "category": "Cost",
        "timeGrain": "Monthly",
        "timePeriod": {"startDate": "2020-01-01T00:00:00Z"},
    }
    with pytest.raises(Refused, match="Start date 2020-01-01T00:00:00Z is before"):
        world.make("budget", BUDGET, **budget)
    now = datetime.now(UTC)
    world.make("budget", BUDGET, **{**budget, "timePeriod": {"startDate": f"{now:%Y-%m}-01T00:00:00Z"}})
    with pytest.raises(Refused, match="The start date of a budget cannot be changed"):
        world.change("budget", timePeriod={"startDate": "2099-01-01T00:00:00Z"})
