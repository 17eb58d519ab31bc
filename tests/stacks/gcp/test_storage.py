"""Tests that buckets are never public, are encrypted with our key, and have the configured retention."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.stacks.aws.programs import Resources, inputs, needs
from tests.stacks.gcp.programs import KEY, elsewhere, registered

BUCKET = "gcp:storage/bucket:Bucket"
KEY_NAME = "projects/acme-ml/locations/europe-west4/keyRings/fraud-prod-main/cryptoKeys/fraud-prod-main"
UNFINISHED = ("AbortIncompleteMultipartUpload", {"age": 7})


def store(rest: str) -> str:
    return f"""{KEY}
from modelyard_stacks.gcp.storage import ObjectStore

ObjectStore("lake", project=project, key=key, bucket="fraud-lake-1a2b3c", {rest})
"""


@pytest.fixture(scope="module")
def resources(tmp_path_factory: pytest.TempPathFactory) -> Resources:
    """Register a versioned store that keeps objects for ten years."""
    return registered(tmp_path_factory.mktemp("store"), store("versioned=True, retention_days=3650"))


def rules(bucket: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [(each["action"]["type"], each["condition"]) for each in bucket["lifecycleRules"]]


def test_a_bucket_is_protected_and_never_emptied(resources: Resources) -> None:
    assert inputs(resources, BUCKET, "lake")["name"] == "fraud-lake-1a2b3c"
    assert inputs(resources, BUCKET, "lake")["forceDestroy"] is False
    assert resources[f"{BUCKET} lake"]["protect"]
    assert not elsewhere(resources)


def test_setting_turns_protection_off(tmp_path: Path) -> None:
    resources = registered(tmp_path, store("versioned=True"), settings="protect: false")

    assert not resources[f"{BUCKET} lake"]["protect"]


def test_bucket_is_in_the_region_and_encrypted_with_our_key(resources: Resources) -> None:
    bucket = inputs(resources, BUCKET, "lake")

    assert bucket["location"] == "EUROPE-WEST4"
    assert bucket["encryption"] == {"defaultKmsKeyName": KEY_NAME}
    assert "gcp:kms/cryptoKeyIAMMember:CryptoKeyIAMMember fraud-prod-main-storage" in needs(resources, BUCKET, "lake")


def test_access_is_controlled_only_by_iam_and_never_public(resources: Resources) -> None:
    assert inputs(resources, BUCKET, "lake")["uniformBucketLevelAccess"] is True
    assert inputs(resources, BUCKET, "lake")["publicAccessPrevention"] == "enforced"


def test_old_versions_expire_after_a_month_and_objects_after_retention(resources: Resources) -> None:
    assert inputs(resources, BUCKET, "lake")["versioning"] == {"enabled": True}
    assert rules(inputs(resources, BUCKET, "lake")) == [
        UNFINISHED,
        ("Delete", {"daysSinceNoncurrentTime": 30, "withState": "ARCHIVED"}),
        ("Delete", {"age": 3650, "withState": "LIVE"}),
    ]


def test_folder_expiry_does_not_affect_other_folders(tmp_path: Path) -> None:
    """Servers need no permission to delete expired captures, because the bucket does that."""
    program = store('versioned=False, expire={"captures/scorer": 90, "audit": 366}')
    bucket = inputs(registered(tmp_path, program), BUCKET, "lake")

    assert bucket["versioning"] == {"enabled": False}
    assert rules(bucket) == [
        UNFINISHED,
        ("Delete", {"age": 366, "matchesPrefixes": ["audit/"], "withState": "LIVE"}),
        ("Delete", {"age": 90, "matchesPrefixes": ["captures/scorer/"], "withState": "LIVE"}),
    ]


@pytest.mark.parametrize(("mode", "locked"), [("compliance", True), ("governance", False)])
def test_a_lock_applies_to_every_object(mode: str, locked: bool, tmp_path: Path) -> None:
    """Locked objects cannot be overwritten or deleted, so the bucket keeps no earlier versions."""
    program = store(f'versioned=True, lock={{"mode": "{mode}", "days": 2557}}')
    bucket = inputs(registered(tmp_path, program), BUCKET, "lake")

    assert bucket["retentionPolicy"] == {"retentionPeriod": str(2557 * 86400), "isLocked": locked}
    assert bucket["versioning"] == {"enabled": False}
    assert rules(bucket) == [UNFINISHED]


def test_deleted_objects_are_not_kept(resources: Resources) -> None:
    """Deleted objects are not kept because Google would charge for storing them for seven days."""
    assert inputs(resources, BUCKET, "lake")["softDeletePolicy"] == {"retentionDurationSeconds": 0}
