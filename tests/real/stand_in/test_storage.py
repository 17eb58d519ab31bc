"""Tests S3 buckets, KMS keys, ECR repositories and secrets."""

from __future__ import annotations

import json

import pytest

from testbed.clouds.aws.cloud import Cloud
from testbed.clouds.shared.refusal import Refused
from tests.real.stand_in.world import World, a_key, all_ends, policy_of


def test_buckets_and_keys(world: World, cloud: Cloud) -> None:
    """A bucket and all its settings can be created. Each setting is a separate resource."""
    key = a_key(world)
    world.make("alias", "aws:kms/alias:Alias", name="alias/x", targetKeyId=key["keyId"])
    bucket = world.make("lake", "aws:s3/bucket:Bucket", forceDestroy=False, tags={"workload": "lake"})["bucket"]
    world.make(
        "versioning",
        "aws:s3/bucketVersioning:BucketVersioning",
        bucket=bucket,
        versioningConfiguration={"status": "Enabled"},
    )
    retention = {"mode": "COMPLIANCE", "days": 2557}
    world.make(
        "lock",
        "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration",
        bucket=bucket,
        objectLockEnabled="Enabled",
        rule={"defaultRetention": retention},
    )
    encryption = {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key["arn"]}}
    world.make(
        "encryption",
        "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
        bucket=bucket,
        rules=[{**encryption, "bucketKeyEnabled": True}],
    )
    blocks = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    world.make(
        "block",
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        bucket=bucket,
        **dict.fromkeys(blocks, True),
    )
    world.make(
        "owner",
        "aws:s3/bucketOwnershipControls:BucketOwnershipControls",
        bucket=bucket,
        rule={"objectOwnership": "BucketOwnerEnforced"},
    )
    rules = [
        {"id": "parts", "status": "Enabled", "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7}},
        {"id": "old", "status": "Enabled", "noncurrentVersionExpiration": {"noncurrentDays": 30}},
        {"id": "raw", "status": "Enabled", "filter": {"prefix": "raw/"}, "expiration": {"days": 365}},
    ]
    world.make(
        "lifecycle", "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration", bucket=bucket, rules=rules
    )
    world.make(
        "policy",
        "aws:s3/bucketPolicy:BucketPolicy",
        bucket=bucket,
        policy=policy_of("s3:GetObject", resource=f"arn:aws:s3:::{bucket}/*", Principal="*"),
    )

    assert world.change("lifecycle", rules=rules[:2])[0] == ["rules"]
    assert world.change("lock", rule={"defaultRetention": {**retention, "days": 2558}})[0] == ["rule"]
    assert world.change("key", description="two", enableKeyRotation=False)[0] == ["description", "enableKeyRotation"]
    assert world.change("lake", tags={"workload": "sea"})[0] == ["tags", "tagsAll"]
    assert world.replaced_by("lake", bucket="other") == ["bucket"]
    with pytest.raises(Refused, match="does not match"):
        world.make("wrong", "aws:s3/bucket:Bucket", bucket="Capital_Letters")
    alone = policy_of("kms:Decrypt", Principal={"AWS": "arn:aws:iam::123456789012:role/x"})
    with pytest.raises(Refused, match="not allow you to update the key policy"):
        world.make("locked", "aws:kms/key:Key", policy=alone)
    all_ends(world, cloud)


def test_images_and_secrets(world: World, cloud: Cloud) -> None:
    """Image repositories can have lifecycle policies, and secrets can have values."""
    key = a_key(world)
    world.make(
        "images",
        "aws:ecr/repository:Repository",
        name="fraud/runtime",
        imageTagMutability="IMMUTABLE",
        imageScanningConfiguration={"scanOnPush": True},
        encryptionConfigurations=[{"encryptionType": "KMS", "kmsKey": key["arn"]}],
        forceDelete=False,
    )
    rule = {
        "rulePriority": 1,
        "selection": {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 14},
        "action": {"type": "expire"},
    }
    policy = json.dumps({"rules": [rule]})
    world.make("old", "aws:ecr/lifecyclePolicy:LifecyclePolicy", repository="fraud/runtime", policy=policy)
    secret = world.make("secret", "aws:secretsmanager/secret:Secret", kmsKeyId=key["arn"], recoveryWindowInDays=7)
    world.make("value", "aws:secretsmanager/secretVersion:SecretVersion", secretId=secret["id"], secretString="hidden")

    assert world.change("images", imageTagMutability="MUTABLE")[0] == ["imageTagMutability"]
    assert world.replaced_by("images", encryptionConfigurations=[{"encryptionType": "AES256"}]) == [
        "encryptionConfigurations"
    ]
    assert world.change("secret", description="d")[0] == ["description"]
    twice = json.dumps({"rules": [rule, rule]})
    with pytest.raises(Refused, match="one priority"):
        world.make("wrong", "aws:ecr/lifecyclePolicy:LifecyclePolicy", repository="fraud/runtime", policy=twice)
    all_ends(world, cloud)
