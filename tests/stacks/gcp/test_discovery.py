"""Tests that every resource matches its API's discovery document.

Also tests that the comparison detects violations.
"""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest

from testbed.clouds.gcp.discovery import faults, identifiers
from tests.stacks.aws.programs import Resources
from tests.stacks.gcp.programs import EVERYTHING, registered

CLUSTER = "gcp:container/cluster:Cluster fraud-prod-main"
POOL = "gcp:container/nodePool:NodePool large"
BUCKET = "gcp:storage/bucket:Bucket lake"
DATABASE = "gcp:sql/databaseInstance:DatabaseInstance runs"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork fraud-prod-main"


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a project with all components."""
    return registered(tmp_path_factory.mktemp("everything"), EVERYTHING)


def test_every_property_and_value_exists_in_its_api(resources: Resources) -> None:
    ours = {where: each for where, each in resources.items() if each["type"].startswith("gcp:")}

    assert len(ours) > 50
    assert {where: wrong for where, each in ours.items() if (wrong := faults(each))} == {}


def test_settings_of_the_temporary_default_pool_are_valid(resources: Resources) -> None:
    first = resources[CLUSTER]["inputs"]["nodeConfig"]

    assert faults({"type": resources[POOL]["type"], "name": "first", "inputs": {"nodeConfig": first}}) == []


def test_references_match_the_patterns_of_their_apis(resources: Resources) -> None:
    references = [pair for each in resources.values() for pair in identifiers(each)]

    assert len(references) > 15
    assert [text for text, pattern in references if not re.fullmatch(pattern, text.partition(": ")[2])] == []


@pytest.mark.parametrize(
    ("where", "path", "value", "wrong"),
    [
        (CLUSTER, ["releaseChannel", "channel"], "FAST", "releaseChannel.channel: 'FAST' is none of"),
        (CLUSTER, ["enableShieldNodes"], True, "enableShieldNodes: the API knows no such property"),
        (CLUSTER, ["addonsConfig", "dnsCache"], {}, "addonsConfig.dnsCache: the API knows no such property"),
        (CLUSTER, ["endpoint"], "10.0.0.2", "endpoint: only Google sets it"),
        (CLUSTER, ["securityPostureConfig", "vulnerabilityMode"], "VULNERABILITY_BASIC", "vulnerabilityMode: deprec"),
        (CLUSTER, ["maintenancePolicy", "recurringWindow", "startTime"], "Saturday", "startTime: 'Saturday' does not"),
        (POOL, ["nodeConfig", "taints"], [{"key": "a", "value": "b", "effect": "NoSchedule"}], "'NoSchedule' is none"),
        (POOL, ["nodeConfig", "diskSizeGb"], "100", "config.diskSizeGb: integer, not '100'"),
        (POOL, ["nodeConfig", "labels"], {"a": 1}, "config.labels.a: string, not 1"),
        (POOL, ["autoscaling", "totalMaxNodeCount"], 2**31, "totalMaxNodeCount: 2147483648 is out of bounds"),
        (POOL, ["nodeLocations"], "europe-west4-a", "locations: a list, not 'europe-west4-a'"),
        (BUCKET, ["lifecycleRules"], [{"action": {"type": "Remove"}}], None),
        (BUCKET, ["softDeletePolicy", "retentionDurationSeconds"], "a week", "'a week' does not match"),
        (DATABASE, ["settings", "edition"], "STANDARD", "settings.edition: 'STANDARD' is none of"),
        (DATABASE, ["databaseVersion"], "POSTGRES_99", "databaseVersion: 'POSTGRES_99' is none of"),
        (DATABASE, ["settings", "ipConfiguration"], True, "settings.ipConfiguration: an object, not True"),
        (SUBNETWORK, ["name"], "Fraud", "name: 'Fraud' does not match"),
        (SUBNETWORK, ["logConfig", "aggregationInterval"], "INTERVAL_10_SEC", "'INTERVAL_10_SEC' is none of"),
    ],
)
def test_comparison_detects_invalid_values(
    resources: Resources, where: str, path: list[str], value: Any, wrong: str | None
) -> None:
    """The comparison ignores values of properties for which the document lists no values, such as lifecycle actions."""
    changed = copy.deepcopy(resources[where])
    inner = changed["inputs"]
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value

    assert (wrong is None) == (faults(changed) == [])
    assert wrong is None or wrong in "\n".join(faults(changed))


def test_comparison_detects_missing_properties(resources: Resources) -> None:
    router = copy.deepcopy(resources["gcp:compute/router:Router fraud-prod-main"])
    del router["inputs"]["network"]
    budget = copy.deepcopy(resources["gcp:billing/budget:Budget fraud-prod-main"])
    del budget["inputs"]["amount"]

    assert faults(router) == ["network: the API requires it"]
    assert faults(budget) == ["amount: the API requires it"]


def test_a_type_without_a_document_is_reported() -> None:
    assert faults({"type": "gcp:redis/instance:Instance", "name": "cache", "inputs": {}}) == [
        "gcp:redis/instance:Instance is compared with no document"
    ]
