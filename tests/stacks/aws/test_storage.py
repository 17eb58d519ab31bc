"""Buckets: not public, encrypted with our key, and with the configured retention."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.stacks.aws.programs import KEY, Found, elsewhere, inputs, needs, of, policy, registered

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
def found(tmp_path_factory: pytest.TempPathFactory) -> Found:
    """Register a versioned store that keeps objects for ten years."""
    return registered(tmp_path_factory.mktemp("store"), store("versioned=True, retention_days=3650"))


def rules(found: Found) -> dict[str, dict[str, Any]]:
    return {each["id"]: each for each in inputs(found, LIFECYCLE, "lake")["rules"]}


def test_a_bucket_is_protected_and_never_emptied(found: Found) -> None:
    assert inputs(found, BUCKET, "lake") == {"bucket": "fraud-lake-1a2b3c", "forceDestroy": False}
    assert found[f"{BUCKET} lake"]["protect"]
    assert not elsewhere(found)


def test_protection_ends_with_a_setting(tmp_path: Path) -> None:
    found = registered(tmp_path, store("versioned=True, retention_days=None"), settings="protect: false")

    assert not found[f"{BUCKET} lake"]["protect"]


def test_objects_are_encrypted_with_our_key_and_with_no_callers(found: Found) -> None:
    name = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"

    assert inputs(found, name, "lake")["rules"] == [
        {
            "applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": KEY_ARN},
            "bucketKeyEnabled": True,
            "blockedEncryptionTypes": ["SSE-C"],
        }
    ]


def test_nothing_in_it_is_public(found: Found) -> None:
    block = inputs(found, "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock", "lake")
    owned = inputs(found, "aws:s3/bucketOwnershipControls:BucketOwnershipControls", "lake")

    assert {key for key, value in block.items() if value is True} == {
        "blockPublicAcls",
        "blockPublicPolicy",
        "ignorePublicAcls",
        "restrictPublicBuckets",
    }
    assert owned["rule"] == {"objectOwnership": "BucketOwnerEnforced"}


def test_the_policy_only_denies(found: Found) -> None:
    statements = policy(inputs(found, "aws:s3/bucketPolicy:BucketPolicy", "lake")["policy"])

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


def test_changes_of_access_follow_each_other(found: Found) -> None:
    block = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock lake"
    owned = "aws:s3/bucketOwnershipControls:BucketOwnershipControls lake"

    assert block in needs(found, "aws:s3/bucketOwnershipControls:BucketOwnershipControls", "lake")
    assert {block, owned} <= needs(found, "aws:s3/bucketPolicy:BucketPolicy", "lake")


def test_earlier_versions_go_after_a_month_and_objects_after_their_retention(found: Found) -> None:
    assert inputs(found, VERSIONING, "lake")["versioningConfiguration"] == {"status": "Enabled"}
    assert f"{VERSIONING} lake" in needs(found, LIFECYCLE, "lake")
    assert set(rules(found)) == {"unfinished-uploads", "earlier-versions", "retention"}
    assert rules(found)["unfinished-uploads"]["abortIncompleteMultipartUpload"] == {"daysAfterInitiation": 7}
    assert rules(found)["earlier-versions"]["noncurrentVersionExpiration"] == {"noncurrentDays": 30}
    assert rules(found)["retention"]["expiration"] == {"days": 3650}
    assert {each["status"] for each in rules(found).values()} == {"Enabled"}
    assert all(each["filter"] == {"prefix": ""} for each in rules(found).values())


def test_without_retention_nothing_expires_but_markers_of_nothing(tmp_path: Path) -> None:
    found = rules(registered(tmp_path, store("versioned=True, retention_days=None")))

    assert set(found) == {"unfinished-uploads", "earlier-versions", "markers-of-nothing"}
    assert found["markers-of-nothing"]["expiration"] == {"expiredObjectDeleteMarker": True}


def test_captures_expire_below_their_folder_alone(tmp_path: Path) -> None:
    """The bucket deletes them, so no server needs permission to."""
    found = rules(registered(tmp_path, store('versioned=True, expire={"captures/scorer": 90, "audit": 366}')))

    expiring = {each["filter"]["prefix"]: each["expiration"] for each in found.values() if "expiration" in each}
    assert expiring == {
        "": {"expiredObjectDeleteMarker": True},
        "audit/": {"days": 366},
        "captures/scorer/": {"days": 90},
    }


def test_a_lock_holds_for_every_version_written_after_it(tmp_path: Path) -> None:
    """S3 requires a versioned bucket, and can enable Object Lock on an existing bucket without replacing it."""
    found = registered(tmp_path, store('versioned=True, lock={"mode": "compliance", "days": 2557}'))

    assert inputs(found, LOCK, "lake") == {
        "bucket": "fraud-lake-1a2b3c",
        "objectLockEnabled": "Enabled",
        "rule": {"defaultRetention": {"mode": "COMPLIANCE", "days": 2557}},
    }
    assert f"{VERSIONING} lake" in needs(found, LOCK, "lake")
    assert "objectLockEnabled" not in inputs(found, BUCKET, "lake")


def test_without_versions_none_is_kept(tmp_path: Path) -> None:
    found = registered(tmp_path, store("versioned=False, retention_days=30"))

    assert not of(found, VERSIONING)
    assert set(rules(found)) == {"unfinished-uploads", "retention"}
