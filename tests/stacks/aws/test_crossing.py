"""Tests how workloads in a cluster outside AWS get access to AWS buckets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.stacks.aws.programs import KEY, Resources, elsewhere, inputs, needs, policy, registered
from tests.stacks.programs import Refused

RIGHTS = "aws:iam/policy:Policy"
ATTACHMENT = "aws:iam/userPolicyAttachment:UserPolicyAttachment"
ACCESS_KEY = "aws:iam/accessKey:AccessKey"


def crossing(access: str, keys: str = "[1]") -> str:
    return f"""{KEY}
import pulumi
from modelyard_stacks.aws.crossing import Crossing

crossing = Crossing("stores-till", account=account, access={access}, keys={keys})
pulumi.ComponentResource("tiny:Names", "names", {{
    "ids": crossing.access_key_ids,
    "secrets": crossing.secret_access_keys,
    "isSecret": crossing.secret_access_keys["{keys[-2]}"].is_secret(),
}})
"""


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register the access of a workload in a cluster outside AWS to one folder."""
    access = '[{"bucket": "artifacts", "prefix": "bundles/fraud-xgb/", "mode": "read", "key": key.arn}]'
    return registered(tmp_path_factory.mktemp("crossing"), crossing(access))


def test_user_has_exactly_the_named_access(resources: Resources) -> None:
    statements = policy(inputs(resources, RIGHTS, "stores-till-1")["policy"])

    assert {sid: each["Action"] for sid, each in statements.items()} == {
        "ReadObjects": "s3:GetObject",
        "List0": "s3:ListBucket",
        "DecryptObjects": "kms:Decrypt",
    }
    assert statements["List0"]["Condition"] == {"StringLike": {"s3:prefix": "bundles/fraud-xgb/*"}}
    assert not elsewhere(resources)


def test_access_key_is_created_after_the_permissions(resources: Resources) -> None:
    assert f"{ATTACHMENT} stores-till-1" in needs(resources, ACCESS_KEY, "stores-till-1")
    assert inputs(resources, ACCESS_KEY, "stores-till-1") == {"user": "stores-till"}


def test_secret_access_key_is_a_secret_output(resources: Resources) -> None:
    outputs = resources["tiny:Names names"]["inputs"]

    assert outputs["ids"] == {"1": "stores-till-1"}
    assert outputs["isSecret"] is True


def test_user_without_permissions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="stores-till: a user needs at least one permission"):
        registered(tmp_path, crossing("[]"))


def test_key_can_be_rotated(tmp_path: Path) -> None:
    """Adding a second access key for a user leaves the first one unchanged."""
    access = '[{"bucket": "artifacts", "prefix": "bundles/", "mode": "read"}]'
    resources = registered(tmp_path, crossing(access, "[1, 2]"))

    assert {name for name in resources if name.startswith(ACCESS_KEY)} == {
        f"{ACCESS_KEY} stores-till-1",
        f"{ACCESS_KEY} stores-till-2",
    }
    assert resources["tiny:Names names"]["inputs"]["ids"] == {"1": "stores-till-1", "2": "stores-till-2"}


@pytest.mark.parametrize("keys", ["[1, 2, 3]", "[1, 1]"])
def test_too_many_or_equal_keys_are_refused(tmp_path: Path, keys: str) -> None:
    with pytest.raises(Refused, match="a user needs one key or two different keys"):
        registered(tmp_path, crossing('[{"bucket": "artifacts", "prefix": "bundles/", "mode": "read"}]', keys))


def test_many_folders_are_split_into_several_policies(tmp_path: Path) -> None:
    """A user's inline policies may have 2,048 characters in total, whereas each managed policy may have 6,144."""
    long = "a-folder-with-a-name-that-says-what-lies-in-it/and-one-below-it/"
    access = ", ".join(
        f'{{"bucket": "a-bucket-with-a-name-as-long-as-s3-takes-it-63-characters-{at:05}", "prefix": "{long}{at}",'
        ' "mode": "write", "key": key.arn}'
        for at in range(9)
    )
    resources = registered(tmp_path, crossing(f"[{access}]"))
    texts = [str(each["inputs"]["policy"]) for name, each in resources.items() if name.startswith(RIGHTS)]

    assert len(texts) == 3
    assert max(len(text) for text in texts) <= 6144
    assert sum(len(text) for text in texts) > 2048
    assert len([name for name in resources if name.startswith(ATTACHMENT)]) == 3


def test_too_many_folders_are_refused(tmp_path: Path) -> None:
    access = ", ".join(f'{{"bucket": "artifacts", "prefix": "{at}/", "mode": "read"}}' for at in range(41))

    with pytest.raises(Refused, match="a user can use at most 40 folders, not 41"):
        registered(tmp_path, crossing(f"[{access}]"))
