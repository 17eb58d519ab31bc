"""What the object storage of each cloud speaks, and whether workloads elsewhere get keys to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelyard.records import record
from modelyard_targets.kube.storage.azure import AZURE
from modelyard_targets.kube.storage.driver import Driver
from modelyard_targets.kube.storage.gcs import GCS
from modelyard_targets.kube.storage.s3 import S3


@record
class CloudStorage:
    """The object storage of a provider; `keys` says whether its program makes keys for workloads on other targets."""

    driver: Driver
    keys: bool = False


_STORAGE: Final[Mapping[str, CloudStorage]] = {
    "aws": CloudStorage(S3, keys=True),
    "azure": CloudStorage(AZURE),
    "gcp": CloudStorage(GCS),
}

_ANY: Final = CloudStorage(S3)
"""Of every other provider: clusters whose stores have endpoints, and clouds that nothing is emitted for yet."""

DRIVERS: Final[Mapping[str, Driver]] = {driver.scheme: driver for driver in (AZURE, GCS, S3)}
"""By the scheme of URIs: what workloads on any cluster can open."""


def cloud_storage(provider: str) -> CloudStorage:
    """The object storage of a provider."""
    return _STORAGE.get(provider, _ANY)
