"""Tests that system pool nodes stay in the zones of the volumes they use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.stacks.aws.clusters import CLUSTER
from tests.stacks.aws.programs import Resources, elsewhere, of, registered

GROUP = "aws:eks/nodeGroup:NodeGroup"


def pool(least: int, most: int) -> str:
    return f"""{CLUSTER}
from modelyard_stacks.aws.system_pool import SystemPool

SystemPool(
    "system",
    cluster=cluster,
    network=network,
    key=key,
    pool="system",
    machines=["m7i.large"],
    capacity="on-demand",
    min_nodes={least},
    max_nodes={most},
    disk_gib=100,
    tainted=False,
)
"""


def groups(resources: Resources) -> dict[str, dict[str, Any]]:
    return {name: dict(each["inputs"]) for name, each in of(resources, GROUP).items()}


@pytest.mark.parametrize(
    ("least", "most", "sizes"),
    [(2, 4, [(1, 3), (1, 3)]), (3, 6, [(1, 4), (1, 4), (1, 4)]), (5, 8, [(2, 5), (2, 5), (1, 4)])],
)
def test_each_zone_has_a_nonempty_node_group(
    tmp_path: Path, least: int, most: int, sizes: list[tuple[int, int]]
) -> None:
    """There is one group per zone, up to `min_nodes` groups, and their minimum sizes add up to `min_nodes`."""
    resources = registered(tmp_path, pool(least, most))
    node_groups = groups(resources)
    scaling = [(each["scalingConfig"]["minSize"], each["scalingConfig"]["maxSize"]) for each in node_groups.values()]

    assert list(node_groups) == [f"system-{at + 1}" for at in range(len(sizes))]
    assert scaling == sizes
    assert [each["subnetIds"] for each in node_groups.values()] == [
        [f"fraud-prod-main-private-{at + 1}"] for at in range(len(sizes))
    ]
    assert {each["labels"]["modelyard.dev/pool"] for each in node_groups.values()} == {"system"}
    assert not elsewhere(resources)
