"""Object stores: private, encrypted buckets."""

from __future__ import annotations

from collections.abc import Iterable

import pulumi
from pulumi_aws import s3

from .account import Account, protected
from .key import Key
from .policies import document, tls_only

_UNFINISHED_DAYS = 7
_NONCURRENT_DAYS = 30


class ObjectStore(pulumi.ComponentResource):
    """A bucket that only our account reaches, by TLS, and that holds nothing which our key does not encrypt.

    `versioned` keeps what is overwritten or deleted for another 30 days; objects older than `retention_days` are
    deleted. The bucket is protected, and one that is not empty is never deleted.
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
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:aws:ObjectStore", name, None, account.options(opts))
        made = s3.Bucket(
            name,
            s3.BucketArgs(bucket=bucket, force_destroy=False),
            pulumi.ResourceOptions(parent=self, protect=protected()),
        )
        self.bucket, self.arn, self.key_arn = made.bucket, made.arn, key.arn
        self._encrypt(name, key)
        self._close(name)
        self._keep(name, versioned, retention_days)
        self.register_outputs({"bucket": self.bucket, "arn": self.arn})

    def _encrypt(self, name: str, key: Key) -> None:
        default = s3.BucketServerSideEncryptionConfigurationRuleApplyServerSideEncryptionByDefaultArgs(
            sse_algorithm="aws:kms", kms_master_key_id=key.arn
        )
        rule = s3.BucketServerSideEncryptionConfigurationRuleArgs(
            apply_server_side_encryption_by_default=default,
            bucket_key_enabled=True,  # one call to KMS for many objects
            blocked_encryption_types=["SSE-C"],  # keys that a caller brings would be nobody's but the caller's
        )
        # the class called …Args without Init is what the deprecated field of a Bucket takes
        s3.BucketServerSideEncryptionConfiguration(
            name,
            s3.BucketServerSideEncryptionConfigurationInitArgs(bucket=self.bucket, rules=[rule]),
            self._child(),
        )

    def _close(self, name: str) -> None:
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
                rule=s3.BucketOwnershipControlsRuleArgs(object_ownership="BucketOwnerEnforced"),  # no access lists
            ),
            self._child(block),
        )
        # one after the other: S3 refuses a second change of a bucket's access while the first is under way
        s3.BucketPolicy(name, s3.BucketPolicyArgs(bucket=self.bucket, policy=self._policy()), self._child(block, owned))

    def _policy(self) -> pulumi.Output[str]:
        objects = pulumi.Output.concat(self.arn, "/*")
        return document(
            tls_only("s3:*", [self.arn, objects]),
            {
                # Who asks for no encryption gets ours. Who asks for one has to name our key: aws:kms alone means AWS's.
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

    def _keep(self, name: str, versioned: bool, retention_days: int | None) -> None:
        before: list[pulumi.Resource] = []
        if versioned:
            enabled = s3.BucketVersioningVersioningConfigurationArgs(status="Enabled")
            # the class called BucketVersioningArgs is what the deprecated field of a Bucket takes
            given = s3.BucketVersioningInitArgs(bucket=self.bucket, versioning_configuration=enabled)
            before.append(s3.BucketVersioning(name, given, self._child()))
        rules = list(_lifecycle(versioned, retention_days))
        s3.BucketLifecycleConfiguration(
            name, s3.BucketLifecycleConfigurationArgs(bucket=self.bucket, rules=rules), self._child(*before)
        )

    def _child(self, *depends_on: pulumi.Resource) -> pulumi.ResourceOptions:
        return pulumi.ResourceOptions(parent=self, depends_on=list(depends_on))


def _lifecycle(versioned: bool, retention_days: int | None) -> Iterable[s3.BucketLifecycleConfigurationRuleArgs]:
    every = s3.BucketLifecycleConfigurationRuleFilterArgs(prefix="")
    yield s3.BucketLifecycleConfigurationRuleArgs(
        id="unfinished-uploads",
        status="Enabled",
        filter=every,
        abort_incomplete_multipart_upload=s3.BucketLifecycleConfigurationRuleAbortIncompleteMultipartUploadArgs(
            days_after_initiation=_UNFINISHED_DAYS
        ),
    )
    if versioned:
        yield s3.BucketLifecycleConfigurationRuleArgs(
            id="earlier-versions",
            status="Enabled",
            filter=every,
            noncurrent_version_expiration=s3.BucketLifecycleConfigurationRuleNoncurrentVersionExpirationArgs(
                noncurrent_days=_NONCURRENT_DAYS
            ),
        )
    if retention_days is not None:
        yield s3.BucketLifecycleConfigurationRuleArgs(
            id="retention",
            status="Enabled",
            filter=every,
            expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(days=retention_days),
        )
    elif versioned:
        # S3 takes no other expiry beside this one; where objects expire by age, it removes such markers itself
        yield s3.BucketLifecycleConfigurationRuleArgs(
            id="markers-of-nothing",
            status="Enabled",
            filter=every,
            expiration=s3.BucketLifecycleConfigurationRuleExpirationArgs(expired_object_delete_marker=True),
        )
