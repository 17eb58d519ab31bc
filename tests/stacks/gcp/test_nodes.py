"""Tests node pools' labels, taints, zones, GPU drivers and permissions."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.stacks.aws.programs import Resources, inputs, needs, of
from tests.stacks.gcp.programs import POOLS, elsewhere, registered
from tests.stacks.programs import Refused

POOL = "gcp:container/nodePool:NodePool"
KEY = "projects/acme-ml/locations/europe-west4/keyRings/fraud-prod-main/cryptoKeys/fraud-prod-main"


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a system pool, a spot pool with small GPUs, and a pool with large GPUs."""
    return registered(tmp_path_factory.mktemp("pools"), POOLS)


def node(resources: Resources, name: str) -> dict[str, Any]:
    config: dict[str, Any] = inputs(resources, POOL, name)["nodeConfig"]
    return config


def taints(resources: Resources, name: str) -> dict[str, tuple[str, str]]:
    return {each["key"]: (each["value"], each["effect"]) for each in node(resources, name)["taints"]}


def test_pools_have_labels_and_taints_for_their_pods(resources: Resources) -> None:
    assert node(resources, "train-spot")["labels"] == {
        "modelyard.dev/pool": "train",
        "modelyard.dev/capacity": "spot",
        "cloud.google.com/compute-class": "train",
    }
    assert taints(resources, "train-spot") == {
        "modelyard.dev/pool": ("train", "NO_SCHEDULE"),
        "cloud.google.com/compute-class": ("train", "NO_SCHEDULE"),
        "nvidia.com/gpu": ("present", "NO_SCHEDULE"),
    }
    assert taints(resources, "system") == {}


def test_gpu_pools_install_a_driver(resources: Resources) -> None:
    """GPU pools set the driver version, because GKE doesn't install a driver by default."""
    assert node(resources, "train-spot")["guestAccelerators"] == [
        {"type": "nvidia-l4", "count": 1, "gpuDriverInstallationConfig": {"gpuDriverVersion": "DEFAULT"}}
    ]
    assert node(resources, "large")["guestAccelerators"][0]["gpuDriverInstallationConfig"] == {
        "gpuDriverVersion": "LATEST"
    }
    assert "guestAccelerators" not in node(resources, "system")


def test_node_count_is_left_to_the_autoscaler(resources: Resources) -> None:
    assert inputs(resources, POOL, "train-spot")["autoscaling"] == {
        "totalMinNodeCount": 0,
        "totalMaxNodeCount": 8,
        "locationPolicy": "ANY",
    }
    assert inputs(resources, POOL, "system")["autoscaling"]["locationPolicy"] == "BALANCED"
    assert all(each["inputs"]["ignoreNodeCountChanges"] is True for each in of(resources, POOL).values())
    assert not any("nodeCount" in each["inputs"] for each in of(resources, POOL).values())


def test_a_pool_starts_with_its_minimum_size_across_all_zones(resources: Resources) -> None:
    """GKE counts nodes per zone, so one node in each of three zones satisfies a minimum of two."""
    counts = {name: each["inputs"]["initialNodeCount"] for name, each in of(resources, POOL).items()}

    assert counts == {"system": 1, "train-spot": 0, "large": 0}
    assert all("initialNodeCount" in each["ignoreChanges"] for each in of(resources, POOL).values())


@pytest.mark.parametrize(
    ("bounds", "count"),
    [
        ("min_nodes=2,\n    max_nodes=2", 0),  # one node in each of three zones would be three nodes
        ("min_nodes=3,\n    max_nodes=3", 1),
        ("min_nodes=4,\n    max_nodes=6", 2),
        ("min_nodes=4,\n    max_nodes=5", 0),
    ],
)
def test_initial_size_does_not_exceed_the_maximum(bounds: str, count: int, tmp_path: Path) -> None:
    resources = registered(tmp_path, POOLS.replace("min_nodes=2,\n    max_nodes=6", bounds, 1))

    assert inputs(resources, POOL, "system")["initialNodeCount"] == count


def test_initial_nodes_are_counted_only_in_zones_with_the_machine(tmp_path: Path) -> None:
    """A minimum of four nodes means two in each of the two zones that offer the machine."""
    program = POOLS.replace('training_pools=["large"]', "").replace("min_nodes=0", "min_nodes=4")
    resources = registered(tmp_path, program)

    assert inputs(resources, POOL, "large")["nodeLocations"] == ["europe-west4-b", "europe-west4-c"]
    assert inputs(resources, POOL, "large")["initialNodeCount"] == 2


def test_pools_are_only_in_zones_that_have_their_machine(resources: Resources) -> None:
    zones = {name: each["inputs"]["nodeLocations"] for name, each in of(resources, POOL).items()}

    assert zones["system"] == ["europe-west4-a", "europe-west4-b", "europe-west4-c"]
    assert zones["large"] == ["europe-west4-b"]  # the first zone that has the machine
    assert "nodeLocations" in resources[f"{POOL} system"]["ignoreChanges"]
    assert "nodeLocations" not in resources[f"{POOL} large"]["ignoreChanges"]


def test_setting_selects_another_training_zone(tmp_path: Path) -> None:
    resources = registered(tmp_path, POOLS, "trainingZone: 2")

    assert inputs(resources, POOL, "large")["nodeLocations"] == ["europe-west4-c"]
    assert len(inputs(resources, POOL, "system")["nodeLocations"]) == 3


def test_the_zone_of_a_pool_can_be_selected(tmp_path: Path) -> None:
    """A number selects among the zones that offer the pool's machine. A name applies to a single pool."""
    program = POOLS.replace('training_pools=["large"]', 'training_pools=["large", "train"]')
    resources = registered(tmp_path, program, """trainingZone: 2\ntrainingZones: '{"train": "europe-west4-a"}'""")

    assert inputs(resources, POOL, "train-spot")["nodeLocations"] == ["europe-west4-a"]
    assert inputs(resources, POOL, "large")["nodeLocations"] == ["europe-west4-c"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            "trainingZone: 3",
            "trainingZone must be 1 to 2, not 3: europe-west4-b, europe-west4-c; to choose for this pool alone: "
            "pulumi config set --path 'trainingZones.large' europe-west4-b",
        ),
        ("trainingZone: -1", "trainingZone must be 1 or more, not -1"),
        (
            """trainingZones: '{"large": "europe-west4-a"}'""",
            "node pool large: europe-west4-a has no a3-highgpu-8g, so trainingZones.large must be one of"
            " europe-west4-b, europe-west4-c",
        ),
        ("trainingZones: '[2]'", "trainingZones must map each pool to a zone: pulumi config set --path"),
        (
            """trainingZones: '{"larg": "europe-west4-b"}'""",
            "the setting trainingZones names a zone for larg, but only large may have one",
        ),
    ],
)
def test_a_zone_without_the_machine_is_refused(settings: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=re.escape(message)):
        registered(tmp_path, POOLS, settings)


def test_a_machine_that_the_region_lacks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="node pool large: no zone of europe-west4 has nowhere-8"):
        registered(tmp_path, POOLS.replace("a3-highgpu-8g", "nowhere-8"))


def test_zones_in_the_program_are_used_unchanged(tmp_path: Path) -> None:
    program = POOLS.replace("local_ssds=16,", 'local_ssds=16,\n    zones=["europe-west4-a"],')
    resources = registered(tmp_path, program)

    assert inputs(resources, POOL, "large")["nodeLocations"] == ["europe-west4-a"]
    assert "nodeLocations" not in resources[f"{POOL} large"]["ignoreChanges"]


def test_pods_cannot_act_as_their_node(resources: Resources) -> None:
    for each in of(resources, POOL).values():
        config = each["inputs"]["nodeConfig"]
        assert config["workloadMetadataConfig"] == {"mode": "GKE_METADATA"}
        assert config["serviceAccount"].endswith("@acme-ml.iam.gserviceaccount.com")
        assert config["kubeletConfig"] == {"insecureKubeletReadonlyPortEnabled": "FALSE"}
        assert config["metadata"] == {"disable-legacy-endpoints": "true"}
        assert config["shieldedInstanceConfig"] == {"enableSecureBoot": True, "enableIntegrityMonitoring": True}
        assert each["inputs"]["networkConfig"] == {"enablePrivateNodes": True}


def test_disks_are_encrypted_and_have_the_right_type(resources: Resources) -> None:
    assert {each["inputs"]["nodeConfig"]["bootDiskKmsKey"] for each in of(resources, POOL).values()} == {KEY}
    assert node(resources, "large")["diskType"] == "hyperdisk-balanced"
    assert node(resources, "large")["ephemeralStorageLocalSsdConfig"] == {"localSsdCount": 16}
    assert "ephemeralStorageLocalSsdConfig" not in node(resources, "system")
    assert "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember fraud-prod-main-compute" in needs(resources, POOL, "system")


def test_machines_have_the_system_label_for_billing(resources: Resources) -> None:
    assert all(
        each["inputs"]["nodeConfig"]["resourceLabels"] == {"modelyard-system": "fraud"}
        for each in of(resources, POOL).values()
    )


def test_only_scarce_machines_are_replaced_in_place(resources: Resources) -> None:
    assert inputs(resources, POOL, "system")["upgradeSettings"] == {
        "strategy": "SURGE",
        "maxSurge": 1,
        "maxUnavailable": 0,
    }
    assert inputs(resources, POOL, "large")["upgradeSettings"] == {
        "strategy": "SURGE",
        "maxSurge": 0,
        "maxUnavailable": 1,
    }


def test_pool_is_deleted_before_its_replacement_is_created(resources: Resources) -> None:
    assert {name: each["inputs"]["name"] for name, each in of(resources, POOL).items()} == {
        name: name for name in ("system", "train-spot", "large")
    }
    assert all(each["deleteBeforeReplace"] for each in of(resources, POOL).values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('"train-spot",', f'"{"t" * 41}",'), "a name can have at most 40 characters"),
        (("accelerators=8", "accelerators=0"), "accelerators need a type and a number"),
    ],
)
def test_settings_that_gke_does_not_accept_are_refused(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=message):
        registered(tmp_path, POOLS.replace(*change))


def test_everything_belongs_to_the_project(resources: Resources) -> None:
    assert not elsewhere(resources)
