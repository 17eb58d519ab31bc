"""Tests that Pulumi's engine creates, updates and deletes resources in a simulated Azure on loopback."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.clouds.azure.cloud import Cloud
from testbed.clouds.shared.orders import Order
from testbed.pulumi.stack import Failed, PulumiStack
from tests.real.engine import changes_of, until_all_else_is_done

PROGRAM = Path(__file__).parent / "programs" / "azure"
REQUIREMENTS = Path(__file__).parents[1] / "golden/leads-on-azure-default/main/infrastructure/requirements.txt"
"""The packages that emitted programs need. All programs share one environment."""

ACCOUNT = "azure-native:storage:StorageAccount"
NETWORK = "azure-native:network:VirtualNetwork"
ASSIGNMENT = "azure-native:authorization:RoleAssignment"
SETTINGS = {"about": "small", "network": "net", "cidr": "10.0.0.0/22", "account": "smalldata20261127"}


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    """Return an Azure subscription with the resource providers that the small program needs."""
    names = ("Network", "KeyVault", "ManagedIdentity", "Storage")
    return Cloud(tmp_path / "cloud", [f"Microsoft.{name}" for name in names])


@pytest.fixture
def small(cloud: Cloud, tmp_path: Path, pulumi_stack: Callable[..., PulumiStack]) -> PulumiStack:
    """Return a stack of the small program."""
    folder = tmp_path / "small"
    shutil.copytree(PROGRAM, folder)
    shutil.copyfile(REQUIREMENTS, folder / "requirements.txt")
    stack = pulumi_stack(folder, "test", **cloud.variables())
    for name, value in SETTINGS.items():
        stack.configure(name, value)
    return stack


def test_life_of_a_small_program(cloud: Cloud, small: PulumiStack) -> None:
    """Pulumi's engine previews, creates, keeps, updates, replaces, repairs and deletes resources."""
    assert set(small.preview().changes.values()) == {"create"}
    assert cloud.left() == {}
    assert set(small.up().changes.values()) == {"create"}
    assert cloud.surprises() == {}

    small.configure("about", "larger")
    small.configure("network", "other")
    changed = changes_of(small.up())
    assert changed.pop("ResourceGroup small") == "update"
    assert {name for name, how in changed.items() if "replace" in how or how in ("create", "delete")} == set(changed)
    assert set(changed) == {"VirtualNetwork net", "Subnet nodes"}
    assert [each["virtualNetworkName"] for each in cloud.api.all(NETWORK).values()] == ["other"]

    _drift(cloud)
    drifted = {"StorageAccount data": "update", "RoleAssignment key": "delete"}
    assert changes_of(small.refresh()) == drifted
    assert changes_of(small.up()) == {**drifted, "RoleAssignment key": "create"}
    assert small.refresh().changed == {}

    small.destroy()
    assert small.resources() == []
    assert cloud.left() == {}
    (vault,) = cloud.api.store.all("deleted vaults")
    assert vault.startswith("small")  # its name stays taken, and a new vault gets another suffix
    assert set(small.up().changes.values()) == {"create"}


def _drift(cloud: Cloud) -> None:
    """Simulate manual changes in Azure by changing an owner tag and removing a role assignment."""
    (account,) = cloud.api.all(ACCOUNT)
    cloud.edit(ACCOUNT, account, tags={"owner": "somebody"})
    (assignment,) = cloud.api.all(ASSIGNMENT)
    cloud.remove(ASSIGNMENT, assignment)


def test_failures_and_interruptions(cloud: Cloud, small: PulumiStack) -> None:
    """Errors quote Azure's message, and runs recover from failures.

    After a failed call or a killed run, the next run leaves exactly one resource.
    """
    cloud.account_of_others(SETTINGS["account"])
    small.configure("cidr", "10.1.0.0/22")
    with pytest.raises(Failed, match="its IP address range is outside the IP address range of virtual network 'net'"):
        small.up()
    small.configure("cidr", SETTINGS["cidr"])
    with pytest.raises(Failed, match='Status=409 Code="StorageAccountAlreadyTaken" Message="The storage account named'):
        small.up()
    small.configure("account", "smalldata20261128")

    cloud.orders.give(Order("fail", verb="create", kind=ACCOUNT, after=True))
    with pytest.raises(Failed, match="a test requested this failure"):
        small.up()
    assert len(cloud.api.all(ACCOUNT)) == 1

    cloud.orders.give(Order("stall", verb="create", kind="azure-native:storage:BlobContainer"))
    running = small.start("up")
    until_all_else_is_done(cloud.orders, running)
    running.kill()
    cloud.orders.clear()
    small.unlock()
    assert "BlobContainer" in str(small.export()["pending_operations"])

    small.up()
    assert small.up().changed == {}
    assert {
        kind: len(each) for kind, each in cloud.left().items() if kind in ("Vault", "StorageAccount", "Subnet")
    } == {
        "Vault": 1,
        "StorageAccount": 1,
        "Subnet": 1,
    }
