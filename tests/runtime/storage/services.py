"""Storage services on this machine, accessed with each cloud's own client rather than the runtime's drivers."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from tests.runtime import gcs_emulator
from tests.runtime.object_store import BUCKET, ObjectStore
from tests.runtime.storage.azure_on_loopback.cloud import ACCOUNT, CONTAINER, Cloud, azure_cloud

_GRANTED = "granted"
"""The folder in the container to which the identity's role is limited."""

_STARTED_S = 180


class Service(Protocol):
    """A storage service with one bucket. Paths are object names."""

    uri: str
    """The bucket's URI."""
    store: dict[str, str]
    """The store's entry in a workload description."""
    environment: dict[str, str]
    """The environment variables with the store's credentials."""

    def put(self, path: str, content: bytes) -> None:
        """Write an object."""
        ...

    def get(self, path: str) -> bytes:
        """Read an object."""
        ...

    def names(self, below: str) -> list[str]:
        """Return the names of all objects with the given prefix, excluding folder markers."""
        ...


class _S3:
    def __init__(self, service: ObjectStore) -> None:
        self.uri = f"s3://{BUCKET}"
        keys = {"accessKeyIdEnv": "STORE_ID", "secretAccessKeyEnv": "STORE_KEY"}
        self.store = {"uri": f"{self.uri}/", "endpoint": service.endpoint, "region": "us-east-1", **keys}
        self.environment = {"STORE_ID": "id", "STORE_KEY": "key"}
        self._client = service.client

    def put(self, path: str, content: bytes) -> None:
        self._client.put_object(Bucket=BUCKET, Key=path, Body=content)

    def get(self, path: str) -> bytes:
        content: bytes = self._client.get_object(Bucket=BUCKET, Key=path)["Body"].read()
        return content

    def names(self, below: str) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=below)
        keys = [str(entry["Key"]) for page in pages for entry in page.get("Contents", [])]
        return [entry for entry in keys if not entry.endswith("/")]


class Gcs:
    """Google Cloud Storage, with a request log."""

    def __init__(self, port: str, log: Path) -> None:
        from google.auth.credentials import AnonymousCredentials
        from google.cloud.storage import Client

        self.uri = f"gs://{gcs_emulator.BUCKET}"
        endpoint = f"http://127.0.0.1:{port}"
        self.store = {"uri": f"{self.uri}/", "endpoint": endpoint}
        self.environment: dict[str, str] = {}
        self._log = log
        client: Any = Client(
            project=None, credentials=AnonymousCredentials(), client_options={"api_endpoint": endpoint}
        )
        self._bucket: Any = client.bucket(gcs_emulator.BUCKET)

    def put(self, path: str, content: bytes) -> None:
        self._bucket.blob(path).upload_from_string(content)

    def get(self, path: str) -> bytes:
        content: bytes = self._bucket.blob(path).download_as_bytes()
        return content

    def names(self, below: str) -> list[str]:
        return [str(blob.name) for blob in self._bucket.list_blobs(prefix=below)]

    def requests(self) -> list[str]:
        """Return the log lines, one per request."""
        return self._log.read_text().splitlines()[1:]


class Azure:
    """Azure Blob Storage, accessed by an identity whose role is limited to one folder."""

    def __init__(self, cloud: Cloud) -> None:
        self.cloud = cloud
        pod = cloud.pod("granted", {"write": _GRANTED})
        self.uri = f"abfss://{CONTAINER}@{ACCOUNT}.dfs.core.windows.net/{_GRANTED}"
        self.store = {"uri": f"{self.uri}/"}
        self.environment = pod.environment

    def put(self, path: str, content: bytes) -> None:
        self.cloud.container.upload_blob(f"{_GRANTED}/{path}", content, overwrite=True)

    def get(self, path: str) -> bytes:
        content: bytes = self.cloud.container.download_blob(f"{_GRANTED}/{path}").readall()
        return content

    def names(self, below: str) -> list[str]:
        listed = self.cloud.container.list_blob_names(name_starts_with=f"{_GRANTED}/{below}")
        return [str(name).removeprefix(f"{_GRANTED}/") for name in listed if not str(name).endswith("/")]


class _Disk:
    def __init__(self, folder: Path) -> None:
        self.uri = folder.as_uri()
        self.store = {"uri": f"{self.uri}/"}
        self.environment: dict[str, str] = {}
        self._folder = folder

    def put(self, path: str, content: bytes) -> None:
        (self._folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self._folder / path).write_bytes(content)

    def get(self, path: str) -> bytes:
        return (self._folder / path).read_bytes()

    def names(self, below: str) -> list[str]:
        every = (str(path.relative_to(self._folder)) for path in self._folder.rglob("*") if path.is_file())
        return sorted(path for path in every if path.startswith(below))


def _port(process: subprocess.Popen[bytes], log: Path, line: str) -> str:
    """Wait until a service prints its port, and return it."""
    until = time.monotonic() + _STARTED_S
    while time.monotonic() < until and process.poll() is None:
        if match := re.search(line, log.read_text(), re.MULTILINE):
            return match[1]
        time.sleep(0.1)
    raise RuntimeError(f"{process.args!r} does not start: {log.read_text()}")


@contextmanager
def s3(folder: Path) -> Generator[Service]:
    """Run an S3-compatible service."""
    service = ObjectStore()
    try:
        yield _S3(service)
    finally:
        service.cut()


@contextmanager
def gcs(folder: Path) -> Generator[Service]:
    """Run an emulator of Google Cloud Storage."""
    log = folder / "requests.log"
    with log.open("w") as stream:
        process = subprocess.Popen([sys.executable, gcs_emulator.__file__], stdout=stream, stderr=subprocess.STDOUT)
    try:
        yield Gcs(_port(process, log, r"^(\d+)$"), log)
    finally:
        process.kill()
        process.wait()


@contextmanager
def azure(folder: Path) -> Generator[Service]:
    """Run Azurite, Microsoft's Blob Storage emulator, behind Entra ID and roles."""
    with azure_cloud(folder) as cloud:
        yield Azure(cloud)


@contextmanager
def disk(folder: Path) -> Generator[Service]:
    """Use a local folder."""
    yield _Disk(folder)
