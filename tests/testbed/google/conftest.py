"""Fixtures that connect the Pulumi provider to an in-process Google Cloud stand-in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from testbed.clouds.gcp.cloud import Cloud
from testbed.clouds.gcp.lifecycle import GoogleLifecycle
from testbed.clouds.gcp.provider import GCP
from tests.testbed.google.world import LABELS, REGION, STAY, World


@pytest.fixture
def cloud(tmp_path: Path) -> Cloud:
    """Return a project in which only the services that enable other services are enabled."""
    return Cloud(tmp_path / "cloud", "acme")


@pytest.fixture
def world(cloud: Cloud) -> World:
    """Return a `World` with a configured Pulumi provider."""
    lifecycle = GoogleLifecycle(GCP, cloud.folder)
    lifecycle.configure({"project": "acme", "region": REGION, "defaultLabels": json.dumps(LABELS)})
    return World(lifecycle, STAY)
