"""Tests that the installed SDK knows every registered value, and that the comparison detects unknown values."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.stacks.aws.programs import Resources
from tests.stacks.azure.sdk import faults

CLUSTER = "azure-native:containerservice:ManagedCluster fraud-prod-main"
POOL = "azure-native:containerservice:AgentPool large"
ACCOUNT = "azure-native:storage:StorageAccount lake"
ALARM = "azure-native:monitor:MetricAlert runs-cpu"


@pytest.mark.parametrize("program", ["plain", "set"])
def test_the_sdk_knows_every_property_and_value(program: str, everything: dict[str, Resources]) -> None:
    ours = {where: each for where, each in everything[program].items() if each["type"].startswith("azure-native:")}

    assert len(ours) > 80
    assert {where: wrong for where, each in ours.items() if (wrong := faults(each))} == {}


@pytest.mark.parametrize(
    ("where", "path", "value", "wrong"),
    [
        (CLUSTER, ["networkProfile", "networkPolicy"], "celium", "networkProfile.networkPolicy: 'celium' is none of"),
        (CLUSTER, ["networkProfile", "ipFamilies"], ["IPv5"], "networkProfile.ipFamilies[]: 'IPv5' is none of IPv4"),
        (CLUSTER, ["agentPoolProfiles"], [{"mode": "Usr"}], "agentPoolProfiles[].mode: 'Usr' is none of System, User"),
        (CLUSTER, ["disableLocalAccount"], True, "disableLocalAccount: the SDK knows no such property"),
        (CLUSTER, ["identityProfile", "kubelet"], {"id": "a"}, "identityProfile.kubelet.id: the SDK knows no such"),
        (POOL, ["osSKU"], "Debian", "osSKU: 'Debian' is none of Ubuntu"),
        (ACCOUNT, ["sku", "name"], "ZRSX", "sku.name: 'ZRSX' is none of"),
        (ALARM, ["criteria", "odataType"], "Microsoft.Azure", None),
    ],
)
def test_the_comparison_sees_what_is_misspelt(
    resources: Resources, where: str, path: list[str], value: Any, wrong: str | None
) -> None:
    """The comparison ignores values of properties for which the SDK lists none."""
    changed = copy.deepcopy(resources[where])
    inner = changed["inputs"]
    for part in path[:-1]:
        inner = inner[part]
    inner[path[-1]] = value

    assert (wrong is None) == (faults(changed) == [])
    assert wrong is None or wrong in "\n".join(faults(changed))
