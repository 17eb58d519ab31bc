"""Tests that servers have at least one node, batch pools are empty between runs, and all Pods fit on the nodes."""

from __future__ import annotations

import json

import pytest

from modelyard.plan import NodePool
from modelyard_targets.aws.machines import offerings
from modelyard_targets.aws.pools import disks_of, pool_nodes, system_nodes
from modelyard_targets.cloud.pools import Disks, Nodes, pods_of_a_node
from tests.targets.aws.emitted import argument, calls, emitted_object
from tests.targets.aws.infrastructure import HYBRID, LEADS, arguments, calls_by_name, changed, plan_of

REPLICAS = ("    compute: small\n", "    compute: small\n    replicas: {min: 3, max: 9}\n")


STILL = changed((", elastic: true", ""))


def bounds(text: str) -> dict[str, tuple[int, int]]:
    """Return the minimum and maximum node count of each node group."""
    pools = {call.name: arguments(call) for call in calls_by_name(text).values() if call.component.endswith("Pool")}
    return {name: (pool["min_nodes"], pool["max_nodes"]) for name, pool in pools.items()}


def test_serving_classes_always_have_a_node() -> None:
    assert bounds(LEADS)["small-m6i-large-on-demand"] == (1, 2)
    assert bounds(changed(REPLICAS))["small-m6i-large-on-demand"] == (3, 12)


@pytest.mark.parametrize(
    ("rollout", "most"),
    [
        ("", 9 + 3),
        ("    rollout: {strategy: in-place}\n", 9),
        ("    rollout: {strategy: incremental}\n", 9 + 9),
        ("    rollout: {strategy: incremental, maxSurge: 40%}\n", 9 + 4),
    ],
)
def test_maximum_has_nodes_for_a_rollout(rollout: str, most: int) -> None:
    """The maximum node count leaves room for a second Ray cluster if the rollout strategy needs one."""
    before, after = REPLICAS
    assert bounds(changed((before, after + rollout)))["small-m6i-large-on-demand"] == (3, most)


def test_system_pool_has_room_for_second_heads() -> None:
    plan = plan_of(HYBRID)

    assert system_nodes(plan, "main").most > system_nodes(plan, "main", rollouts=False).most


def test_several_pods_may_share_a_node() -> None:
    small = ("  small: {cpu: 1, memory: 2Gi}", "  small: {cpu: 500m, memory: 1Gi}")
    nodes = pool_nodes(plan_of(changed(REPLICAS, small)), "main")
    hardware = next(
        resource.value.hardware
        for resource in plan_of(changed(REPLICAS, small)).on("main")
        if isinstance(resource.value, NodePool) and resource.value.compute == "small"
    )
    fit = pods_of_a_node(offerings(), hardware, hardware.groups[0])

    assert fit > 1
    assert nodes["small", 0] == Nodes(-(-3 // fit), -(-12 // fit))


def test_classes_for_runs_scale_to_zero() -> None:
    limits = bounds(LEADS)

    assert {least for name, (least, _) in limits.items() if name.startswith("gpu-")} == {0}


def test_each_group_may_grow_to_the_full_size() -> None:
    workers = ("inputs: [clicks], compute: gpu,", "inputs: [clicks], compute: gpu, workers: {min: 1, max: 6},")
    limits = {name: most for name, (_, most) in bounds(changed(workers)).items() if name.startswith("gpu-")}

    assert len(limits) == 4
    assert set(limits.values()) == {6}


@pytest.mark.parametrize(("capacity", "groups"), [("on-demand", 2), ("spot-first", 4)])
def test_run_deadline_covers_every_group(capacity: str, groups: int) -> None:
    """The run start deadline allows 15 minutes for each node group the autoscaler may try."""
    text = changed(("capacity: spot-first", f"capacity: {capacity}"))
    template = json.loads(emitted_object("ConfigMap", "fit-rayjob", text)["data"]["rayjob.json"])
    autoscaler = argument(calls(text)["cluster_autoscaler"], "values")

    assert len([name for name in bounds(text) if name.startswith("gpu-")]) == groups
    assert autoscaler["extraArgs"]["max-node-provision-time"] == "900s"
    assert template["spec"]["preRunningDeadlineSeconds"] == (groups + 1) * 900


def test_groups_are_named_after_pool_machine_and_capacity() -> None:
    assert [name for name in bounds(LEADS) if name.startswith("gpu-")] == [
        "gpu-g6-2xlarge-spot",
        "gpu-g6-2xlarge-on-demand",
        "gpu-g5-2xlarge-spot",
        "gpu-g5-2xlarge-on-demand",
    ]


def test_system_pool_has_room_for_karpenter() -> None:
    """If the cluster has Karpenter, the system pool needs a third node."""
    assert (bounds(STILL)["system"][0], bounds(LEADS)["system"][0]) == (2, 3)


def test_the_system_pool_has_no_taint_and_spans_the_zones() -> None:
    small, enterprise = calls_by_name(STILL)["SystemPool system"], calls_by_name(HYBRID)["SystemPool system"]

    assert arguments(small)["tainted"] is False
    assert arguments(small)["min_nodes"] == 2
    assert arguments(enterprise)["min_nodes"] == 3
    assert arguments(enterprise)["capacity"] == "on-demand"


def test_system_pool_grows_with_the_number_of_endpoints() -> None:
    more = "".join(
        f"  score{at}: {{variants: {{only: {{model: churn@champion}}}}, compute: small}}\n" for at in range(20)
    )
    few, many = system_nodes(plan_of(), "main"), system_nodes(plan_of(LEADS + more), "main")

    assert many.least > few.least
    assert many.most > many.least


def test_an_elastic_class_has_no_node_group() -> None:
    assert not [name for name in calls_by_name(LEADS) if name.startswith("NodePool free")]
    assert "Karpenter leads-main" in calls_by_name(LEADS)


def pool(name: str, *changes: tuple[str, str]) -> NodePool:
    return next(
        resource.value
        for resource in plan_of(changed(*changes)).on("main")
        if isinstance(resource.value, NodePool) and resource.name == name
    )


@pytest.mark.parametrize(
    ("disk", "disks"),
    [
        ("", Disks(50, 419)),
        (", disk: 300Gi", Disks(50, 419)),
        (", disk: 500Gi", Disks(550)),  # larger than the 450 GB of the machine
    ],
)
def test_images_and_pod_files_use_local_disks_if_large_enough(disk: str, disks: Disks) -> None:
    hardware = pool("gpu", ("capacity: spot-first}", f"capacity: spot-first{disk}}}")).hardware

    assert disks_of(hardware, hardware.groups[0]) == disks


def test_root_volume_has_room_for_images_and_pod_files() -> None:
    """The root volume fits all Pods' disk requests plus 50 GiB for images, with a minimum of 100 GiB."""
    small = ("  small: {cpu: 1, memory: 2Gi}", "  small: {cpu: 1, memory: 2Gi, disk: 200Gi}")
    choices = [pool("small", *changes).hardware for changes in ((), (small,))]

    assert [disks_of(hardware, hardware.groups[0]) for hardware in choices] == [Disks(100), Disks(250)]


def one_zone(*changes: tuple[str, str]) -> set[str]:
    """Return the compute classes whose nodes are all in one zone."""
    pools = [arguments(call) for name, call in calls_by_name(changed(*changes)).items() if name.startswith("NodePool ")]
    return {each["pool"] for each in pools if each.get("one_zone")}


def test_nodes_of_one_training_share_a_zone() -> None:
    """Nodes share a zone if several workers train together, unless the class also serves models."""
    several = ("inputs: [clicks], compute: gpu,", "inputs: [clicks], compute: gpu, workers: 4,")
    serves = ("    compute: small\n", "    compute: gpu\n")

    assert one_zone() == set()
    assert one_zone(several) == {"gpu"}
    assert one_zone(several, serves) == set()
    assert one_zone(("    compute: free\n", "    compute: gpu\n")) == set()


def test_workers_that_train_together_prefer_one_zone() -> None:
    """Workers that train together prefer a single zone, even if their nodes may span several."""
    several = changed(("inputs: [clicks], compute: gpu,", "inputs: [clicks], compute: gpu, workers: 4,"))
    template = json.loads(emitted_object("ConfigMap", "fit-rayjob", several)["data"]["rayjob.json"])
    (group,) = template["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    (near,) = group["template"]["spec"]["affinity"]["podAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]

    assert near["podAffinityTerm"]["topologyKey"] == "topology.kubernetes.io/zone"
    assert near["podAffinityTerm"]["labelSelector"]["matchLabels"] == {
        "app.kubernetes.io/name": group["template"]["metadata"]["labels"]["app.kubernetes.io/name"],
        "ray.io/group": group["groupName"],
    }
