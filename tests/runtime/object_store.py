"""An S3-compatible service that can be made unreachable without changing its address or content."""

from __future__ import annotations

import logging
import urllib.request
from typing import Any

import boto3
from moto.moto_server.threaded_moto_server import ThreadedMotoServer

BUCKET = "models"
_KEYS = {"aws_access_key_id": "id", "aws_secret_access_key": "key"}

logging.getLogger("werkzeug").setLevel(logging.ERROR)


class ObjectStore:
    """An S3-compatible service with one bucket and its own port. This process keeps the objects, not the server."""

    def __init__(self) -> None:
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        self._port = self._server.get_host_and_port()[1]
        request = urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST")
        urllib.request.urlopen(request, timeout=30).close()
        self.client.create_bucket(Bucket=BUCKET)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def client(self) -> Any:
        """Return a client from an S3 library that the runtime does not use."""
        return boto3.client("s3", endpoint_url=self.endpoint, region_name="us-east-1", **_KEYS)

    def names(self) -> list[str]:
        """Return the sorted names of all objects."""
        entries = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return [str(entry["Key"]) for entry in entries]

    def cut(self) -> None:
        """Make the service unreachable."""
        self._server.stop()

    def mend(self) -> None:
        """Make the service reachable again."""
        self._server = ThreadedMotoServer("127.0.0.1", self._port, verbose=False)
        self._server.start()

    def described(self, monkeypatch: Any) -> dict[str, Any]:
        """Return a workload description's `stores` section, and set the environment variables with the credentials."""
        monkeypatch.setenv("STORE_ID", "id")
        monkeypatch.setenv("STORE_KEY", "key")
        opened = {"accessKeyIdEnv": "STORE_ID", "secretAccessKeyEnv": "STORE_KEY"}
        uri = f"s3://{BUCKET}/"
        return {"stores": {"artifacts": {"uri": uri, "endpoint": self.endpoint, "region": "us-east-1", **opened}}}
