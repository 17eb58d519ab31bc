"""Describe object stores for rclone, which people use to copy data between providers.

Each protocol's driver provides the settings. Credentials come from the environment.
"""

from __future__ import annotations

from modelyard.handover import Remote
from modelyard.spec import Store, System
from modelyard_targets.kube.storage.buckets import bucket_name, driver_of, object_uri, region_of
from modelyard_targets.kube.storage.driver import Opening


def remote_of(store: Store, system: System) -> Remote:
    """Return the rclone remote for an object store."""
    name = bucket_name(store, system)
    settings = driver_of(store, system).remote(name, Opening(store.endpoint, region_of(store, system)))
    uri = object_uri(store, "", system).rstrip("/")
    return Remote(store.name, settings, name.partition("@")[0], uri, bool(store.adopt), store.credentials)
