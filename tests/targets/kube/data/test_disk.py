"""Tests that edge Pods share a volume for files that survive a restart, if all of them can."""

from __future__ import annotations

from typing import Any

import pytest

from tests.hybrid import described, hybrid, hybrid_lowered
from tests.lowering import Lowered

ONE_MACHINE = ("count: 2, cpu", "count: 1, cpu")
TWO_REPLICAS = ("replicas: 1", "replicas: 2")
BLUE_GREEN = ("strategy: in-place", "strategy: blue-green")


def server(objects: Lowered) -> tuple[list[Any], list[Any]]:
    """Return the names of the volumes of the server's head and workers."""
    spec = objects.get("RayService", "till")["spec"]["rayClusterConfig"]
    (group,) = spec["workerGroupSpecs"]
    pods = spec["headGroupSpec"]["template"]["spec"], group["template"]["spec"]
    head, worker = ([volume["name"] for volume in pod["volumes"]] for pod in pods)
    return head, worker


def test_workers_have_the_volume_and_the_head_does_not() -> None:
    manifests = hybrid_lowered()
    claim = manifests.get("PersistentVolumeClaim", "till-disk")
    head, worker = server(manifests)

    assert claim["spec"]["storageClassName"] == "local-path"
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]
    assert "disk" in worker
    assert "disk" not in head
    application = described(manifests, "till")["applications"]["till-live"]
    assert application["model"]["bundle"]["cache"] == "/var/lib/modelyard/bundles/till-theft/champion"
    assert application["capture"]["spool"]["folder"] == "/var/lib/modelyard/captures/till-live"
    assert manifests.names("PersistentVolumeClaim") == ["nightly-disk", "till-disk", "monitor-drift-disk"]


@pytest.mark.parametrize(
    ("changes", "shared"),
    [
        ((TWO_REPLICAS,), False),
        ((BLUE_GREEN,), False),
        ((TWO_REPLICAS, ONE_MACHINE), True),
        ((BLUE_GREEN, ONE_MACHINE), True),
    ],
)
def test_volume_needs_a_single_machine_or_pod(changes: tuple[tuple[str, str], ...], shared: bool) -> None:
    """Pods that may run on different machines don't share a volume and use their ephemeral disks instead."""
    manifests = hybrid_lowered(hybrid(*changes))

    assert manifests.has("PersistentVolumeClaim", "till-disk") is shared
    cache = described(manifests, "till")["applications"]["till-live"]["model"]["bundle"]["cache"]
    assert cache.startswith("/var/lib/modelyard/" if shared else "/tmp/modelyard/")


def test_no_volume_without_edge() -> None:
    """Without `edge`, there is no volume. Bundles go to the Pod's scratch disk, and captures aren't spooled."""
    manifests = hybrid_lowered(hybrid(("      edge: true\n", ""), ("      storageClass: local-path\n", "")))
    application = described(manifests, "till")["applications"]["till-live"]

    assert manifests.names("PersistentVolumeClaim") == []
    assert "spool" not in application["capture"]
    assert application["model"]["bundle"]["cache"].startswith("/tmp/modelyard/")


def test_pool_members_divide_the_spool_limit() -> None:
    """Replicas and pool members share the spool limit so that their spools can't fill a Pod's disk."""
    small = hybrid(TWO_REPLICAS, ("memory: 8Gi}\n    replicas", "memory: 8Gi, disk: 4Gi}\n    replicas"))
    pool = hybrid(("    replicas: 1\n", "    replicas: 1\n    pool: all\n"))
    second = pool.replace("monitors:\n  drift", POOL_MEMBER + "monitors:\n  drift")

    spool = described(hybrid_lowered(small), "till")["applications"]["till-live"]["capture"]["spool"]
    assert spool["maxBytes"] == 2**30
    spools = [
        entry["capture"]["spool"] for entry in described(hybrid_lowered(second), "pool-all")["applications"].values()
    ]
    assert [entry["maxBytes"] for entry in spools] == [2**30, 2**30]
    assert len({entry["folder"] for entry in spools}) == 2


POOL_MEMBER = """\
  exit:
    variants: {live: {model: theft@champion}}
    compute: {cpu: 2, memory: 8Gi}
    replicas: 1
    pool: all
    rollout: {strategy: in-place}
    capture: {sample: 10%, store: lake}
"""
