"""Private, encrypted buckets."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, TypedDict

import pulumi
from pulumi_gcp import storage

from .key import Key
from .project import Project, protected

_UNFINISHED_DAYS = 7
_NONCURRENT_DAYS = 30
_DAY_S = 86400


class ObjectLock(TypedDict):
    """How long objects are retained, for everyone or except for users who may change the bucket."""

    mode: Literal["compliance", "governance"]
    days: int


class ObjectStore(pulumi.ComponentResource):
    """A bucket that can never be public, with access controlled only by IAM, encrypted with our key.

    With `versioned`, overwritten and deleted objects are kept for another 30 days. Lifecycle rules delete objects older
    than `retention_days`, and objects in each folder in `expire` after its number of days. With `lock`, no object can
    be overwritten or deleted for the given days, so there are no earlier versions. `compliance` makes this rule
    permanent. The bucket is protected, and is only deleted if it is empty.
    """

    bucket: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        project: Project,
        key: Key,
        bucket: str,
        versioned: bool = True,
        retention_days: int | None = None,
        expire: Mapping[str, int] | None = None,
        lock: ObjectLock | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:gcp:ObjectStore", name, None, project.options(opts))
        keeps_versions = versioned and lock is None
        created = storage.Bucket(
            name,
            storage.BucketArgs(
                name=bucket,
                location=project.region_name.upper(),
                storage_class="STANDARD",
                force_destroy=False,
                uniform_bucket_level_access=True,  # no ACLs
                public_access_prevention="enforced",
                encryption=storage.BucketEncryptionArgs(default_kms_key_name=key.id),
                versioning=storage.BucketVersioningArgs(enabled=keeps_versions),
                # seven days by default, charged as storage; versions serve the same purpose where the spec enables them
                soft_delete_policy=storage.BucketSoftDeletePolicyArgs(retention_duration_seconds=0),
                retention_policy=_retention(lock) if lock is not None else None,
                lifecycle_rules=list(_lifecycle(keeps_versions, retention_days, expire or {})),
            ),
            pulumi.ResourceOptions(parent=self, depends_on=[key.granted("storage")], protect=protected()),
        )
        self.bucket = created.name
        self.register_outputs({"bucket": self.bucket})


def _retention(lock: ObjectLock) -> storage.BucketRetentionPolicyArgs:
    """Return the retention policy. Source: https://docs.cloud.google.com/storage/docs/bucket-lock, 2026-11-27."""
    return storage.BucketRetentionPolicyArgs(
        retention_period=str(lock["days"] * _DAY_S), is_locked=lock["mode"] == "compliance"
    )


def _lifecycle(
    versioned: bool, retention_days: int | None, expire: Mapping[str, int]
) -> Iterable[storage.BucketLifecycleRuleArgs]:
    yield _rule(storage.BucketLifecycleRuleConditionArgs(age=_UNFINISHED_DAYS), action="AbortIncompleteMultipartUpload")
    # a rule without a state would delete every version, earlier ones immediately
    for folder, days in sorted(expire.items()):
        yield _rule(
            storage.BucketLifecycleRuleConditionArgs(age=days, matches_prefixes=[f"{folder}/"], with_state="LIVE")
        )
    if versioned:
        yield _rule(
            storage.BucketLifecycleRuleConditionArgs(days_since_noncurrent_time=_NONCURRENT_DAYS, with_state="ARCHIVED")
        )
    if retention_days is not None:
        yield _rule(storage.BucketLifecycleRuleConditionArgs(age=retention_days, with_state="LIVE"))


def _rule(
    condition: storage.BucketLifecycleRuleConditionArgs, action: str = "Delete"
) -> storage.BucketLifecycleRuleArgs:
    return storage.BucketLifecycleRuleArgs(
        action=storage.BucketLifecycleRuleActionArgs(type=action), condition=condition
    )
