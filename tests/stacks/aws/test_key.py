"""Tests that the KMS key is rotated and protected, and that only a few services may use it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stacks.aws.programs import KEY, Resources, elsewhere, inputs, policy, registered

TYPE = "aws:kms/key:Key"
NAME = "fraud-prod-main"


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a program with a key."""
    return registered(tmp_path_factory.mktemp("key"), KEY)


def test_key_is_rotated_protected_and_deleted_after_30_days(resources: Resources) -> None:
    key = inputs(resources, TYPE, NAME)

    assert key["enableKeyRotation"] is True
    assert key["deletionWindowInDays"] == 30
    assert "bypassPolicyLockoutSafetyCheck" not in key
    assert resources[f"{TYPE} {NAME}"]["protect"] is True
    assert inputs(resources, "aws:kms/alias:Alias", NAME) == {"name": f"alias/{NAME}", "targetKeyId": NAME}
    assert elsewhere(resources) == set()


def test_setting_turns_protection_off(tmp_path: Path) -> None:
    assert registered(tmp_path, KEY, "protect: false")[f"{TYPE} {NAME}"]["protect"] is False


def test_every_service_is_restricted_by_a_condition(resources: Resources) -> None:
    statements = policy(inputs(resources, TYPE, NAME)["policy"])
    root = statements.pop("AccountPolicies")

    assert root["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}
    assert {sid: each["Condition"] for sid, each in statements.items() if not sid.startswith("NodeDisk")} == {
        "LogGroups": {
            "ArnLike": {"kms:EncryptionContext:aws:logs:arn": "arn:aws:logs:eu-central-1:123456789012:log-group:*"}
        },
        "AlarmsToTopics": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
        "EventsToQueues": {
            "StringEquals": {"aws:SourceAccount": "123456789012"},
            "ArnLike": {"aws:SourceArn": "arn:aws:events:eu-central-1:123456789012:rule/*"},
        },
    }


def test_only_the_account_may_administer_the_key(resources: Resources) -> None:
    statements = policy(inputs(resources, TYPE, NAME)["policy"])
    action_lists = [
        each["Action"] for sid, each in statements.items() if sid not in ("AccountPolicies", "NodeDiskGrants")
    ]
    allowed = {action for actions in action_lists for action in actions}

    assert allowed == {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"}


def test_node_starting_roles_are_named_by_conditions(resources: Resources) -> None:
    """Roles that start nodes are named in conditions, because unknown principals would invalidate a policy."""
    statements = policy(inputs(resources, TYPE, NAME)["policy"])

    for sid in ("NodeDisks", "NodeDiskGrants"):
        condition = statements[sid]["Condition"]
        assert statements[sid]["Principal"] == {"AWS": "*"}
        assert condition["StringEquals"] == {"kms:CallerAccount": "123456789012"}
        assert condition["ArnEquals"]["aws:PrincipalArn"] == [
            "arn:aws:iam::123456789012:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling",
            "arn:aws:iam::123456789012:role/aws-service-role/spot.amazonaws.com/AWSServiceRoleForEC2Spot",
        ]
    assert statements["NodeDiskGrants"]["Action"] == "kms:CreateGrant"
    assert statements["NodeDiskGrants"]["Condition"]["Bool"] == {"kms:GrantIsForAWSResource": "true"}


def test_key_without_services_allows_only_the_account(tmp_path: Path) -> None:
    resources = registered(tmp_path, KEY.replace("account=account)", "account=account, services=False)"))

    assert list(policy(inputs(resources, TYPE, NAME)["policy"])) == ["AccountPolicies"]
