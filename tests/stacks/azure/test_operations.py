"""Tests a target's resources besides its cluster and data: images, secrets, logs, alarms and the budget."""

from __future__ import annotations

import re
from typing import Any

import pulumi
import pytest

from modelyard_stacks.azure.budget import Budget
from modelyard_stacks.azure.images import ImageRegistry
from modelyard_stacks.azure.logs import ClusterLogs
from modelyard_stacks.azure.platform import SecretsReader
from tests.stacks.aws.programs import Resources, inputs, of
from tests.stacks.azure.programs import IN_GROUP, NOTHING, SUBSCRIPTION, elsewhere

REGISTRY = "azure-native:containerregistry:Registry"
ASSIGNMENT = "azure-native:authorization:RoleAssignment"
CREDENTIAL = "azure-native:managedidentity:FederatedIdentityCredential"
IDENTITY = "azure-native:managedidentity:UserAssignedIdentity"
LOGS = "azure-native:monitor:DiagnosticSetting"
WORKSPACE = "azure-native:operationalinsights:Workspace"
ALARM = "azure-native:monitor:MetricAlert"
RECEIVERS = "azure-native:monitor:ActionGroup"
BUDGET = "azure-native:consumption:Budget"


def test_everything_belongs_to_the_subscription(resources: Resources) -> None:
    assert not elsewhere(resources)


def test_images_are_reached_inside_the_network_and_never_anonymously(resources: Resources) -> None:
    registry = inputs(resources, REGISTRY, "fraud-prod-main")
    endpoint = inputs(resources, "azure-native:network:PrivateEndpoint", "fraud-prod-main-images")

    assert registry["sku"] == {"name": "Premium"}
    assert (registry["adminUserEnabled"], registry["anonymousPullEnabled"]) == (False, False)
    assert registry["publicNetworkAccess"] == "Disabled"
    assert registry["networkRuleSet"] == {"defaultAction": "Deny", "ipRules": []}
    assert endpoint["privateLinkServiceConnections"][0]["groupIds"] == ["registry"]
    assert resources[f"{REGISTRY} fraud-prod-main"]["protect"]


def test_people_push_images_from_the_addresses_of_a_setting(everything: dict[str, Resources]) -> None:
    registry = inputs(everything["set"], REGISTRY, "fraud-prod-main")

    assert registry["publicNetworkAccess"] == "Enabled"
    assert registry["networkRuleSet"]["defaultAction"] == "Deny"
    assert registry["networkRuleSet"]["ipRules"] == [{"iPAddressOrRange": "198.51.100.0/24", "action": "Allow"}]


def test_images_without_a_tag_are_deleted(resources: Resources) -> None:
    policies = inputs(resources, REGISTRY, "fraud-prod-main")["policies"]

    assert policies == {"retentionPolicy": {"days": 14, "status": "enabled"}}


def test_nodes_may_pull_from_this_registry_and_do_nothing_else(resources: Resources) -> None:
    assignment = inputs(resources, ASSIGNMENT, "fraud-prod-main-images")
    cluster = inputs(resources, "azure-native:containerservice:ManagedCluster", "fraud-prod-main")
    nodes = cluster["identityProfile"]["kubeletidentity"]["objectId"]
    theirs = [each["inputs"] for each in of(resources, ASSIGNMENT).values() if each["inputs"]["principalId"] == nodes]

    assert theirs == [assignment]
    assert assignment["roleDefinitionId"].endswith("/7f951dda-4ed3-4680-a7ca-43fe172d538d")
    assert assignment["scope"] == f"{IN_GROUP}/Microsoft.ContainerRegistry/registries/fraudprod1a2b3c"


@pytest.mark.parametrize("name", ["fraud-prod", "frau", "f" * 51])
def test_a_name_that_azure_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(pulumi.RunError, match="a name must have 5 to 50 letters and digits"):
        ImageRegistry("images", group=NOTHING, network=NOTHING, cluster=NOTHING, registry=name)


def test_external_secrets_reads_named_secrets_and_no_others(resources: Resources) -> None:
    reader = {
        name: each["inputs"]
        for name, each in of(resources, ASSIGNMENT).items()
        if name.startswith("fraud-prod-main-secrets-")
    }
    secrets = f"{IN_GROUP}/Microsoft.KeyVault/vaults/fraud-pr-secrets/secrets"

    assert {each["scope"] for each in reader.values()} == {f"{secrets}/slack-webhook", f"{secrets}/runs-login"}
    assert {each["roleDefinitionId"].rpartition("/")[2] for each in reader.values()} == {
        "4633458b-17de-408a-b874-0445c86b69e6"
    }
    assert len({each["principalId"] for each in reader.values()}) == 1
    assert inputs(resources, CREDENTIAL, "fraud-prod-main-secrets")["subject"] == (
        "system:serviceaccount:external-secrets:external-secrets"
    )
    assert f"{IDENTITY} fraud-prod-main-secrets" in resources


def test_a_reader_of_nothing_is_refused() -> None:
    with pytest.raises(pulumi.RunError, match="a reader needs at least one secret"):
        SecretsReader("a", group=NOTHING, cluster=NOTHING, vault=NOTHING, namespace="a", service_account="a")


def test_logs_are_kept_and_not_for_ever(resources: Resources) -> None:
    workspace = inputs(resources, WORKSPACE, "fraud-prod-main")

    assert workspace["retentionInDays"] == 90
    assert workspace["features"] == {"disableLocalAuth": True}


def test_the_control_plane_and_databases_write_them(resources: Resources) -> None:
    log_settings = {name: each["inputs"] for name, each in of(resources, LOGS).items()}
    cluster = log_settings["fraud-prod-main-logs"]

    assert cluster["resourceUri"] == f"{IN_GROUP}/Microsoft.ContainerService/managedClusters/fraud-prod-main"
    assert {each["category"] for each in cluster["logs"]} == {
        "kube-audit-admin",
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "cluster-autoscaler",
        "guard",
    }
    assert [each["category"] for each in log_settings["runs-logs"]["logs"]] == ["PostgreSQLLogs"]
    for each in log_settings.values():
        assert each["logAnalyticsDestinationType"] == "Dedicated"
        assert each["workspaceId"] == f"{IN_GROUP}/Microsoft.OperationalInsights/workspaces/fraud-prod-main"
        assert all(log["enabled"] is True for log in each["logs"])


@pytest.mark.parametrize("days", [29, 731])
def test_days_that_azure_would_refuse_are_refused(days: int) -> None:
    with pytest.raises(pulumi.RunError, match=f"Azure keeps them for 30 to 730 days, not {days}"):
        ClusterLogs("logs", group=NOTHING, cluster=NOTHING, days=days)


def criterion(alarm: dict[str, Any]) -> dict[str, Any]:
    (only,) = alarm["inputs"]["criteria"]["allOf"]
    fields: dict[str, Any] = only
    return fields


def test_alarms_watch_the_database_and_the_way_out(resources: Resources) -> None:
    alarms = {name: criterion(each) for name, each in of(resources, ALARM).items()}
    limits = {
        name: (each["metricName"], each["operator"], each["threshold"], each["timeAggregation"])
        for name, each in alarms.items()
    }

    assert limits == {
        "runs-storage": ("storage_percent", "GreaterThan", 85, "Average"),
        "runs-cpu": ("cpu_percent", "GreaterThan", 80, "Average"),
        "runs-connections": ("active_connections", "GreaterThan", 686, "Average"),
        "runs-down": ("is_db_alive", "LessThan", 1, "Maximum"),
        "fraud-prod-main-nat": ("SNATConnectionCount", "GreaterThan", 0, "Total"),
    }
    assert alarms["fraud-prod-main-nat"]["dimensions"] == [
        {"name": "ConnectionState", "operator": "Include", "values": ["Failed"]}
    ]
    watched = {name: each["inputs"]["scopes"] for name, each in of(resources, ALARM).items()}
    assert watched["runs-cpu"] == [f"{IN_GROUP}/Microsoft.DBforPostgreSQL/flexibleServers/fraud-runs-1a2b3c"]
    assert watched["fraud-prod-main-nat"] == [f"{IN_GROUP}/Microsoft.Network/natGateways/fraud-prod-main"]


def test_alarms_reach_somebody(resources: Resources) -> None:
    receivers = inputs(resources, RECEIVERS, "fraud-prod-main")

    assert receivers["emailReceivers"] == [
        {"name": "team@acme.example", "emailAddress": "team@acme.example", "useCommonAlertSchema": True}
    ]
    assert len(receivers["groupShortName"]) == 12
    assert all(
        each["inputs"]["actions"] == [{"actionGroupId": f"{IN_GROUP}/Microsoft.Insights/actionGroups/fraud-prod-main"}]
        for each in of(resources, ALARM).values()
    )


def test_the_budget_counts_the_groups_and_warns_before_it_is_spent(resources: Resources) -> None:
    budget = inputs(resources, BUDGET, "fraud-prod-main")

    assert budget["scope"] == f"/subscriptions/{SUBSCRIPTION}"
    assert (budget["amount"], budget["category"], budget["timeGrain"]) == (2000, "Cost", "Monthly")
    assert budget["filter"] == {
        "dimensions": {
            "name": "ResourceGroupName",
            "operator": "In",
            "values": ["fraud-prod", "fraud-prod-nodes"],
        }
    }
    assert {
        (each["thresholdType"], each["threshold"], each["operator"]) for each in budget["notifications"].values()
    } == {
        ("Actual", 80, "GreaterThanOrEqualTo"),
        ("Actual", 100, "GreaterThanOrEqualTo"),
        ("Forecasted", 100, "GreaterThanOrEqualTo"),
    }
    assert all(each["contactEmails"] == ["team@acme.example"] for each in budget["notifications"].values())


def test_a_budget_begins_in_the_month_in_which_it_is_created(resources: Resources) -> None:
    assert re.fullmatch(
        r"\d{4}-\d\d-01T00:00:00Z", inputs(resources, BUDGET, "fraud-prod-main")["timePeriod"]["startDate"]
    )
    assert resources[f"{BUDGET} fraud-prod-main"]["ignoreChanges"] == ["timePeriod"]


def test_a_budget_covers_the_groups_of_other_targets_once(everything: dict[str, Resources]) -> None:
    dimensions = inputs(everything["set"], BUDGET, "fraud-prod-main")["filter"]["dimensions"]

    assert dimensions["values"] == ["fraud-prod", "fraud-prod-nodes", "other", "other-nodes"]


@pytest.mark.parametrize("count", [0, 51])
def test_a_budget_for_too_many_or_no_addresses_is_refused(count: int) -> None:
    emails = [f"{number}@acme.example" for number in range(count)]
    with pytest.raises(pulumi.RunError, match=f"a budget notifies 1 to 50 addresses, not {count}"):
        Budget("budget", group=NOTHING, monthly=1, emails=emails)
