"""The KMS key: rotated, protected, usable only by services that need it and under their conditions."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stacks.aws.programs import KEY, Found, elsewhere, inputs, policy, registered

TYPE = "aws:kms/key:Key"
NAME = "fraud-prod-main"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Register a program with a key."""
    return registered(tmp_path_factory.mktemp("key"), KEY)


def test_the_key_is_rotated_protected_and_slow_to_go(found: Found) -> None:
    given = inputs(found, TYPE, NAME)

    assert given["enableKeyRotation"] is True
    assert given["deletionWindowInDays"] == 30
    assert "bypassPolicyLockoutSafetyCheck" not in given
    assert found[f"{TYPE} {NAME}"]["protect"] is True
    assert inputs(found, "aws:kms/alias:Alias", NAME) == {"name": f"alias/{NAME}", "targetKeyId": NAME}
    assert elsewhere(found) == set()


def test_the_protection_is_a_setting(tmp_path: Path) -> None:
    assert registered(tmp_path, KEY, "protect: false")[f"{TYPE} {NAME}"]["protect"] is False


def test_every_service_has_its_condition(found: Found) -> None:
    statements = policy(inputs(found, TYPE, NAME)["policy"])
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


def test_only_the_account_may_administer_it(found: Found) -> None:
    statements = policy(inputs(found, TYPE, NAME)["policy"])
    given = [each["Action"] for sid, each in statements.items() if sid not in ("AccountPolicies", "NodeDiskGrants")]
    allowed = {action for actions in given for action in actions}

    assert allowed == {"kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"}


def test_whoever_starts_nodes_is_named_by_conditions(found: Found) -> None:
    """A principal that does not exist yet would make the whole policy invalid."""
    statements = policy(inputs(found, TYPE, NAME)["policy"])

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


def test_where_no_service_uses_it_the_account_alone_does(tmp_path: Path) -> None:
    found = registered(tmp_path, KEY.replace("account=account)", "account=account, services=False)"))

    assert list(policy(inputs(found, TYPE, NAME)["policy"])) == ["AccountPolicies"]
