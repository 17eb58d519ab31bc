"""Buckets of object stores: what they are called, where they are, and which protocol they speak."""

from __future__ import annotations

from typing import Final

from modelyard.hashing import sha256
from modelyard.names import object_name
from modelyard.spec import Store, System, TargetSpec
from modelyard_targets.kube.storage.clouds import cloud_storage
from modelyard_targets.kube.storage.driver import Driver
from modelyard_targets.kube.storage.s3 import S3

_LONGEST_BUCKET: Final = 63
_BUCKET_HASH: Final = 6


def bucket_name(store: Store, system: System) -> str:
    """The bucket behind a store: adopted, or named after system and environment, since a service holds many.

    A cloud's buckets belong to whoever takes their names first, in any account: these end in a hash of the owner.
    """
    if store.adopt:
        return store.adopt
    parts = (system.metadata.name, "" if system.environment == "default" else system.environment, store.called)
    name = "-".join(part for part in parts if part)
    cloud = cloud_of(store, system)
    if cloud is None or store.endpoint:
        return name
    owner = system.governance.owner
    whose = "\n".join((owner.team, owner.email, cloud.region, system.metadata.name, system.environment))
    digest = sha256(whose.encode()).hexdigest()[:_BUCKET_HASH]
    return f"{object_name(name, limit=_LONGEST_BUCKET - _BUCKET_HASH - 1)}-{digest}"


def region_of(store: Store, system: System) -> str:
    """The region of a store: its own, or that of the cloud target which it is in; empty where there is none."""
    cloud = cloud_of(store, system)
    return store.region or (cloud.region if cloud is not None and not store.endpoint else "")


def cloud_of(store: Store, system: System) -> TargetSpec | None:
    """The target of a store, if it is a cloud."""
    where = system.target(store.target)
    return where if where.in_cloud else None


def driver_of(store: Store, system: System) -> Driver:
    """The protocol of an object store: S3 where it has an endpoint of its own, else that of its cloud."""
    return S3 if store.endpoint else cloud_storage(system.target(store.target).provider).driver


def schemes(system: System) -> frozenset[str]:
    """Of the addresses that workloads open: those of object stores, and of datasets that lie in none."""
    stores = (store for store in system.stores.values() if store.type == "object")
    datasets = (dataset.uri.partition(":")[0] for dataset in system.data.values() if dataset.uri)
    return frozenset([*(driver_of(store, system).scheme for store in stores), *datasets])


def object_uri(store: Store, path: str, system: System) -> str:
    """Where a path of an object store is, as workloads open it: `s3://bucket/path`."""
    return driver_of(store, system).uri(bucket_name(store, system), path.lstrip("/"))
