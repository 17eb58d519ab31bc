"""Runs an S3-compatible service on loopback for rclone."""

from __future__ import annotations

import urllib.request
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from importlib import import_module
from typing import Any


class S3:
    """An S3-compatible service with the given buckets."""

    def __init__(self, buckets: list[str]) -> None:
        moto: Any = import_module("moto.moto_server.threaded_moto_server")
        boto3: Any = import_module("boto3")
        self.server = moto.ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self.server.start()
        self.endpoint = f"http://127.0.0.1:{self.server.get_host_and_port()[1]}"
        ask("POST", f"{self.endpoint}/moto-api/reset", b"")  # all services of a process share their buckets
        keys = {"aws_access_key_id": "id", "aws_secret_access_key": "key"}
        self.client: Any = boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", **keys)
        for bucket in buckets:
            self.client.create_bucket(Bucket=bucket)

    def fill(self, bucket: str, objects: Mapping[str, bytes]) -> None:
        for name, content in objects.items():
            self.client.put_object(Bucket=bucket, Key=name, Body=content)

    def names(self, bucket: str) -> list[str]:
        """Return the names of a bucket's objects."""
        return [item["Key"] for item in self.client.list_objects_v2(Bucket=bucket).get("Contents", ())]


@contextmanager
def s3(buckets: list[str]) -> Generator[S3]:
    service = S3(buckets)
    try:
        yield service
    finally:
        service.server.stop()


def ask(method: str, url: str, body: bytes) -> None:
    """Send a JSON request to a service, which must accept it."""
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    urllib.request.urlopen(urllib.request.Request(url, body, headers, method=method), timeout=60).close()
