"""Fixtures that connect the Pulumi provider to an in-process Azure stand-in."""

from __future__ import annotations

from pathlib import Path

import pytest

from testbed.clouds.azure import kinds
from testbed.clouds.azure.cloud import SUBSCRIPTION, Cloud
from testbed.clouds.azure.lifecycle import AzureLifecycle
from testbed.clouds.azure.provider import AZURE
from tests.testbed.azure.world import REGION, World, a_group

NAMES = (
    *("Compute", "ContainerRegistry", "ContainerService", "DBforPostgreSQL", "Insights", "KeyVault"),
    *("ManagedIdentity", "Network", "OperationalInsights", "Storage"),
)


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    """Return a subscription with all resource providers that the components need."""
    monkeypatch.setattr(kinds, "LONGEST_WRITE_S", 0)
    return Cloud(tmp_path / "cloud", [f"Microsoft.{name}" for name in NAMES])


@pytest.fixture
def world(cloud: Cloud) -> World:
    """Return a `World` with a configured Pulumi provider and a resource group."""
    lifecycle = AzureLifecycle(AZURE, cloud.folder)
    lifecycle.configure({"subscriptionId": SUBSCRIPTION, "location": REGION})
    world = World(lifecycle, ("azure-native:storage:BlobServiceProperties",))
    a_group(world)
    return world
