"""The object storage of each cloud: its protocol, and whether workloads on other targets get access keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelyard.records import record
from modelyard_targets.kube.storage.azure import AZURE
from modelyard_targets.kube.storage.driver import Driver
from modelyard_targets.kube.storage.files import FILES
from modelyard_targets.kube.storage.gcs import GCS
from modelyard_targets.kube.storage.s3 import S3


@record
class CloudStorage:
    """A provider's object storage. With `keys`, its program creates access keys for workloads on other targets."""

    driver: Driver
    keys: bool = False


_STORAGE: Final[Mapping[str, CloudStorage]] = {
    "aws": CloudStorage(S3, keys=True),
    "azure": CloudStorage(AZURE),
    "gcp": CloudStorage(GCS),
    "local": CloudStorage(FILES),
}

_ANY: Final = CloudStorage(S3)
"""The object storage of all other providers, such as clusters whose stores have endpoints."""

DRIVERS: Final[Mapping[str, Driver]] = {driver.scheme: driver for driver in (AZURE, GCS, S3)}
"""Drivers by URI scheme, for all addresses that workloads can access."""


def cloud_storage(provider: str) -> CloudStorage:
    """Return a provider's object storage."""
    return _STORAGE.get(provider, _ANY)
