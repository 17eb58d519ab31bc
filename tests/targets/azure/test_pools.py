"""Tests the sizes, disks and zones of node pools."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelyard.patterns import pattern
from modelyard.plan import NodePool
from modelyard_targets.azure.pools import cluster_nodes, disks_of, most_nodes, pool_nodes, system_nodes
from modelyard_targets.azure.services import priorities
from modelyard_targets.cloud.pools import Disks
from tests.targets.azure.infrastructure import LEADS, arguments, components, leads, manifest, plan_of

REPLICAS = ("    compute: small\n", "    compute: small\n    replicas: {min: 3, max: 9}\n")
WORKERS = ("inputs: [clicks], compute: gpu,", "inputs: [clicks], compute: gpu, workers: 4,")
AGENT_POOL = pattern("[a-z][a-z0-9]{0,11}")
"""The pattern for pool names. Source: Azure/bicep-types-az@1f896de2d, containerservice 2025-09-01."""


def pools(text: str = LEADS) -> dict[str, dict[str, Any]]:
    """Return the arguments of each node pool, keyed by name."""
    return {call.name: arguments(call) for call in components(text).values() if call.component == "NodePool"}


def bounds(text: str = LEADS) -> dict[str, tuple[int, int]]:
    """Return each node pool's minimum and maximum number of nodes."""
    return {name: (pool["min_nodes"], pool["max_nodes"]) for name, pool in pools(text).items()}


def test_what_serves_always_has_a_node_and_what_runs_scales_from_zero() -> None:
    limits = bounds()

    assert limits["small-f2s-v2-on-demand"] == (1, 2)
    assert {least for name, (least, _) in limits.items() if name.startswith(("gpu-", "free-"))} == {0}


@pytest.mark.parametrize(
    ("rollout", "most"),
    [("", 9 + 3), ("    rollout: {strategy: in-place}\n", 9), ("    rollout: {strategy: incremental}\n", 9 + 9)],
)
def test_the_servers_that_take_over_in_a_rollout_find_nodes(rollout: str, most: int) -> None:
    """Without spare nodes, a rollout's second Ray cluster would wait forever while the first kept serving."""
    before, after = REPLICAS

    assert bounds(leads((before, after + rollout)))["small-f2s-v2-on-demand"] == (3, most)


def test_each_pool_can_take_all_pods_of_its_class() -> None:
    limits = {name: most for name, (_, most) in bounds(leads(WORKERS)).items() if name.startswith("gpu-")}

    assert len(limits) == 5
    assert set(limits.values()) == {4}


def test_pools_of_one_class_do_not_add_up() -> None:
    """Node pools of one class share its Pods, so addresses are needed for the largest pool only."""
    plan = plan_of(leads(WORKERS))
    largest = {compute: nodes.most for (compute, _), nodes in pool_nodes(plan, "main").items()}

    assert most_nodes(plan, "main") == cluster_nodes(plan) + system_nodes(plan, "main").most + sum(largest.values())


def test_a_run_waits_for_every_pool() -> None:
    """A run's deadline covers every pool, because the autoscaler tries a class's pools one by one."""
    template = json.loads(manifest("ConfigMap", "fit-rayjob")["data"]["rayjob.json"])

    assert template["spec"]["preRunningDeadlineSeconds"] == (5 + 1) * 900


def test_accelerators_of_a_pool_are_those_of_its_machine() -> None:
    text = leads(('accelerators: ["T4:1", "A100-80GB:1"]', 'accelerators: ["T4:4"]'))

    assert pools(text)["gpu-nc64as-t4-v3-on-demand"]["gpus"] == 4
    assert "gpus" not in pools(text)["small-f2s-v2-on-demand"]


def test_names_in_aks_fit_and_stay_apart() -> None:
    """Pool names differ if the machine type, capacity type or compute class differs."""
    long = "a" * 40
    text = leads(("  gpu: {cpu", f"  {long}: {{cpu"), ("compute: gpu,", f"compute: {long},"))
    short = [pool["agent_pool"] for pool in (*pools().values(), *pools(text).values())]

    assert all(map(AGENT_POOL.fullmatch, short))
    assert len(set(short)) == len(pools()) + 5


def test_pools_of_a_class_are_tried_in_the_order_of_the_spec() -> None:
    plan, settings = plan_of(), pools()
    ranked = {name: rank for rank, names in priorities(plan, "main").items() for name in names}
    order = sorted(
        (name for name in settings if name.startswith("gpu-")),
        key=lambda name: -ranked[f"^aks-{settings[name]['agent_pool']}-"],
    )

    assert order == [
        "gpu-nc8as-t4-v3-spot",
        "gpu-nc16as-t4-v3-spot",
        "gpu-nc8as-t4-v3-on-demand",
        "gpu-nc24ads-a100-v4-spot",
        "gpu-nc24ads-a100-v4-on-demand",
    ]
    assert ranked[".*"] == min(ranked.values()), "the pool of AKS and the system pool come last"


def test_the_system_pool_has_no_taint_and_is_on_demand() -> None:
    system = pools()["system"]

    assert (system["tainted"], system["capacity"], system["pool"]) == (False, "on-demand", "system")
    assert system["min_nodes"] == 2


def test_the_pool_of_aks_does_not_depend_on_prices() -> None:
    """Changing the machine type of AKS's mandatory pool would require replacing the cluster."""
    for text in (LEADS, leads(("region: westeurope", "region: eastus"))):
        cluster = arguments(components(text)["Cluster leads-main"])
        assert (cluster["machine"], cluster["nodes"]) == ("Standard_D2s_v5", 2)


def test_disks_hold_images_and_what_pods_write() -> None:
    """Disks fit 50 GiB of images plus the disk requests of all Pods on the node, and at least 100 GiB."""
    large = ("  small: {cpu: 1, memory: 2Gi}", "  small: {cpu: 1, memory: 2Gi, disk: 200Gi}")
    disks: list[Disks] = []
    for changes in ((), (large,)):
        plan = plan_of(leads(*changes))
        (pool,) = [each.value for each in plan.of(NodePool, "main") if each.name == "small"]
        disks.append(disks_of(pool.hardware, pool.hardware.groups[0]))

    assert disks == [Disks(100), Disks(250)]


def test_nodes_of_one_training_share_a_zone() -> None:
    """Nodes share a zone for multi-worker training, unless the class also serves models."""
    serves = ("    compute: small\n", "    compute: gpu\n")

    def together(*changes: tuple[str, str]) -> list[str]:
        cluster = arguments(components(leads(*changes))["Cluster leads-main"])
        pools_together: list[str] = cluster.get("training_pools", [])
        return pools_together

    assert together() == []
    assert together(WORKERS) == ["gpu"]
    assert together(WORKERS, serves) == []
