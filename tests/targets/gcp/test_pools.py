"""Tests the sizes, disks and zones of node pools."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelyard.plan import NodePool
from modelyard_targets.cloud.pools import Disks
from modelyard_targets.gcp.pools import disks_of, most_nodes, pool_nodes, system_nodes
from tests.targets.gcp.infrastructure import LEADS, arguments, components, leads, manifest, plan_of

REPLICAS = ("    compute: small\n", "    compute: small\n    replicas: {min: 3, max: 9}\n")
WORKERS = ("inputs: [clicks], compute: gpu,", "inputs: [clicks], compute: gpu, workers: 4,")


def pools(text: str = LEADS) -> dict[str, dict[str, Any]]:
    """Return the arguments of each node pool, keyed by name."""
    return {call.name: arguments(call) for call in components(text).values() if call.component == "NodePool"}


def bounds(text: str = LEADS) -> dict[str, tuple[int, int]]:
    """Return each node pool's minimum and maximum number of nodes."""
    return {name: (pool["min_nodes"], pool["max_nodes"]) for name, pool in pools(text).items()}


def test_serving_pools_keep_a_node_and_run_pools_scale_to_zero() -> None:
    limits = bounds()

    assert limits["small-e2-standard-2-on-demand"] == (1, 2)
    assert {least for name, (least, _) in limits.items() if name.startswith(("gpu-", "free-"))} == {0}


@pytest.mark.parametrize(
    ("rollout", "most"),
    [("", 9 + 3), ("    rollout: {strategy: in-place}\n", 9), ("    rollout: {strategy: incremental}\n", 9 + 9)],
)
def test_the_maximum_has_nodes_for_a_rollout(rollout: str, most: int) -> None:
    """The maximum node count leaves room for a rollout's second Ray cluster, which would otherwise wait forever."""
    before, after = REPLICAS

    assert bounds(leads((before, after + rollout)))["small-e2-standard-2-on-demand"] == (3, most)


def test_each_pool_may_grow_to_the_full_size() -> None:
    limits = {name: most for name, (_, most) in bounds(leads(WORKERS)).items() if name.startswith("gpu-")}

    assert len(limits) == 5
    assert set(limits.values()) == {4}


def test_only_the_largest_pool_of_a_class_needs_addresses() -> None:
    """Only the largest pool of a class needs addresses because all of its pools share the class's Pods."""
    plan = plan_of(leads(WORKERS))
    largest = {compute: nodes.most for (compute, _), nodes in pool_nodes(plan, "main").items()}

    assert most_nodes(plan, "main") == system_nodes(plan, "main").most + sum(largest.values())


def test_the_run_deadline_covers_every_pool() -> None:
    """A run's deadline covers every pool, because the autoscaler tries a class's pools one by one."""
    template = json.loads(manifest("ConfigMap", "fit-rayjob")["data"]["rayjob.json"])

    assert template["spec"]["preRunningDeadlineSeconds"] == (5 + 1) * 900


def test_pools_have_the_accelerators_of_their_machine() -> None:
    """Google Cloud rejects any accelerator type or count other than those included in the machine type."""
    text = leads(
        (
            'gpu: {cpu: 4, memory: 16Gi, accelerators: ["L4:1", "A100:1"]',
            'gpu: {cpu: 4, memory: 16Gi, accelerators: ["L4:4"]',
        )
    )
    pool = pools(text)["gpu-g2-standard-48-on-demand"]

    assert (pool["accelerator"], pool["accelerators"]) == ("nvidia-l4", 4)
    assert "accelerator" not in pools(text)["small-e2-standard-2-on-demand"]


def test_pools_of_a_class_with_alternatives_have_a_compute_class() -> None:
    compute_classes = {name: pool.get("compute_class") for name, pool in pools().items()}

    assert {name for name, value in compute_classes.items() if value == "modelyard-gpu"} == {
        name for name in compute_classes if name.startswith("gpu-")
    }
    assert compute_classes["system"] is compute_classes["small-e2-standard-2-on-demand"] is None


def test_pool_names_are_short_and_unique() -> None:
    """Pool names are unique and have at most 40 characters, as GKE requires."""
    long = "a" * 40
    text = leads(("  gpu: {cpu", f"  {long}: {{cpu"), ("compute: gpu,", f"compute: {long},"))
    names = list(pools(text))

    assert len(names) == len(pools())
    assert max(map(len, names)) <= 40


def test_the_system_pool_has_no_taint_and_is_on_demand() -> None:
    system = pools()["system"]

    assert (system["tainted"], system["capacity"]) == (False, "on-demand")
    assert system["min_nodes"] == 3, "the smallest machines, of which GKE's own Pods take a part"


def test_boot_disks_have_room_for_images_and_pod_files() -> None:
    """Boot disks fit 50 GiB of images plus the disk requests of all Pods on the node, and at least 100 GiB."""
    large = ("  small: {cpu: 1, memory: 2Gi}", "  small: {cpu: 1, memory: 2Gi, disk: 200Gi}")
    disks: list[Disks] = []
    for changes in ((), (large,)):
        plan = plan_of(leads(*changes))
        (pool,) = [each.value for each in plan.of(NodePool, "main") if each.name == "small"]
        disks.append(disks_of(pool.hardware, pool.hardware.groups[0]))

    assert disks == [Disks(100), Disks(250)]


def test_some_machines_boot_from_hyperdisk() -> None:
    rtx = ('["L4:1", "A100:1"]', '"RTX-PRO-6000:1"')

    assert pools(leads(rtx))["gpu-g4-standard-48-on-demand"]["disk_type"] == "hyperdisk-balanced"
    assert {pool["disk_type"] for pool in pools().values()} == {"pd-balanced"}


def test_nodes_of_one_training_share_a_zone() -> None:
    """Workers that train together share a zone, unless there is only one worker or the class also serves models."""
    serves = ("    compute: small\n", "    compute: gpu\n")

    def together(*changes: tuple[str, str]) -> list[str]:
        cluster = arguments(components(leads(*changes))["Cluster leads-main"])
        pools_together: list[str] = cluster.get("training_pools", [])
        return pools_together

    assert together() == []
    assert together(WORKERS) == ["gpu"]
    assert together(WORKERS, serves) == []
