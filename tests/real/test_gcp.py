"""Tests that Pulumi's engine creates, updates and deletes resources in a simulated Google Cloud on loopback."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.clouds.gcp.cloud import Cloud
from testbed.clouds.shared.orders import Order
from testbed.pulumi.stack import Failed, PulumiStack
from tests.real.engine import changes_of, until_all_else_is_done

PROGRAM = Path(__file__).parent / "programs" / "gcp"
REQUIREMENTS = Path(__file__).parents[1] / "golden/leads-on-google-default/main/infrastructure/requirements.txt"
"""The packages that emitted programs need. All programs share one environment."""

BUCKET = "gcp:storage/bucket:Bucket"
NETWORK = "gcp:compute/network:Network"
SUBNETWORK = "gcp:compute/subnetwork:Subnetwork"
NAME = "small-data-20261127"


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    """Return a Google Cloud project."""
    return Cloud(tmp_path / "cloud", "acme")


@pytest.fixture
def small(cloud: Cloud, tmp_path: Path, pulumi_stack: Callable[..., PulumiStack]) -> PulumiStack:
    """Return a stack of the small program for Google Cloud."""
    folder = tmp_path / "small"
    shutil.copytree(PROGRAM, folder)
    shutil.copyfile(REQUIREMENTS, folder / "requirements.txt")
    return pulumi_stack(folder, "test", **cloud.variables())


def test_life_of_a_small_program(cloud: Cloud, small: PulumiStack) -> None:
    """Pulumi's engine previews, creates, keeps, updates, replaces, repairs and deletes resources."""
    assert set(small.preview().changes.values()) == {"create"}
    assert cloud.left() == {}
    assert set(small.up().changes.values()) == {"create"}
    assert cloud.surprises() == {}
    assert cloud.api.all(BUCKET)[NAME]["labels"] == {"owner": "platform"}

    small.configure("days", "60")
    small.configure("about", "larger")
    changed = changes_of(small.up())
    assert changed.pop("Bucket data") == "update"
    assert {name for name, how in changed.items() if "replace" in how or how in ("create", "delete")} == set(changed)
    assert set(changed) == {"Network network", "Subnetwork subnetwork", "Firewall deny"}
    assert [each["description"] for each in cloud.api.all(NETWORK).values()] == ["larger"]

    _drift(cloud)
    drifted = {"Bucket data": "update", "Firewall deny": "delete", "Subnetwork subnetwork": "update"}
    assert changes_of(small.refresh()) == drifted
    assert changes_of(small.up()) == {**drifted, "Firewall deny": "create"}
    assert small.refresh().changed == {}

    cloud.upload(NAME, "raw/1.parquet")
    with pytest.raises(Failed, match="containing objects without `force_destroy` set to true"):
        small.destroy()
    cloud.empty(NAME)
    small.destroy()
    assert small.resources() == []
    assert set(cloud.left()) == {"KeyRing", "CryptoKey"}  # Google never deletes these


def _drift(cloud: Cloud) -> None:
    """Simulate manual changes in Google Cloud: more flow logs, an edited label and a removed firewall rule."""
    subnetwork, _ = cloud.find(SUBNETWORK, "subnetwork-")
    firewall, _ = cloud.find("gcp:compute/firewall:Firewall", "deny-")
    cloud.edit(SUBNETWORK, subnetwork, logConfig={"flowSampling": 1})
    cloud.edit(BUCKET, NAME, labels={"owner": "somebody"})
    cloud.remove("gcp:compute/firewall:Firewall", firewall)


def test_failures_and_interruptions(cloud: Cloud, small: PulumiStack) -> None:
    """Errors quote Google's message, and runs recover from failures.

    After a failed call or a killed run, the next run leaves exactly one resource.
    """
    small.configure("cidr", "10.0.0.1/20")
    with pytest.raises(Failed, match="is not logical address range"):
        small.up()
    small.configure("cidr", "10.0.0.0/20")

    cloud.orders.give(Order("fail", verb="create", kind=BUCKET, after=True))
    with pytest.raises(Failed, match="a test requested this failure"):
        small.up()
    assert list(cloud.api.all(BUCKET)) == [NAME]

    member = "gcp:storage/bucketIAMMember:BucketIAMMember"
    cloud.orders.give(Order("stall", verb="create", kind=member))
    running = small.start("up")
    until_all_else_is_done(cloud.orders, running)
    running.kill()
    cloud.orders.clear()
    small.unlock()
    assert member in str(small.export()["pending_operations"])

    small.up()
    assert small.up().changed == {}
    assert {kind: len(names) for kind, names in cloud.left().items() if kind in ("CryptoKey", "Bucket", "Network")} == {
        "CryptoKey": 1,
        "Bucket": 1,
        "Network": 1,
    }
