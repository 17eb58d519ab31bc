"""S3 buckets and their settings, which are separate resources."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from testbed.clouds.aws.api import Api
from testbed.clouds.aws.record import Naming, Record, Rule
from testbed.clouds.aws.rules import name_like, policy_document
from testbed.clouds.shared.refusal import Refused
from testbed.clouds.shared.values import Values, picked, settled, tag_list, tag_map, upper


def _create(api: Api, values: Values) -> str:
    name = str(values["bucket"])
    elsewhere = {"LocationConstraint": api.region} if api.region != "us-east-1" else None
    api.call(
        "s3",
        "create_bucket",
        Bucket=name,
        CreateBucketConfiguration=elsewhere,
        ObjectLockEnabledForBucket=values.get("objectLockEnabled"),
    )
    _tag(api, name, values, values["tagsAll"], [])
    return name


def _tag(api: Api, resource_id: str, values: Values, tags: Mapping[str, str], gone: list[str]) -> None:
    """Set all tags of a bucket in one call, as S3 requires."""
    if tags:
        api.call("s3", "put_bucket_tagging", Bucket=resource_id, Tagging={"TagSet": tag_list(tags)})
    else:
        api.call("s3", "delete_bucket_tagging", Bucket=resource_id)


def _keep(api: Api, resource_id: str, olds: Values, values: Values) -> None:
    """Do nothing, since all mutable properties of a bucket exist only in the provider."""


def _read(api: Api, resource_id: str, values: Values) -> Values | None:
    api.call("s3", "head_bucket", Bucket=resource_id)
    try:
        tags = tag_map(api.call("s3", "get_bucket_tagging", Bucket=resource_id)["TagSet"])
    except Refused:
        tags = {}
    return {
        "arn": f"arn:aws:s3:::{resource_id}",
        "bucket": resource_id,
        "bucketDomainName": f"{resource_id}.s3.amazonaws.com",
        "bucketRegion": api.region,
        "bucketRegionalDomainName": f"{resource_id}.s3.{api.region}.amazonaws.com",
        **({"objectLockEnabled": values["objectLockEnabled"]} if "objectLockEnabled" in values else {}),
        "tagsAll": tags,
    }


def _delete(api: Api, resource_id: str, values: Values) -> None:
    if values.get("forceDestroy"):
        versions = api.call("s3", "list_object_versions", Bucket=resource_id)
        for each in (*versions.get("Versions", ()), *versions.get("DeleteMarkers", ())):
            api.call("s3", "delete_object", Bucket=resource_id, Key=each["Key"], VersionId=each["VersionId"])
    api.call("s3", "delete_bucket", Bucket=resource_id)


def _part(
    operation: str,
    parameter: str,
    setting_of: Callable[[Values], Any],
    properties: tuple[str, ...],
    *,
    remove: str = "",
    rules: tuple[Rule, ...] = (),
) -> Record:
    """Return the `Record` for a bucket setting that is a separate resource.

    The setting is written and read as a whole, and removed on deletion.
    """

    def write(api: Api, values: Values) -> str:
        api.call("s3", f"put_{operation}", Bucket=values["bucket"], **{parameter: setting_of(values)})
        return str(values["bucket"])

    def update(api: Api, resource_id: str, olds: Values, values: Values) -> None:
        write(api, values)

    def read(api: Api, resource_id: str, values: Values) -> Values | None:
        answer = api.call("s3", f"get_{operation}", Bucket=resource_id)
        there = answer.get(parameter, answer)
        declared = {name: values[name] for name in properties if name in values}
        current = settled(declared, setting_of(values) if declared else None, there)
        return {"bucket": resource_id, **(current if current is declared else _properties(current, properties))}

    def delete(api: Api, resource_id: str, values: Values) -> None:
        if remove == "suspend":
            api.call("s3", f"put_{operation}", Bucket=resource_id, VersioningConfiguration={"Status": "Suspended"})
        else:
            api.call("s3", remove or f"delete_{operation}", Bucket=resource_id)

    return Record(
        write,
        read,
        delete,
        update,
        fixed=frozenset({"bucket", "expectedBucketOwner"}),
        steering=frozenset({"expectedBucketOwner"}),
        rules=rules,
    )


def _properties(there: Any, properties: tuple[str, ...]) -> Values:
    """Convert a response to properties. If it has none of them, it becomes the value of the first property."""
    values = {name: there.get(name) for name in properties}
    return values if any(value is not None for value in values.values()) else {properties[0]: there}


def _encryption(values: Values) -> Values:
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": {
                "SSEAlgorithm": rule["applyServerSideEncryptionByDefault"]["sseAlgorithm"],
                **(
                    {"KMSMasterKeyID": key}
                    if (key := rule["applyServerSideEncryptionByDefault"].get("kmsMasterKeyId"))
                    else {}
                ),
            },
            **picked(rule, "bucketKeyEnabled"),
        }
        for rule in values["rules"]
    ]
    return {"Rules": rules}


def _lifecycle(values: Values) -> Values:
    return {"Rules": [_lifecycle_rule(rule) for rule in values["rules"]]}


def _lifecycle_rule(rule: Values) -> Values:
    return {
        "ID": rule["id"],
        "Filter": upper(rule.get("filter") or {}) or {"Prefix": ""},
        **picked(rule, "status", "expiration", "abortIncompleteMultipartUpload", "transitions"),
        **picked(rule, "noncurrentVersionExpiration", "noncurrentVersionTransitions"),
    }


def _versioning(values: Values) -> Values:
    return {
        "Status": values["versioningConfiguration"]["status"],
        **({"MFADelete": mfa} if (mfa := values["versioningConfiguration"].get("mfaDelete")) else {}),
    }


def _lock(values: Values) -> Values:
    rule = values.get("rule")
    retention = {"Rule": {"DefaultRetention": upper(rule["defaultRetention"])}} if rule else {}
    return {"ObjectLockEnabled": values.get("objectLockEnabled", "Enabled"), **retention}


def _unlock(api: Api, resource_id: str, values: Values) -> None:
    """Remove the default retention. Object Lock itself cannot be turned off."""
    unlocked = {"ObjectLockEnabled": "Enabled"}
    api.call("s3", "put_object_lock_configuration", Bucket=resource_id, ObjectLockConfiguration=unlocked)


_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")

_NAME = r"(?!xn--|sthree-|amzn-s3-demo-)(?!.*(-s3alias|--ol-s3)$)(?!.*\.\.)[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"
"""Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html, 2026-11-24."""

RECORDS = {
    "aws:s3/bucket:Bucket": Record(
        _create,
        _read,
        _delete,
        _keep,
        _tag,
        fixed=frozenset({"bucket", "bucketPrefix", "objectLockEnabled"}),
        steering=frozenset({"forceDestroy", "bucketPrefix"}),
        naming=Naming("bucket", longest=63, lower=True),
        rules=(name_like(_NAME, "bucket"),),
    ),
    "aws:s3/bucketVersioning:BucketVersioning": _part(
        "bucket_versioning", "VersioningConfiguration", _versioning, ("versioningConfiguration",), remove="suspend"
    ),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": _part(
        "bucket_encryption", "ServerSideEncryptionConfiguration", _encryption, ("rules",)
    ),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": _part(
        "public_access_block",
        "PublicAccessBlockConfiguration",
        lambda values: upper({name: values.get(name, False) for name in _BLOCKS}),
        _BLOCKS,
    ),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": _part(
        "bucket_ownership_controls", "OwnershipControls", lambda values: {"Rules": [upper(values["rule"])]}, ("rule",)
    ),
    "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration": _part(
        "bucket_lifecycle_configuration",
        "LifecycleConfiguration",
        _lifecycle,
        ("rules",),
        remove="delete_bucket_lifecycle",
    ),
    "aws:s3/bucketObjectLockConfiguration:BucketObjectLockConfiguration": replace(
        _part("object_lock_configuration", "ObjectLockConfiguration", _lock, ("objectLockEnabled", "rule")),
        delete=_unlock,
    ),
    "aws:s3/bucketPolicy:BucketPolicy": _part(
        "bucket_policy",
        "Policy",
        lambda values: values["policy"],
        ("policy",),
        rules=(policy_document("policy"),),
    ),
}
