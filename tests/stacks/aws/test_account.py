"""Tests that the AWS provider has a region, default tags, and a pinned account."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.stacks.aws.programs import ACCOUNT, inputs, registered

PROVIDER = "pulumi:providers:aws"
NAMES = """
import pulumi

pulumi.ComponentResource("tiny:Names", "names", {
    "arn": account.arn("logs", "log-group:*"),
    "global": account.arn("iam", "root", regional=False),
    "managed": account.managed_policy("AmazonEKSClusterPolicy"),
})
"""


def test_provider_sets_region_and_default_tags(tmp_path: Path) -> None:
    provider = inputs(registered(tmp_path, ACCOUNT), PROVIDER, "aws")

    assert provider["region"] == "eu-central-1"
    assert json.loads(provider["defaultTags"]) == {"tags": {"modelyard:system": "fraud"}}
    assert "allowedAccountIds" not in provider


def test_only_the_pinned_account_is_allowed(tmp_path: Path) -> None:
    program = ACCOUNT.replace("tags=", 'account_id="210987654321", tags=')

    provider = inputs(registered(tmp_path, program + NAMES), PROVIDER, "aws")

    assert json.loads(provider["allowedAccountIds"]) == ["210987654321"]


@pytest.mark.parametrize(
    ("region", "partition"),
    [("eu-central-1", "aws"), ("cn-north-1", "aws-cn"), ("us-gov-west-1", "aws-us-gov")],
)
def test_arns_use_the_partition_of_the_region(region: str, partition: str, tmp_path: Path) -> None:
    resources = registered(tmp_path, ACCOUNT.replace("eu-central-1", region) + NAMES)

    assert resources["tiny:Names names"]["inputs"] == {
        "arn": f"arn:{partition}:logs:{region}:123456789012:log-group:*",
        "global": f"arn:{partition}:iam::123456789012:root",
        "managed": f"arn:{partition}:iam::aws:policy/AmazonEKSClusterPolicy",
    }
