"""Tests that a workload identity has its role's permissions, and that only certain Pods can assume the role."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.stacks.aws.clusters import CLUSTER
from tests.stacks.aws.programs import Resources, elsewhere, inputs, needs, of, policy, registered
from tests.stacks.programs import Refused

ROLE = "aws:iam/role:Role"
RIGHTS = "aws:iam/rolePolicy:RolePolicy"
ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
KEY_ARN = "arn:aws:kms:::Key/fraud-prod-main"


def identity(rest: str, name: str = "retrain") -> str:
    return f"""{CLUSTER}
from modelyard_stacks.aws.identity import Identity

Identity("{name}", cluster=cluster, key=key, namespace="fraud", service_account="retrain", {rest})
"""


PROGRAM = identity(
    """access=[
    {"bucket": "lake", "prefix": "transactions/", "mode": "read", "key": key.arn},
    {"bucket": "lake", "prefix": "scores", "mode": "write", "key": key.arn},
    {"bucket": "adopted", "prefix": "", "mode": "read"},
    {"bucket": "audit", "prefix": "captures", "mode": "append", "key": key.arn},
], secrets=["fraud/pagerduty"]"""
)


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a workload with folders to read and write, a bucket without its own key, and a secret."""
    return registered(tmp_path_factory.mktemp("identity"), PROGRAM)


@pytest.fixture(scope="module")
def rights(resources: Resources) -> dict[str, dict[str, Any]]:
    """Return the statements of the workload's role, keyed by Sid."""
    return policy(inputs(resources, RIGHTS, "retrain")["policy"])


def test_only_pods_of_the_service_account_can_assume_the_role(resources: Resources) -> None:
    statements = policy(inputs(resources, ROLE, "retrain")["assumeRolePolicy"])

    assert statements == {
        "Pods": {
            "Sid": "Pods",
            "Effect": "Allow",
            "Principal": {"Service": "pods.eks.amazonaws.com"},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {
                "StringEquals": {
                    "aws:RequestTag/eks-cluster-arn": "arn:aws:eks:::Cluster/fraud-prod-main",
                    "aws:RequestTag/kubernetes-namespace": "fraud",
                    "aws:RequestTag/kubernetes-service-account": "retrain",
                }
            },
        }
    }
    assert inputs(resources, ASSOCIATION, "retrain") == {
        "clusterName": "fraud-prod-main",
        "namespace": "fraud",
        "serviceAccount": "retrain",
        "roleArn": "arn:aws:iam:::Role/retrain",
    }
    assert not elsewhere(resources)


def test_role_is_associated_after_its_policy_is_attached(resources: Resources) -> None:
    assert f"{RIGHTS} retrain" in needs(resources, ASSOCIATION, "retrain")


def test_objects_are_readable_only_below_named_prefixes(rights: dict[str, dict[str, Any]]) -> None:
    assert rights["ReadObjects"]["Action"] == "s3:GetObject"
    assert rights["ReadObjects"]["Resource"] == [
        "arn:aws:s3:::lake/transactions/*",
        "arn:aws:s3:::lake/scores",
        "arn:aws:s3:::lake/scores/*",
        "arn:aws:s3:::adopted/*",
    ]


def test_objects_are_writable_only_below_named_prefixes(rights: dict[str, dict[str, Any]]) -> None:
    assert rights["WriteObjects"]["Action"] == ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"]
    assert rights["WriteObjects"]["Resource"] == ["arn:aws:s3:::lake/scores", "arn:aws:s3:::lake/scores/*"]


def test_append_access_cannot_read_list_or_delete(rights: dict[str, dict[str, Any]]) -> None:
    """Multipart uploads decrypt their parts, so the workload may use the key to both encrypt and decrypt."""
    naming = [sid for sid, each in rights.items() if any("audit" in arn for arn in each["Resource"])]

    assert naming == ["AddObjects"]
    assert rights["AddObjects"]["Action"] == ["s3:AbortMultipartUpload", "s3:PutObject"]
    assert rights["AddObjects"]["Resource"] == ["arn:aws:s3:::audit/captures", "arn:aws:s3:::audit/captures/*"]


def test_listing_is_limited_to_named_folders(rights: dict[str, dict[str, Any]]) -> None:
    assert rights["List0"]["Condition"] == {"StringLike": {"s3:prefix": ["transactions/*", "scores/*"]}}
    assert "Condition" not in rights["List1"]
    assert [rights[f"List{n}"]["Resource"] for n in range(2)] == ["arn:aws:s3:::lake", "arn:aws:s3:::adopted"]


def test_key_is_usable_only_through_s3_for_these_objects(rights: dict[str, dict[str, Any]]) -> None:
    via = {"kms:ViaService": "s3.eu-central-1.amazonaws.com"}

    assert rights["DecryptObjects"]["Action"] == "kms:Decrypt"
    assert rights["DecryptObjects"]["Resource"] == [KEY_ARN]
    assert rights["DecryptObjects"]["Condition"]["StringEquals"] == via
    assert rights["DecryptObjects"]["Condition"]["StringLike"] == {
        "kms:EncryptionContext:aws:s3:arn": [
            "arn:aws:s3:::lake",
            "arn:aws:s3:::lake/*",
            "arn:aws:s3:::audit",
            "arn:aws:s3:::audit/*",
        ]
    }
    assert rights["EncryptObjects"]["Action"] == "kms:GenerateDataKey"
    assert rights["EncryptObjects"]["Condition"]["StringEquals"] == via


def test_only_named_secrets_are_readable(rights: dict[str, dict[str, Any]]) -> None:
    arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:fraud/pagerduty-??????"

    assert rights["ReadSecrets"]["Action"] == "secretsmanager:GetSecretValue"
    assert rights["ReadSecrets"]["Resource"] == [arn]
    assert rights["DecryptSecrets"]["Resource"] == KEY_ARN
    assert rights["DecryptSecrets"]["Condition"] == {
        "StringEquals": {"kms:ViaService": "secretsmanager.eu-central-1.amazonaws.com"},
        "StringLike": {"kms:EncryptionContext:SecretARN": [arn]},
    }


def test_no_permission_covers_all_resources(rights: dict[str, dict[str, Any]]) -> None:
    assert {each["Effect"] for each in rights.values()} == {"Allow"}
    assert not [sid for sid, each in rights.items() if each["Resource"] == "*" or "*" in each["Resource"]]
    assert not [sid for sid, each in rights.items() if "*" in str(each["Action"])]


def test_read_access_cannot_write_or_encrypt(tmp_path: Path) -> None:
    reader = identity('access=[{"bucket": "lake", "prefix": "a/", "mode": "read", "key": key.arn}]')

    statements = policy(inputs(registered(tmp_path, reader), RIGHTS, "retrain")["policy"])

    assert set(statements) == {"ReadObjects", "List0", "DecryptObjects"}


def test_role_is_named_after_cluster_and_workload(resources: Resources, tmp_path: Path) -> None:
    long = identity('secrets=["a"]', name="nightly-scores-of-all-merchants-in-europe")

    assert inputs(resources, ROLE, "retrain")["namePrefix"] == "fraud-prod-main-retrain-"
    assert inputs(resources, ROLE, "retrain")["tags"]["modelyard:workload"] == "retrain"
    (other,) = (name for name in of(registered(tmp_path, long), ROLE) if name.startswith("nightly"))
    assert other == "nightly-scores-of-all-merchants-in-europe"


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("", "retrain: a role needs at least one permission"),
        ('access=[{"bucket": "lake", "prefix": "a*", "mode": "read"}]', "a\\*: a policy would read this as a pattern"),
        ('secrets=["${aws:username}"]', "a policy would read this as a pattern"),
    ],
)
def test_patterns_and_empty_roles_are_refused(rest: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(Refused, match=message):
        registered(tmp_path, identity(rest))


def test_key_is_usable_through_s3_in_the_region_of_the_bucket(tmp_path: Path) -> None:
    """S3 calls KMS in the bucket's region, so both regions are allowed if buckets are in two."""
    theirs = '{"bucket": "far", "prefix": "", "mode": "read", '
    theirs += '"key": "arn:aws:kms:eu-west-1:1:key/2", "region": "eu-west-1"}'
    ours = '{"bucket": "lake", "prefix": "", "mode": "read", "key": key.arn}'

    def via(access: str, name: str) -> Any:
        statements = policy(
            inputs(registered(tmp_path / name, identity(f"access=[{access}]")), RIGHTS, "retrain")["policy"]
        )
        return statements["DecryptObjects"]["Condition"]["StringEquals"]["kms:ViaService"]

    assert via(theirs, "one") == "s3.eu-west-1.amazonaws.com"
    assert via(f"{ours}, {theirs}", "both") == ["s3.eu-central-1.amazonaws.com", "s3.eu-west-1.amazonaws.com"]
