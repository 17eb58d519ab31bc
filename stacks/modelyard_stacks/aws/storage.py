"""Private, encrypted buckets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypedDict

import pulumi
from pulumi_aws import s3

from .account import Account, protected
from .key import Key
from .policies import document, tls_only

_UNFINISHED_DAYS = 7
_NONCURRENT_DAYS = 30


class ObjectLock(TypedDict):
    """How long object versions are retained, for everyone or except for users who may bypass governance."""

    mode: Literal["compliance", "governance"]
    days: int


class ObjectStore(pulumi.ComponentResource):
    """A bucket that only our account can access, over TLS, with every object encrypted with our key.

    With `versioned`, overwritten and deleted objects are kept for another 30 days. Lifecycle rules delete objects older
    than `retention_days`, and objects in each folder in `expire` after its number of days. With `lock`, every version
    written from then on is retained for the given days, even if other rules would delete it. The bucket is protected,
    and is only deleted if it is empty.
    """

    bucket: pulumi.Output[str]
    arn: pulumi.Output[str]
    key_arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        account: Account,
        key: Key,
        bucket: str,
        versioned: bool = True,
        retention_days: int | None = None,
        expire: Mapping[str, int] | None = None,
        lock: ObjectLock | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:ObjectStore", name, None, account.options(opts))
        created = s3.Bucket(
            name,
            s3.BucketArgs(bucket=bucket, force_destroy=False),
            pulumi.ResourceOptions(parent=self, protect=protected()),
        )
        self.bucket, self.arn, self.key_arn = created.bucket, created.arn, key.arn
        self._encrypt(name, key)
        self._close(name, key.account)
        versions = [self._keep_versions(name)] if versioned else []
        if lock is not None:
            self._lock_objects(name, lock, versions)
        rules = list(_lifecycle(versioned, retention_days, expire or {}))
        s3.BucketLifecycleConfiguration(
            name, s3.BucketLifecycleConfigurationArgs(bucket=self.bucket, rules=rules), self._child(*versions)
        )
        self.register_outputs({"bucket": self.bucket, "arn": self.arn})

    def _encrypt(self, name: str, key: Key) -> None:
        default = s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms", kms_master_key_id=key.arn
        )
        rule = s3.BucketServerSideEncryptionConfigurationRuleArgs(
            apply_server_side_encryption_by_default=default,
            bucket_key_enabled=True,  # one call to KMS serves many objects
            blocked_encryption_types=["SSE-C"],  # only the client could read objects encrypted with such keys
        )
        # the class whose name ends in Args, without Init, is for the deprecated field of a Bucket
        s3.BucketServerSideEncryptionConfiguration(
            name,
            s3.BucketServerSideEncryptionConfigurationInitArgs(bucket=self.bucket, rules=[rule]),
            self._child(),
        )

    def _close(self, name: str, account: Account) -> None:
        block = s3.BucketPublicAccessBlock(
            name,
            s3.BucketPublicAccessBlockArgs(
                bucket=self.bucket,
                block_public_acls=True,
                block_public_policy=True,
                ignore_public_acls=True,
                restrict_public_buckets=True,
            ),
            self._child(),
        )
        owned = s3.BucketOwnershipControls(
            name,
            s3.BucketOwnershipControlsArgs(
                bucket=self.bucket,
                rule=s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),  # no ACLs
            ),
            self._child(block),
        )
        # one after the other: S3 refuses a second change to a bucket's access while the first is in progress
        s3.BucketPolicy(
            name, s3.BucketPolicyArgs(bucket=self.bucket, policy=self._policy(account)), self._child(block, owned)
        )

    def _policy(self, account: Account) -> pulumi.Output[str]:
        objects = pulumi.Output.concat(self.arn, "/*")
        return document(
            tls_only("s3:*", [self.arn, objects]),
            {
                # Grants that somebody adds later work only within the account. AWS's own services keep their access.
                # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html, 2026-11-25
                "Sid": "ThisAccountOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [self.arn, objects],
                "Condition": {
                    "StringNotEquals": {"aws:PrincipalAccount": account.account_id},
                    "Bool": {"aws:PrincipalIsAWSService": "false"},
                },
            },
            {
                # Requests that specify no encryption get ours. Those that specify one must name our key: with aws:kms
                # but no key, they would get AWS's key.
                # https://docs.aws.amazon.com/AmazonS3/latest/userguide/specifying-kms-encryption.html, 2026-11-24
                "Sid": "OurKeyOnly",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:PutObject",
                "Resource": objects,
                "Condition": {
                    "Null": {"s3:x-amz-server-side-encryption": "false"},
                    "StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": self.key_arn},
                },
            },
        )

    def _keep_versions(self, name: str) -> s3.BucketVersioning:
        enabled = s3.BucketVersioningVersioningConfigurationArgs(status="Enabled")
        # the class BucketVersioningArgs is for the deprecated field of a Bucket
        arguments = s3.BucketVersioningInitArgs(bucket=self.bucket, versioning_configuration=enabled)
        return s3.BucketVersioning(name, arguments, self._child())

    def _lock_objects(self, name: str, lock: ObjectLock, versions: Iterable[pulumi.Resource]) -> None:
        """Enable object lock, which S3 supports for new and existing versioned buckets, but can't disable again.

        Removing the default retention doesn't affect locked objects. Source:
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-configure.html, 2026-11-25.
        """
        retention = s3.BucketObjectLockConfigurationRuleDefaultRetentionArgs(
            mode=lock["mode"].upper(), days=lock["days"]
        )
        s3.BucketObjectLockConfiguration(
            name,
            s3.BucketObjectLockConfigurationInitArgs(
                bucket=self.bucket,
                object_lock_enabled="Enabled",
                rule=s3.BucketObjectLockConfigurationRuleArgs(default_retention=retention),
            ),
            self._child(*versions),
        )

    def _child(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(depends_on))


def _lifecycle(
    versioned: bool, retention_days: int | None, expire: Mapping[str, int]
) -> Iterable[s3.BucketLifecycleConfigurationRuleArgs]:
    all_objects = s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="")
    yield s3.BucketLifecycleConfigurationRuleArgs(
        id="unfinished-uploads",
        status="Enabled",
        filter=all_objects,
        abort_incomplete_multipart_upload=s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=_UNFINISHED_DAYS
        ),
    )
    for index, (folder, days) in enumerate(sorted(expire.items())):
        yield s3.BucketLifecycleConfigurationRuleArgs(
            id=f"expire-{index}",
            status="Enabled",
            filter=s3.BucketLifecycleConfigurationRuleFilterArgs(prefix=f"{folder}/"),
            expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(days=days),
        )
    if versioned:
        # a locked version is retained until its lock ends, even if a lifecycle rule expires it
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock-managing.html, 2026-11-25
        yield s3.BucketLifecycleConfigurationRuleArgs(
            id="earlier-versions",
            status="Enabled",
            filter=all_objects,
            noncurrent_version_expiration=s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=_NONCURRENT_DAYS
            ),
        )
    if retention_days is not None:
        yield s3.BucketLifecycleConfigurationRuleArgs(
            id="retention",
            status="Enabled",
            filter=all_objects,
            expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(days=retention_days),
        )
    elif versioned:
        # S3 accepts this only without another expiration; if objects expire by age, S3 removes such markers itself
        yield s3.BucketLifecycleConfigurationRuleArgs(
            id="markers-of-nothing",
            status="Enabled",
            filter=all_objects,
            expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
        )
