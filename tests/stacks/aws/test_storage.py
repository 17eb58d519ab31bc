"""Tests that buckets are private, encrypted with our key, and have the configured retention."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.stacks.aws.programs import KEY, Resources, elsewhere, inputs, needs, of, policy, registered

BUCKET = "aws:s3/bucket:Bucket"
VERSIONING = "aws:s3/bucketVersioning:BucketVersioning"
LOCK = "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration"
LIFECYCLE = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
KEY_ARN = "arn:aws:kms:::Key/fraud-prod-main"
ARN = "arn:aws:s3:::fraud-lake-1a2b3c"


def store(rest: str) -> str:
    return f"""{KEY}
from modelyard_stacks.aws.storage import ObjectStore

ObjectStore("lake", account=account, key=key, bucket="fraud-lake-1a2b3c", {rest})
"""


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a versioned store that keeps objects for ten years."""
    return registered(tmp_path_factory.mktemp("store"), store("versioned=True, retention_days=3650"))


def rules(resources: Resources) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in inputs(resources, LIFECYCLE, "lake")["rules"]}


def test_bucket_is_protected_and_never_emptied(resources: Resources) -> None:
    assert inputs(resources, BUCKET, "lake") == {"bucket": "fraud-lake-1a2b3c", "forceDestroy": False}
    assert resources[f"{BUCKET} lake"]["protect"]
    assert not elsewhere(resources)


def test_setting_turns_protection_off(tmp_path: Path) -> None:
    resources = registered(tmp_path, store("versioned=True, retention_days=None"), settings="protect: false")

    assert not resources[f"{BUCKET} lake"]["protect"]


def test_objects_are_encrypted_with_our_key_only(resources: Resources) -> None:
    name = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"

    assert inputs(resources, name, "lake")["rules"] == [
        {
            "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY_ARN},
            "bucketKeyEnabled": True,
            "blockedEncryptionTypes": ["SSE-C"],
        }
    ]


def test_bucket_blocks_public_access(resources: Resources) -> None:
    block = inputs(resources, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "lake")
    owned = inputs(resources, "aws:s3/bucketOwnershipControls:BucketOwnershipControls", "lake")

    assert {key for key, value in block.items() if value is True} == {
        "blockPublicAcls",
        "blockPublicPolicy",
        "ignorePublicAcls",
        "restrictPublicBuckets",
    }
    assert owned["rule"] == {"objectOwnership": "BucketOwnerEnforced"}


def test_bucket_policy_only_denies(resources: Resources) -> None:
    statements = policy(inputs(resources, "aws:s3/bucketPolicy:BucketPolicy", "lake")["policy"])

    assert {each["Effect"] for each in statements.values()} == {"Deny"}
    assert statements["TlsOnly"]["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statements["TlsOnly"]["Resource"] == [ARN, f"{ARN}/*"]
    assert statements["ThisAccountOnly"]["Condition"] == {
        "StringNotEquals": {"aws:PrincipalAccount": "123456789012"},
        "Bool": {"aws:PrincipalIsAWSService": "false"},
    }
    assert statements["OurKeyOnly"]["Action"] == "s3:PutObject"
    assert statements["OurKeyOnly"]["Condition"] == {
        "Null": {"s3:x-amz-server-side-encryption": "false"},
        "StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": KEY_ARN},
    }


def test_access_settings_are_applied_in_sequence(resources: Resources) -> None:
    block = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock lake"
    owned = "aws:s3/bucketOwnershipControls:BucketOwnershipControls lake"

    assert block in needs(resources, "aws:s3/bucketOwnershipControls:BucketOwnershipControls", "lake")
    assert {block, owned} <= needs(resources, "aws:s3/bucketPolicy:BucketPolicy", "lake")


def test_old_versions_expire_after_a_month_and_objects_after_retention(resources: Resources) -> None:
    assert inputs(resources, VERSIONING, "lake")["versioningConfiguration"] == {"status": "Enabled"}
    assert f"{VERSIONING} lake" in needs(resources, LIFECYCLE, "lake")
    assert set(rules(resources)) == {"unfinished-uploads", "earlier-versions", "retention"}
    assert rules(resources)["unfinished-uploads"]["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    assert rules(resources)["earlier-versions"]["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert rules(resources)["retention"]["expiration"] == {"days": 3650}
    assert {each["status"] for each in rules(resources).values()} == {"Enabled"}
    assert all(each["filter"] == {"prefix": ""} for each in rules(resources).values())


def test_without_retention_only_delete_markers_expire(tmp_path: Path) -> None:
    lifecycle_rules = rules(registered(tmp_path, store("versioned=True, retention_days=None")))

    assert set(lifecycle_rules) == {"unfinished-uploads", "earlier-versions", "markers-of-nothing"}
    assert lifecycle_rules["markers-of-nothing"]["expiration"] == {"expiredObjectDeleteMarker": True}


def test_folder_expiry_does_not_affect_other_folders(tmp_path: Path) -> None:
    """Servers need no permission to delete captures, because lifecycle rules do that."""
    lifecycle_rules = rules(registered(tmp_path, store('versioned=True, expire={"captures/scorer": 90, "audit": 366}')))

    expiring = {
        each["filter"]["prefix"]: each["expiration"] for each in lifecycle_rules.values() if "expiration" in each
    }
    assert expiring == {
        "": {"expiredObjectDeleteMarker": True},
        "audit/": {"days": 366},
        "captures/scorer/": {"days": 90},
    }


def test_lock_retains_every_new_version(tmp_path: Path) -> None:
    """Object Lock requires versioning, and can be enabled on an existing bucket without replacing it."""
    resources = registered(tmp_path, store('versioned=True, lock={"mode": "compliance", "days": 2557}'))

    assert inputs(resources, LOCK, "lake") == {
        "bucket": "fraud-lake-1a2b3c",
        "objectLockEnabled": "Enabled",
        "rule": {"defaultRetention": {"mode": "COMPLIANCE", "days": 2557}},
    }
    assert f"{VERSIONING} lake" in needs(resources, LOCK, "lake")
    assert "objectLockEnabled" not in inputs(resources, BUCKET, "lake")


def test_unversioned_bucket_has_no_version_rules(tmp_path: Path) -> None:
    resources = registered(tmp_path, store("versioned=False, retention_days=30"))

    assert not of(resources, VERSIONING)
    assert set(rules(resources)) == {"unfinished-uploads", "retention"}
