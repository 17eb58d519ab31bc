"""Tests node pool labels, taints, zones and GPU drivers, and the autoscaler settings."""

from __future__ import annotations

import re
from typing import Any

import pulumi
import pytest

from modelyard_stacks.azure.nodes import NodePool
from modelyard_stacks.azure.settings import training_zones
from tests.stacks.aws.programs import Resources, inputs, needs, of
from tests.stacks.azure.programs import IN_GROUP, NOTHING, POOLS, configured, elsewhere, registered_together

POOL = "azure-native:containerservice:AgentPool"


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Resources]:
    """Register a system pool, a spot pool with small GPUs, and a pool with large GPUs, in several zones."""
    zoned = POOLS.replace("ephemeral=True", 'ephemeral=True, zones=["2", "3"]')
    return registered_together(
        tmp_path_factory.mktemp("pools"),
        {
            "plain": (POOLS, ""),
            "first": (zoned, ""),
            "numbered": (zoned, "trainingZone: 3"),
            "named": (zoned, """trainingZone: 3\ntrainingZones: '{"large": "1"}'\nencryptionAtHost: true"""),
        },
    )


@pytest.fixture(scope="module")
def resources(programs: dict[str, Resources]) -> Resources:
    """Return the registrations of the pools without settings."""
    return programs["plain"]


def pool(resources: Resources, name: str) -> dict[str, Any]:
    return inputs(resources, POOL, name)


def test_pods_find_their_pool_and_no_others_come(resources: Resources) -> None:
    assert pool(resources, "large")["nodeLabels"] == {
        "modelyard.dev/pool": "large",
        "modelyard.dev/capacity": "on-demand",
    }
    assert pool(resources, "large")["nodeTaints"] == [
        "modelyard.dev/pool=large:NoSchedule",
        "nvidia.com/gpu=present:NoSchedule",
    ]
    assert pool(resources, "system")["nodeTaints"] == []


def test_spot_machines_are_what_azure_makes_of_them(resources: Resources) -> None:
    """The program declares the label and taint that Azure itself adds to spot nodes.

    Otherwise, every later run would remove them.
    """
    spot_pool = pool(resources, "train-spot")

    assert spot_pool["nodeLabels"]["kubernetes.azure.com/scalesetpriority"] == "spot"
    assert "kubernetes.azure.com/scalesetpriority=spot:NoSchedule" in spot_pool["nodeTaints"]
    assert spot_pool["scaleSetPriority"] == "Spot"
    assert spot_pool["scaleSetEvictionPolicy"] == "Delete", "a stopped machine would still count against the quota"
    assert spot_pool["spotMaxPrice"] == -1
    assert "upgradeSettings" not in spot_pool
    assert pool(resources, "system")["scaleSetPriority"] == "Regular"


def test_gpus_come_with_a_driver(resources: Resources) -> None:
    assert pool(resources, "train-spot")["gpuProfile"] == {"driver": "Install"}
    assert "gpuProfile" not in pool(resources, "system")


def test_the_autoscaler_decides_between_the_bounds(resources: Resources) -> None:
    bounds = {
        name: (each["inputs"]["minCount"], each["inputs"]["maxCount"], each["inputs"]["count"])
        for name, each in of(resources, POOL).items()
    }

    assert bounds == {"system": (2, 6, 2), "train-spot": (0, 8, 0), "large": (0, 4, 0)}
    assert all(each["inputs"]["enableAutoScaling"] is True for each in of(resources, POOL).values())
    assert all(each["ignoreChanges"] == ["count"] for each in of(resources, POOL).values())


def test_pools_without_zones_are_where_azure_has_the_machine(resources: Resources) -> None:
    assert pool(resources, "system")["availabilityZones"] == ["1", "2", "3"]
    assert "availabilityZones" not in pool(resources, "train-spot")
    assert "availabilityZones" not in pool(resources, "large")


def test_pods_that_train_together_are_in_one_zone(programs: dict[str, Resources]) -> None:
    zones = {name: pool(programs[name], "large")["availabilityZones"] for name in ("first", "numbered", "named")}

    assert zones == {"first": ["2"], "numbered": ["3"], "named": ["1"]}
    assert all(pool(each, "system")["availabilityZones"] == ["1", "2", "3"] for each in programs.values())


def test_nodes_are_in_the_network_without_a_public_address(resources: Resources) -> None:
    subnet = f"{IN_GROUP}/Microsoft.Network/virtualNetworks/fraud-prod-main/subnets/nodes"

    assert {each["inputs"]["vnetSubnetID"] for each in of(resources, POOL).values()} == {subnet}
    assert {each["inputs"]["enableNodePublicIP"] for each in of(resources, POOL).values()} == {False}


def test_disks_are_sized_and_may_be_a_part_of_the_machine(resources: Resources) -> None:
    assert (pool(resources, "large")["osDiskType"], pool(resources, "large")["osDiskSizeGB"]) == ("Ephemeral", 1024)
    assert (pool(resources, "system")["osDiskType"], pool(resources, "system")["osDiskSizeGB"]) == ("Managed", 128)
    assert "azure-native:compute:DiskEncryptionSet fraud-prod-main" in needs(resources, POOL, "system")


def test_caches_of_machines_are_encrypted_by_a_setting(programs: dict[str, Resources]) -> None:
    assert pool(programs["named"], "large")["enableEncryptionAtHost"] is True
    assert pool(programs["plain"], "large")["enableEncryptionAtHost"] is False


def test_nodes_are_upgraded_with_the_cluster_and_scarce_ones_in_place(resources: Resources) -> None:
    assert {each["inputs"]["orchestratorVersion"] for each in of(resources, POOL).values()} == {"1.35"}
    assert pool(resources, "system")["upgradeSettings"] == {"maxSurge": "1", "maxUnavailable": "0"}
    assert pool(resources, "large")["upgradeSettings"] == {"maxSurge": "0", "maxUnavailable": "1"}


def test_a_node_reserves_memory_for_no_more_pods_than_it_gets(resources: Resources) -> None:
    assert {each["inputs"]["maxPods"] for each in of(resources, POOL).values()} == {64}


def test_the_name_is_the_programs_and_free_before_a_pool_is_made_again(resources: Resources) -> None:
    assert {name: each["inputs"]["agentPoolName"] for name, each in of(resources, POOL).items()} == {
        "system": "system1a2b",
        "train-spot": "train3c4d",
        "large": "large5e6f",
    }
    assert all(each["deleteBeforeReplace"] for each in of(resources, POOL).values())
    assert {each["inputs"]["resourceName"] for each in of(resources, POOL).values()} == {"fraud-prod-main"}


def new_pool(agent_pool: str) -> NodePool:
    return NodePool(
        "large",
        cluster=NOTHING,
        network=NOTHING,
        key=NOTHING,
        agent_pool=agent_pool,
        pool="large",
        machine="Standard_D4s_v5",
        capacity="on-demand",
        min_nodes=0,
        max_nodes=1,
        disk_gib=128,
    )


@pytest.mark.parametrize("name", ["train-spot", "Train", "1train", "t" * 13, ""])
def test_a_name_that_aks_would_refuse_is_refused(name: str) -> None:
    with pytest.raises(pulumi.RunError, match="a name must have 1 to 12 lower-case letters and digits"):
        new_pool(name)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"trainingZone": "4"},
            "node pool large: a zone must be 1, 2 or 3, not 4; "
            "to choose: pulumi config set --path 'trainingZones.large' 2",
        ),
        ({"trainingZones": '{"large": "b"}'}, "node pool large: a zone must be 1, 2 or 3, not b"),
        ({"trainingZones": "[2]"}, "the setting trainingZones must map each pool to a zone: pulumi config set --path"),
        ({"trainingZones": '{"larg": "2"}'}, "names a zone for larg, but only large, train may have one"),
    ],
)
def test_a_setting_that_chooses_no_zone_is_refused(settings: dict[str, str], message: str) -> None:
    with configured(**settings), pytest.raises(pulumi.RunError, match=re.escape(message)):
        training_zones(["large", "train"])


def test_a_zone_for_a_stack_without_training_pools_is_refused() -> None:
    message = "names a zone for large, but no pool of this stack trains in one zone"
    with configured(trainingZones='{"large": "2"}'), pytest.raises(pulumi.RunError, match=message):
        training_zones([])


def test_everything_belongs_to_the_subscription(resources: Resources) -> None:
    assert not elsewhere(resources)
