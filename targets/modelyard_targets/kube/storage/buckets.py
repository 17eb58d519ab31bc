"""Names, regions, protocols and URIs of the buckets behind object stores."""

from __future__ import annotations

from modelyard.spec import Store, System, TargetSpec
from modelyard_targets.kube.storage.clouds import cloud_storage
from modelyard_targets.kube.storage.driver import Driver
from modelyard_targets.kube.storage.s3 import S3


def bucket_name(store: Store, system: System) -> str:
    """Return the adopted bucket, or a bucket name built from system, environment and store.

    Cloud bucket names must be unique across all accounts, so they contain a hash that includes the owner's domain.
    """
    if store.adopt:
        return store.adopt
    parts = (system.metadata.name, "" if system.environment == "default" else system.environment, store.called)
    name = "-".join(part for part in parts if part)
    cloud = cloud_of(store, system)
    if cloud is None or store.endpoint:
        return name
    company = system.governance.owner.domain
    whose = "\n".join((company, cloud.region, system.metadata.name, system.environment))
    return driver_of(store, system).named(name, whose)


def region_of(store: Store, system: System) -> str:
    """Return the store's own region, falling back to that of its cloud target, or "" if there is none."""
    cloud = cloud_of(store, system)
    return store.region or (cloud.region if cloud is not None and not store.endpoint else "")


def cloud_of(store: Store, system: System) -> TargetSpec | None:
    """Return a store's target, or None if the target is no cloud."""
    where = system.target(store.target)
    return where if where.in_cloud else None


def driver_of(store: Store, system: System) -> Driver:
    """Return the driver for an object store, which is S3 if the store has an endpoint or else its cloud's driver."""
    return S3 if store.endpoint else cloud_storage(system.target(store.target).provider).driver


def schemes(system: System) -> frozenset[str]:
    """Return the URI schemes used by object stores and by datasets with a URI."""
    stores = (store for store in system.stores.values() if store.type == "object")
    datasets = (dataset.uri.partition(":")[0] for dataset in system.data.values() if dataset.uri)
    return frozenset([*(driver_of(store, system).scheme for store in stores), *datasets])


def object_uri(store: Store, path: str, system: System) -> str:
    """Return the URI of a path in an object store as seen by workloads, e.g. `s3://bucket/path`."""
    return driver_of(store, system).uri(bucket_name(store, system), path.lstrip("/"))
