"""Object stores in the words of rclone, with which people copy data from any provider to any other.

Settings are those of rclone's backends (rclone.org/s3, /googlecloudstorage, /azureblob, read 2026-11-28). Credentials
come from the environment: `env_auth` is the login of each provider's own command line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, TypeAlias

from modelyard.handover import Remote
from modelyard.spec import Store, System
from modelyard_targets.kube.storage.azure import AZURE
from modelyard_targets.kube.storage.buckets import bucket_name, driver_of, object_uri, region_of
from modelyard_targets.kube.storage.gcs import GCS
from modelyard_targets.kube.storage.s3 import S3

_Settings: TypeAlias = tuple[tuple[str, str], ...]


def remote_of(store: Store, system: System) -> Remote:
    """Return an object store as rclone opens it."""
    driver = driver_of(store, system)
    settings = _SETTINGS.get(driver.scheme, _none)(store, system)
    bucket = bucket_name(store, system).partition("@")[0]
    uri = object_uri(store, "", system).rstrip("/")
    return Remote(store.name, settings, bucket, uri, bool(store.adopt), store.credentials)


def _none(store: Store, system: System) -> _Settings:
    return (("type", "local"),)


def _s3(store: Store, system: System) -> _Settings:
    region = region_of(store, system)
    where = (("endpoint", store.endpoint),) if store.endpoint else ()
    return (
        ("type", "s3"),
        ("provider", "Other" if store.endpoint else "AWS"),
        ("env_auth", "true"),
        *where,
        *((("region", region),) if region else ()),
    )


def _gcs(store: Store, system: System) -> _Settings:
    return (("type", "google cloud storage"), ("env_auth", "true"), ("bucket_policy_only", "true"))


def _azure(store: Store, system: System) -> _Settings:
    account = bucket_name(store, system).partition("@")[2]
    return (("type", "azureblob"), ("account", account), ("env_auth", "true"))


_SETTINGS: Final[Mapping[str, Callable[[Store, System], _Settings]]] = {
    AZURE.scheme: _azure,
    GCS.scheme: _gcs,
    S3.scheme: _s3,
}
"""By the scheme of the driver."""
