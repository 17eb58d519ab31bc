"""Every resource agrees with Bicep's type of its API, and the comparison sees what does not."""

from __future__ import annotations

import copy
import os
from typing import Any

import pytest

from tests.stacks.aws.programs import Found
from tests.stacks.azure.arm import RESOURCES
from tests.stacks.azure.bicep import VARIABLE, faults

CLUSTER = "azure-native:containerservice:ManagedCluster fraud-prod-main"
POOL = "azure-native:containerservice:AgentPool large"
ACCOUNT = "azure-native:storage:StorageAccount lake"
SERVER = "azure-native:dbforpostgresql:Server runs"
VAULT = "azure-native:keyvault:Vault fraud-prod-keys"
RULES = "azure-native:network:NetworkSecurityGroup fraud-prod-main-api-server"

with_types = pytest.mark.skipif(VARIABLE not in os.environ, reason=f"{VARIABLE} names no checkout of bicep-types-az")


def test_every_resource_has_a_type_to_compare_it_with(resources: Found) -> None:
    ours = {each["type"] for each in resources.values() if each["type"].startswith("azure-native:")}

    assert ours == set(RESOURCES)


def test_names_are_texts_and_not_outputs_that_were_never_waited_for(resources: Found) -> None:
    """Text made from an Output has a sentence about that in it, which no API would accept."""
    assert [where for where, each in resources.items() if "Calling __str__" in str(each["inputs"])] == []


@with_types
@pytest.mark.parametrize("program", ["plain", "set"])
def test_the_apis_know_every_property_and_value(program: str, everything: dict[str, Found]) -> None:
    ours = {where: each for where, each in everything[program].items() if each["type"].startswith("azure-native:")}

    assert len(ours) > 80
    assert {where: wrong for where, each in ours.items() if (wrong := faults(each))} == {}


@with_types
@pytest.mark.parametrize(
    ("where", "path", "value", "wrong"),
    [
        (CLUSTER, ["networkProfile", "networkDataplane"], "celium", "networkDataplane: 'celium' is none of azure, cil"),
        (CLUSTER, ["networkProfile", "dnsServiceIP"], "10.0.0.300", "dnsServiceIP: '10.0.0.300' does not match"),
        (CLUSTER, ["disableLocalAccount"], True, "disableLocalAccount: the API knows no such property"),
        (CLUSTER, ["privateFQDN"], "a.example", "properties.privateFQDN: only Azure sets it"),
        (CLUSTER, ["enableRBAC"], "yes", "properties.enableRBAC: BooleanType, not 'yes'"),
        (CLUSTER, ["agentPoolProfiles"], {"name": "aks"}, "properties.agentPoolProfiles: a list, not"),
        (CLUSTER, ["resourceName"], "-fraud", "name: '-fraud' does not match"),
        (CLUSTER, ["autoScalerProfile", "expander"], "cheapest", "expander: 'cheapest' is none of least-waste"),
        (POOL, ["agentPoolName"], "GPU_pool_too_long", "name: 'GPU_pool_too_long' does not match"),
        (POOL, ["scaleSetPriority"], "Spt", "properties.scaleSetPriority: 'Spt' is none of Spot, Regular"),
        (POOL, ["upgradeSettings", "nodeSoakDurationInMinutes"], 31, "nodeSoakDurationInMinutes: 31 is out of bounds"),
        (POOL, ["gpuProfile"], "Install", "properties.gpuProfile: an object, not 'Install'"),
        (ACCOUNT, ["accountName"], "Bad_Name", "name: 'Bad_Name' does not match"),
        (ACCOUNT, ["minimumTlsVersion"], "TLS1_4", "properties.minimumTlsVersion: 'TLS1_4' is none of"),
        (ACCOUNT, ["sku", "name"], "ZRSX", "sku.name: 'ZRSX' is none of"),
        (SERVER, ["version"], "9", "properties.version: '9' is none of"),
        (SERVER, ["highAvailability", "mode"], "TwoZones", "properties.highAvailability.mode: 'TwoZones' is none of"),
        (VAULT, ["properties", "tenantId"], "acme", "properties.tenantId: 'acme'"),
        (VAULT, ["properties", "softDeleteRetentionInDays"], "90", "softDeleteRetentionInDays: IntegerType, not '90'"),
        (RULES, ["securityRules"], [{"name": "a"}], "properties.securityRules[].access: the API requires it"),
    ],
)
def test_the_comparison_sees_what_an_api_would_refuse(
    resources: Found, where: str, path: list[str], value: Any, wrong: str
) -> None:
    changed = copy.deepcopy(resources[where])
    inner = changed["inputs"]
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value

    assert wrong in "\n".join(faults(changed))


@with_types
@pytest.mark.parametrize(
    ("where", "field", "missing"),
    [
        (ACCOUNT, "sku", "sku: the API requires it"),
        (ACCOUNT, "kind", "kind: the API requires it"),
        (VAULT, "properties", "properties: the API requires it"),
        ("azure-native:authorization:RoleAssignment fraud-prod-main-data", "principalId", "principalId: the API requ"),
        ("azure-native:monitor:MetricAlert runs-cpu", "windowSize", "windowSize: the API requires it"),
        ("azure-native:consumption:Budget fraud-prod-main", "timePeriod", "timePeriod: the API requires it"),
    ],
)
def test_the_comparison_sees_what_is_missing(resources: Found, where: str, field: str, missing: str) -> None:
    changed = copy.deepcopy(resources[where])
    del changed["inputs"][field]

    assert missing in "\n".join(faults(changed))


def test_a_type_that_is_not_in_the_table_is_reported() -> None:
    assert faults({"type": "azure-native:redis:Redis", "name": "cache", "inputs": {}}) == [
        "azure-native:redis:Redis is compared with no type"
    ]
