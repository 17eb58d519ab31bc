"""Tests the resource group's region, tags, protection, subscription and tenant."""

from __future__ import annotations

import pulumi
import pytest

from modelyard_stacks.azure.group import ResourceGroup
from tests.stacks.aws.programs import Resources, inputs, of
from tests.stacks.azure.programs import GROUP, SUBSCRIPTION, elsewhere, registered_together

RESOURCE_GROUP = "azure-native:resources:ResourceGroup"
PROVIDER = "pulumi:providers:azure-native"
OTHER = "11111111-2222-3333-4444-555555555555"
WITH_NAMES = f"""{GROUP}
import pulumi

pulumi.ComponentResource(
    "tiny:Names",
    "names",
    {{"tenant": group.tenant, "subscription": group.subscription, "nodes": group.node_group_name,
      "role": group.role_id("guid"), "id": group.id_of_group(), "account": group.resource_id("A/b", "c")}},
)
"""


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Resources]:
    """Register a new group, an adopted one, one in another subscription and tenant, and a deletable one."""
    ids = f'subscription_id="{OTHER}", tenant_id="{SUBSCRIPTION}", region='
    return registered_together(
        tmp_path_factory.mktemp("group"),
        {
            "new": (WITH_NAMES, ""),
            "adopted": (WITH_NAMES.replace('group="fraud-prod",', 'group="fraud-prod", adopted=True,'), ""),
            "other": (WITH_NAMES.replace("region=", ids), ""),
            "loose": (WITH_NAMES, "protect: false"),
        },
    )


def test_a_new_group_is_protected_in_its_region_and_tagged(programs: dict[str, Resources]) -> None:
    resources = programs["new"]

    assert inputs(resources, RESOURCE_GROUP, "azure") == {
        "resourceGroupName": "fraud-prod",
        "location": "westeurope",
        "tags": {"modelyard-system": "fraud"},
    }
    assert resources[f"{RESOURCE_GROUP} azure"]["protect"]
    assert not elsewhere(resources)


def test_protection_ends_with_a_setting(programs: dict[str, Resources]) -> None:
    assert not programs["loose"][f"{RESOURCE_GROUP} azure"]["protect"]


def test_an_adopted_group_is_left_as_it_is(programs: dict[str, Resources]) -> None:
    assert not of(programs["adopted"], RESOURCE_GROUP)
    assert inputs(programs["adopted"], "tiny:Names", "names") == inputs(programs["new"], "tiny:Names", "names")


def test_subscription_and_tenant_are_those_of_settings_and_login(programs: dict[str, Resources]) -> None:
    names = inputs(programs["new"], "tiny:Names", "names")
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/fraud-prod"

    assert names == {
        "subscription": SUBSCRIPTION,
        "tenant": "72f988bf-86f1-41af-91ab-2d7cd011db47",
        "nodes": "fraud-prod-nodes",
        "role": f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/guid",
        "id": group,
        "account": f"{group}/providers/A/b/c",
    }
    assert inputs(programs["new"], PROVIDER, "azure")["subscriptionId"] == SUBSCRIPTION


def test_the_program_may_name_both(programs: dict[str, Resources]) -> None:
    names = inputs(programs["other"], "tiny:Names", "names")

    assert (names["subscription"], names["tenant"]) == (OTHER, SUBSCRIPTION)
    assert inputs(programs["other"], PROVIDER, "azure")["tenantId"] == SUBSCRIPTION


def test_without_a_subscription_up_says_how_to_choose_one() -> None:
    with pytest.raises(pulumi.RunError, match="pulumi config set azure-native:subscriptionId SUBSCRIPTION"):
        ResourceGroup("azure", region="westeurope", group="fraud", tags={})
