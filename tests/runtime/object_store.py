"""An S3-compatible service with one bucket, as a store of a workload."""

from __future__ import annotations

from typing import Any

from tests.moto.s3 import S3

BUCKET = "models"


class ObjectStore(S3):
    """An S3-compatible service with one bucket.

    Its client comes from an S3 library the runtime doesn't use.
    """

    def __init__(self) -> None:
        super().__init__([BUCKET])

    def names(self, bucket: str = BUCKET, prefix: str = "") -> list[str]:
        """Return the sorted names of all objects."""
        return super().names(bucket, prefix)

    def described(self, monkeypatch: Any) -> dict[str, Any]:
        """Return a workload description's `stores` section and set the credentials in the environment."""
        monkeypatch.setenv("STORE_ID", "id")
        monkeypatch.setenv("STORE_KEY", "key")
        opened = {"accessKeyIdEnv": "STORE_ID", "secretAccessKeyEnv": "STORE_KEY"}
        uri = f"s3://{BUCKET}/"
        return {"stores": {"artifacts": {"uri": uri, "endpoint": self.endpoint, "region": "us-east-1", **opened}}}
