"""Tests that every resource matches its API's Bicep type, and that the comparison detects mismatches."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from testbed.clouds.azure.arm import RESOURCES
from testbed.clouds.azure.bicep import faults, table, version_of
from tests.stacks.aws.programs import Resources
from tools.list_azure_types import Types, merged, node_of, printed

CLUSTER = "azure-native:containerservice:ManagedCluster fraud-prod-main"
POOL = "azure-native:containerservice:AgentPool large"
ACCOUNT = "azure-native:storage:StorageAccount lake"
SERVER = "azure-native:dbforpostgresql:Server runs"
VAULT = "azure-native:keyvault:Vault fraud-prod-keys"
RULES = "azure-native:network:NetworkSecurityGroup fraud-prod-main-api-server"


def test_every_resource_has_a_type_to_compare_it_with(resources: Resources) -> None:
    ours = {each["type"] for each in resources.values() if each["type"].startswith("azure-native:")}

    assert ours == set(RESOURCES)


def test_the_types_are_those_of_the_apis_that_the_sdk_uses() -> None:
    """Fails if a newer SDK calls a different API version than the one described by the Bicep types."""
    expected = {type_: f"{arm.kind}@{version_of(type_)}" for type_, arm in RESOURCES.items()}

    assert {type_: entry["kind"] for type_, entry in table().items()} == expected, "run tools/list_azure_types.py"


def test_names_are_texts_and_not_outputs_that_were_never_waited_for(resources: Resources) -> None:
    """Names are plain strings.

    A string made from an Output contains a warning about the mistake, which no API would accept.
    """
    assert [where for where, each in resources.items() if "Calling __str__" in str(each["inputs"])] == []


@pytest.mark.parametrize("program", ["plain", "set"])
def test_the_apis_know_every_property_and_value(program: str, everything: dict[str, Resources]) -> None:
    ours = {where: each for where, each in everything[program].items() if each["type"].startswith("azure-native:")}

    assert len(ours) > 80
    assert {where: wrong for where, each in ours.items() if (wrong := faults(each))} == {}


@pytest.mark.parametrize(
    ("where", "path", "value", "wrong"),
    [
        (CLUSTER, ["networkProfile", "networkDataplane"], "celium", "networkDataplane: 'celium' is none of azure, cil"),
        (CLUSTER, ["networkProfile", "dnsServiceIP"], "10.0.0.300", "dnsServiceIP: '10.0.0.300' does not match"),
        (CLUSTER, ["disableLocalAccount"], True, "disableLocalAccount: bicep.json has no such property"),
        (CLUSTER, ["privateFQDN"], "a.example", "properties.privateFQDN: only Azure sets it"),
        (CLUSTER, ["enableRBAC"], "yes", "properties.enableRBAC: boolean, not 'yes'"),
        (CLUSTER, ["agentPoolProfiles"], {"name": "aks"}, "properties.agentPoolProfiles: a list, not"),
        (CLUSTER, ["resourceName"], "-fraud", "name: '-fraud' does not match"),
        (CLUSTER, ["autoScalerProfile", "expander"], "cheapest", "expander: 'cheapest' is none of least-waste"),
        (POOL, ["agentPoolName"], "GPU_pool_too_long", "name: 'GPU_pool_too_long' does not match"),
        (POOL, ["scaleSetPriority"], "Spt", "properties.scaleSetPriority: 'Spt' is none of Spot, Regular"),
        (POOL, ["osDiskSizeGB"], 4096, "properties.osDiskSizeGB: 4096 is out of bounds"),
        (POOL, ["gpuProfile"], "Install", "properties.gpuProfile: an object, not 'Install'"),
        (ACCOUNT, ["accountName"], "Bad_Name", "name: 'Bad_Name' does not match"),
        (ACCOUNT, ["minimumTlsVersion"], "TLS1_4", "properties.minimumTlsVersion: 'TLS1_4' is none of"),
        (ACCOUNT, ["sku", "name"], "ZRSX", "sku.name: 'ZRSX' is none of"),
        (SERVER, ["version"], "9", "properties.version: '9' is none of"),
        (SERVER, ["highAvailability", "mode"], "TwoZones", "properties.highAvailability.mode: 'TwoZones' is none of"),
        (VAULT, ["properties", "tenantId"], "acme", "properties.tenantId: 'acme'"),
        (VAULT, ["properties", "softDeleteRetentionInDays"], "90", "softDeleteRetentionInDays: integer, not '90'"),
        (RULES, ["securityRules"], [{"name": "a"}], "properties.securityRules[].access: the API requires it"),
    ],
)
def test_the_comparison_sees_what_an_api_would_refuse(
    resources: Resources, where: str, path: list[str], value: Any, wrong: str
) -> None:
    changed = copy.deepcopy(resources[where])
    inner = changed["inputs"]
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value

    assert wrong in "\n".join(faults(changed))


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
def test_the_comparison_sees_what_is_missing(resources: Resources, where: str, field: str, missing: str) -> None:
    changed = copy.deepcopy(resources[where])
    del changed["inputs"][field]

    assert missing in "\n".join(faults(changed))


TYPES = Types(
    [
        {"$type": "StringType", "pattern": "^[a-z]+$", "maxLength": 9},
        {"$type": "StringLiteralType", "value": "One"},
        {"$type": "UnionType", "elements": [{"$ref": "#/1"}, {"$ref": "#/0"}]},
        {
            "$type": "ObjectType",
            "properties": {
                "id": {"type": {"$ref": "#/0"}, "flags": 2},
                "mode": {"type": {"$ref": "#/2"}, "flags": 1},
                "other": {"type": {"$ref": "#/0"}, "flags": 0},
            },
        },
        {"$type": "ArrayType", "itemType": {"$ref": "#/3"}},
        {
            "$type": "ObjectType",
            "properties": {
                "type": {"type": {"$ref": "#/0"}, "flags": 2},
                "properties": {"type": {"$ref": "#/6"}, "flags": 0},
            },
            "additionalProperties": {"$ref": "#/0"},
        },
        {
            "$type": "ObjectType",
            "properties": {
                "type": {"type": {"$ref": "#/0"}, "flags": 0},
                "sets": {"type": {"$ref": "#/4"}, "flags": 1},
            },
        },
        {
            "$type": "DiscriminatedObjectType",
            "discriminator": "kind",
            "baseProperties": {"kind": {"type": {"$ref": "#/2"}, "flags": 1}},
            "elements": {"One": {"$ref": "#/3"}},
        },
    ]
)


def test_the_table_has_what_registrations_set_and_what_they_must_and_may_not_set() -> None:
    first = node_of({"type": "gpu", "sets": [{"mode": "One"}]}, TYPES.all[5], TYPES)
    second = node_of({"sets": [{"other": "b"}], "more": "c"}, TYPES.all[5], TYPES)

    text = {"type": "string", "pattern": "^[a-z]+$", "maxLength": 9}
    item = {"properties": {"mode": {"values": ["One"]}, "other": text}, "required": ["mode"], "readOnly": ["id"]}
    inner = {"properties": {"type": text, "sets": {"items": item}}, "required": ["sets"]}
    assert merged([first, second]) == {"properties": {"properties": inner}, "readOnly": ["type"], "others": text}


def test_a_property_that_the_api_does_not_know_is_not_in_the_table() -> None:
    with pytest.raises(LookupError, match="the API has no property 'more'"):
        node_of({"more": "c"}, TYPES.all[6], TYPES)


def test_an_object_of_several_sets_has_only_the_chosen_one_in_the_table() -> None:
    assert node_of({"kind": "One", "mode": "One"}, TYPES.all[7], TYPES) == {
        "by": "kind",
        "choices": {
            "One": {
                "properties": {"kind": {"values": ["One"]}, "mode": {"values": ["One"]}},
                "required": ["kind", "mode"],
                "readOnly": ["id"],
            }
        },
    }


def test_a_line_of_the_table_is_broken_where_it_is_too_long() -> None:
    assert printed({"a": {"b": 1}}) == '{"a": {"b": 1}}'
    assert printed({"a": {"b": "c" * 100}, "d": 2}) == '{\n "a": {"b": "' + "c" * 100 + '"},\n "d": 2\n}'


def test_a_type_that_is_not_in_the_table_is_reported() -> None:
    assert faults({"type": "azure-native:redis:Redis", "name": "cache", "inputs": {}}) == [
        "azure-native:redis:Redis is compared with no type"
    ]
