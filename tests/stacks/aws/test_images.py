"""Tests that image repositories are immutable, scanned, and encrypted with our key."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.stacks.aws.programs import KEY, Resources, elsewhere, inputs, of, registered

REPOSITORY = "aws:ecr/repository:Repository"
PROGRAM = f"""{KEY}
import pulumi
from modelyard_stacks.aws.images import ImageRegistry

images = ImageRegistry("images", account=account, key=key, repositories=["fraud/runtime", "fraud/mlflow"])
pulumi.ComponentResource("tiny:Names", "names", {{"host": images.host}})
"""


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register two repositories."""
    return registered(tmp_path_factory.mktemp("images"), PROGRAM)


def test_tags_are_immutable_and_images_are_scanned(resources: Resources) -> None:
    assert set(of(resources, REPOSITORY)) == {"fraud/runtime", "fraud/mlflow"}
    assert inputs(resources, REPOSITORY, "fraud/runtime") == {
        "name": "fraud/runtime",
        "imageTagMutability": "IMMUTABLE",
        "imageScanningConfiguration": {"scanOnPush": True},
        "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": "arn:aws:kms:::Key/fraud-prod-main"}],
        "forceDelete": False,
    }
    assert not elsewhere(resources)


def test_untagged_images_expire(resources: Resources) -> None:
    lifecycle = inputs(resources, "aws:ecr/lifecyclePolicy:LifecyclePolicy", "fraud/runtime")
    (rule,) = json.loads(lifecycle["policy"])["rules"]

    assert rule["selection"] == {
        "tagStatus": "untagged",
        "countType": "sinceImagePushed",
        "countUnit": "days",
        "countNumber": 14,
    }
    assert rule["action"] == {"type": "expire"}


def test_registry_host_contains_the_account_and_region(resources: Resources) -> None:
    assert resources["tiny:Names names"]["inputs"]["host"] == "123456789012.dkr.ecr.eu-central-1.amazonaws.com"


def test_repository_with_images_is_deleted_only_without_protection(tmp_path: Path) -> None:
    resources = registered(tmp_path, PROGRAM, settings="protect: false")

    assert inputs(resources, REPOSITORY, "fraud/runtime")["forceDelete"] is True
    assert not resources[f"{REPOSITORY} fraud/runtime"]["protect"]
