"""The driver for Google Cloud Storage, where Pods authenticate with their identity.

The client libraries find the identity on their own (Application Default Credentials,
docs.cloud.google.com/docs/authentication, read 2026-11-26), so Pods need neither variables nor a Secret. Buckets are
created by the cloud's program.
"""

from __future__ import annotations

from typing import Final

from modelyard.stack import Value
from modelyard_targets.kube.storage.driver import Driver, Opening, RemoteSettings


def _nothing(opening: Opening) -> list[Value]:
    return []


def _remote(bucket: str, opening: Opening) -> RemoteSettings:
    """Return the settings for rclone's GCS backend (rclone.org/googlecloudstorage, read 2026-11-28)."""
    return (("type", "google cloud storage"), ("env_auth", "true"), ("bucket_policy_only", "true"))


GCS: Final = Driver(
    "gs",
    443,
    (),
    client=_nothing,
    server=_nothing,
    maker=_nothing,
    remote=_remote,
    remote_login=("service_account_credentials",),
)
