"""Fixtures that run an AWS stand-in for each test and connect a provider to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from testbed.clouds.aws.api import ENDPOINT, FOLDER
from testbed.clouds.aws.cloud import Cloud
from testbed.clouds.aws.cloud import cloud as running_cloud
from testbed.clouds.aws.provider import AWS
from testbed.clouds.shared.lifecycle import Lifecycle
from tests.real.stand_in.world import STAY, World


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """Run a stand-in for AWS."""
    with running_cloud(tmp_path / "cloud") as stand_in:
        yield stand_in


@pytest.fixture
def world(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> World:
    """Return an in-process provider configured to call the AWS stand-in."""
    for name in (ENDPOINT, FOLDER):
        monkeypatch.setenv(name, cloud.variables()[name])
    lifecycle = Lifecycle(AWS, cloud.folder)
    lifecycle.configure({"region": "eu-central-1", "defaultTags": json.dumps({"tags": {"owner": "platform"}})})
    return World(lifecycle, STAY)
