"""`store` creates a bucket on an S3-compatible service with versioning and retention. It is idempotent."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Mapping
from typing import Any

from modelyard_runtime.refusals import Refusal

_DAY_S = 86400
_EARLIER_DAYS = 30  # how long an expired version can be restored
_log = logging.getLogger(__name__)


def run() -> int:
    """Create the bucket described by the environment, and apply its settings."""
    name = os.environ.get("MODELYARD_BUCKET", "")
    if not name:
        raise Refusal("MODELYARD_BUCKET is not set; it names the bucket to create")
    retention_s = int(os.environ.get("MODELYARD_RETENTION_SECONDS") or 0)
    expire: dict[str, int] = json.loads(os.environ.get("MODELYARD_EXPIRE") or "{}")
    ensure_bucket(_client(), name, os.environ.get("MODELYARD_VERSIONED", "true") == "true", retention_s, expire)
    return 0


def ensure_bucket(
    client: Any, name: str, versioned: bool, retention_s: int, expire: Mapping[str, int]
) -> None:  # boto3 creates client classes at run time
    """Create the bucket if necessary, set its versioning, and expire objects older than `retention_s` seconds.

    If `retention_s` is 0, objects aren't deleted because of their age. `expire` maps folders to the number of days
    after which their objects are deleted. S3 counts retention in days, so `retention_s` is rounded up, and nothing is
    deleted too early.
    """
    _create(client, name)
    status = "Enabled" if versioned else "Suspended"
    if versioned or client.get_bucket_versioning(Bucket=name).get("Status") == "Enabled":
        client.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": status})
    rules = [
        _rule(f"modelyard-expire-{at}", f"{folder}/", days, _EARLIER_DAYS if versioned else 0)
        for at, (folder, days) in enumerate(sorted(expire.items()))
    ]
    if retention_s:
        days = -(-retention_s // _DAY_S)
        rules.append(_rule("modelyard-retention", "", days, days if versioned else 0))
    if rules:
        client.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})
    else:
        client.delete_bucket_lifecycle(Bucket=name)
    _log.info(
        "bucket %s: versioning %s, retention %s", name, status.lower(), f"{retention_s} s" if retention_s else "none"
    )


def _rule(name: str, prefix: str, days: int, earlier_days: int) -> dict[str, Any]:
    earlier = {"NoncurrentVersionExpiration": {"NoncurrentDays": earlier_days}} if earlier_days else {}
    return {"ID": name, "Status": "Enabled", "Filter": {"Prefix": prefix}, "Expiration": {"Days": days}, **earlier}


def _create(client: Any, name: str) -> None:
    from botocore.exceptions import ClientError

    try:
        client.head_bucket(Bucket=name)
        return
    except ClientError as problem:
        status = problem.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == 403:
            raise Refusal(f"bucket {name} belongs to another account, or these credentials cannot see it") from None
        if status != 404:
            raise
    region = os.environ.get("AWS_REGION") or client.meta.region_name
    where = {} if region in (None, "", "us-east-1") else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    client.create_bucket(Bucket=name, **where)
    _log.info("created bucket %s", name)


def _client() -> Any:
    import boto3

    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or None
    return boto3.client("s3", endpoint_url=endpoint, region_name=os.environ.get("AWS_REGION") or "us-east-1")
