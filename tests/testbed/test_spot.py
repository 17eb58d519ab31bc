"""Tests which roles can start Spot instances in an account without the Spot service-linked role."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from testbed.clouds.aws.authorization.account import Account
from testbed.clouds.aws.authorization.cloud import guarded_cloud
from testbed.clouds.aws.spot import ROLE, ask_for_spot
from testbed.clouds.shared.refusal import Refused

REGION = "eu-central-1"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}


@pytest.fixture
def account() -> Iterator[Account]:
    """Run an account that has never started an instance."""
    with guarded_cloud(REGION) as (endpoint, _):
        yield Account(endpoint, REGION)


def with_role(account: Account, *statements: Any) -> str:
    """Create an IAM role with the given statements plus permission to request instances."""
    iam = account.client("iam")
    iam.create_role(RoleName="karpenter", AssumeRolePolicyDocument=json.dumps(TRUST))
    machines = {"Effect": "Allow", "Action": "ec2:CreateFleet", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [machines, *statements]})
    iam.put_role_policy(RoleName="karpenter", PolicyName="rights", PolicyDocument=document)
    return "karpenter"


def test_role_that_may_not_create_the_service_linked_role_is_refused(account: Account) -> None:
    role = with_role(account)

    with pytest.raises(Refused, match="ServiceLinkedRoleCreationNotPermitted"):
        ask_for_spot(account, role)


def as_emitted(account: Account) -> dict[str, Any]:
    """Return the statement in Karpenter's role, as also expected by tests/stacks/aws/test_platform.py."""
    return {
        "Effect": "Allow",
        "Action": "iam:CreateServiceLinkedRole",
        "Resource": f"arn:aws:iam::{account.number}:role/aws-service-role/spot.amazonaws.com/{ROLE}",
        "Condition": {"StringEquals": {"iam:AWSServiceName": "spot.amazonaws.com"}},
    }


def test_karpenter_role_can_start_spot_instances_with_and_without_the_service_linked_role(account: Account) -> None:
    """All systems in an account share the service-linked role. Each one reuses it, and none deletes it."""
    role = with_role(account, as_emitted(account))

    for _ in range(2):
        ask_for_spot(account, role)

    roles = account.client("iam").list_roles(PathPrefix="/aws-service-role/")["Roles"]
    assert [each["Path"] for each in roles] == ["/aws-service-role/spot.amazonaws.com/"]
