"""Tests that policies are converted to JSON and that statements for all resources need a reason."""

from __future__ import annotations

import pulumi
import pytest

from modelyard_stacks.aws.policies import Statement, document, role_prefix

READ: Statement = {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": "arn:aws:s3:::lake/*"}


def test_statement_for_all_resources_needs_a_reason() -> None:
    with pytest.raises(ValueError, match="Read: the resource \\* needs a reason"):
        document({**READ, "Resource": "*"})
    with pytest.raises(ValueError, match="Read: the resource \\* needs a reason"):
        document({**READ, "Resource": [pulumi.Output.from_input("arn"), "*"]})
    with pytest.raises(ValueError, match="Read: the resource \\* needs a reason"):
        document(everywhere=[({**READ, "Resource": "*"}, "")])


@pytest.mark.parametrize("action", ["*", ["s3:GetObject", "*"]])
def test_policy_allowing_every_action_is_refused(action: str | list[str]) -> None:
    with pytest.raises(ValueError, match="Read: no policy allows every action"):
        document(everywhere=[({**READ, "Action": action}, "a reason")])


def test_deny_statement_may_cover_all_resources() -> None:
    document({**READ, "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*"})


@pytest.mark.parametrize(
    ("name", "prefix"),
    [
        ("fraud-prod-main", "fraud-prod-main-vpc-cni-"),
        ("a-system-with-a-rather-long-name-production-main", "a-system-with-a-rather-long-n-vpc-cni-"),
    ],
)
def test_role_prefix_keeps_the_use_when_the_name_is_truncated(name: str, prefix: str) -> None:
    assert role_prefix(name, "vpc-cni") == prefix
    assert len(prefix) <= 38
