"""Runs an S3-compatible service on loopback, which can be made unreachable while keeping address and content."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from tests.moto.server import MotoServer

_boto3: Any = import_module("boto3")  # boto3 has no types


class S3(MotoServer):
    """An S3-compatible service with the given buckets."""

    def __init__(self, buckets: Sequence[str]) -> None:
        super().__init__()
        keys = {"aws_access_key_id": "id", "aws_secret_access_key": "key"}
        self.client: Any = _boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", **keys)
        for bucket in buckets:
            self.client.create_bucket(Bucket=bucket)

    def fill(self, bucket: str, objects: Mapping[str, bytes]) -> None:
        """Write objects, by name."""
        for name, content in objects.items():
            self.client.put_object(Bucket=bucket, Key=name, Body=content)

    def names(self, bucket: str, prefix: str = "") -> list[str]:
        """Return the sorted names of a bucket's objects, optionally only those starting with a prefix."""
        entries = self.client.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", ())
        return [str(entry["Key"]) for entry in entries]


@contextmanager
def s3(buckets: Sequence[str]) -> Generator[S3]:
    """Run a service until the end of the block."""
    service = S3(buckets)
    try:
        yield service
    finally:
        service.cut()
