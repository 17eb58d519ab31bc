"""The driver for Amazon S3, and for compatible services at other endpoints."""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, urlsplit

from modelyard_runtime.storage.protocols.driver import Driver, Entry, from_environment
from modelyard_runtime.workload.records import Store

if TYPE_CHECKING:
    from pyarrow import fs

_DENIED = "ACCESS_DENIED"
"""The text in Arrow's error message for a 403 from S3."""


def opened(store: Store, uri: SplitResult) -> tuple[Driver, str]:
    """Open a URI's store, and return its driver and the path within the store."""
    return S3(store), f"{uri.netloc}{uri.path}".rstrip("/")


def by_environment(uri: str) -> Store:
    """Return a store that isn't in the description, configured by the usual S3 environment variables."""
    endpoint = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL") or ""
    region = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""
    return Store(uri=uri, endpoint=endpoint, region=region)


def variables(store: Store) -> dict[str, str]:
    """Return MLflow's artifact variables, i.e. credentials under the names used by boto3."""
    keys = {
        name: os.environ[source]
        for name, source in (
            ("AWS_ACCESS_KEY_ID", store.access_key_id_env),
            ("AWS_SECRET_ACCESS_KEY", store.secret_access_key_env),
        )
        if source and source in os.environ
    }
    where = {"MLFLOW_S3_ENDPOINT_URL": store.endpoint, "AWS_DEFAULT_REGION": store.region}
    return keys | {name: value for name, value in where.items() if value}


class S3(Driver):
    """The buckets of one service."""

    def __init__(self, store: Store) -> None:
        super().__init__(_filesystem(store))
        self._store = store

    @cached_property
    def client(self) -> Any:  # boto3 creates client classes at run time
        """Return a boto3 client, which can be used by several threads."""
        return _client(self._store)

    def first(self, path: str, most: int, after: str) -> list[Entry]:
        bucket, _, folder = path.partition("/")
        prefix = f"{folder}/" if folder else ""
        entries: list[Entry] = []
        read = 0
        with _failing_as_arrow():
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=bucket, Prefix=prefix, Delimiter="/", StartAfter=f"{prefix}{after}"
            )
            for page in pages:
                objects = page.get("Contents", [])
                entries += [Entry(str(item["Key"]).removeprefix(prefix), item["LastModified"]) for item in objects]
                read += len(objects) + len(page.get("CommonPrefixes", []))
                if read >= most:
                    break
        return [item for item in entries if item.name]  # an empty name is the marker of the folder itself

    def read(self, path: str, most: int) -> bytes:
        bucket, _, key = path.partition("/")
        with _failing_as_arrow():
            content: bytes = self.client.get_object(Bucket=bucket, Key=key)["Body"].read(most)
        return content

    def single(self, path: str) -> list[fs.FileInfo]:
        try:
            return super().single(path)
        except OSError as problem:
            if _DENIED not in str(problem):
                raise
            return []

    def is_missing(self, path: str, problem: OSError) -> bool:
        """Return whether the file is missing. After a 403, this is checked by listing the file's folder.

        S3 responds with 403 instead of 404 unless the client may list the bucket with the key as the prefix. A workload
        is allowed to list its folders.

        Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html, 2026-11-25.
        """
        if _DENIED not in str(problem):
            return super().is_missing(path, problem)
        return path not in {info.path for info in self.listed(path.rpartition("/")[0])}


def _filesystem(store: Store) -> fs.S3FileSystem:
    from pyarrow import fs

    endpoint = urlsplit(store.endpoint)
    return fs.S3FileSystem(
        access_key=from_environment(store.access_key_id_env),
        secret_key=from_environment(store.secret_access_key_env),
        region=store.region or os.environ.get("AWS_REGION") or "us-east-1",
        endpoint_override=endpoint.netloc or None,
        scheme=endpoint.scheme or "https",
        background_writes=True,
        allow_bucket_creation=False,
    )


def _client(store: Store) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        aws_access_key_id=from_environment(store.access_key_id_env),
        aws_secret_access_key=from_environment(store.secret_access_key_env),
        region_name=store.region or os.environ.get("AWS_REGION") or "us-east-1",
        endpoint_url=store.endpoint or None,
        config=Config(connect_timeout=5, read_timeout=30, retries={"mode": "standard", "max_attempts": 3}),
    )


@contextmanager
def _failing_as_arrow() -> Generator[None]:
    """Convert boto3's errors to the errors that Arrow would raise."""
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    try:
        yield
    except ClientError as problem:
        status = problem.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        if status == 404:
            raise FileNotFoundError(str(problem)) from None
        raise OSError(f"{_DENIED}: {problem}" if status == 403 else str(problem)) from problem
    except (BotoCoreError, HTTPClientError) as problem:
        raise OSError(f"S3 does not respond: {problem}") from problem
