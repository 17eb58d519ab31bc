"""The object storage of each cloud, including its protocol and how workloads on other targets get access."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelyard.records import record
from modelyard.spec import Store, System, TargetSpec
from modelyard_targets.kube.storage import federation as federations
from modelyard_targets.kube.storage.azure import AZURE
from modelyard_targets.kube.storage.driver import Driver
from modelyard_targets.kube.storage.federation import Federation, may_federate
from modelyard_targets.kube.storage.files import FILES
from modelyard_targets.kube.storage.gcs import GCS
from modelyard_targets.kube.storage.s3 import S3


@record
class CloudStorage:
    """A provider's object storage, and how it recognizes workloads on other targets.

    `host` is the host name of a bucket for firewall rules, and may contain {bucket}, {account} and {region}. If `keys`
    is set, the provider's program creates access keys for workloads whose tokens it can't verify.
    """

    driver: Driver
    keys: bool = False
    federation: Federation | None = None
    host: str = ""


_STORAGE: Final[Mapping[str, CloudStorage]] = {
    "aws": CloudStorage(S3, keys=True, federation=federations.AWS, host="{bucket}.s3.{region}.amazonaws.com"),
    "azure": CloudStorage(AZURE, federation=federations.AZURE, host="{account}.blob.core.windows.net"),
    "gcp": CloudStorage(GCS, federation=federations.GOOGLE, host="storage.googleapis.com"),
    "local": CloudStorage(FILES),
}

_ANY: Final = CloudStorage(S3)
"""The object storage of all other providers, such as clusters whose stores have endpoints."""

DRIVERS: Final[Mapping[str, Driver]] = {driver.scheme: driver for driver in (AZURE, GCS, S3)}
"""Drivers by URI scheme, for all addresses that workloads can access."""


def cloud_storage(provider: str) -> CloudStorage:
    """Return a provider's object storage."""
    return _STORAGE.get(provider, _ANY)


def federates_from(store: Store, target: TargetSpec, system: System) -> bool:
    """Return whether a target's workloads use their own identity, without a key, to access a store in another cloud."""
    return may_federate(store, target, system, cloud_storage(system.target(store.target).provider).federation)
