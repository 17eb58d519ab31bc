"""Object stores as rclone remotes, used to copy data between providers.

The settings come from each protocol's driver, and the credentials from the environment.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.handover import Remote, RemoteKey
from modelyard.spec import Store, System
from modelyard_targets.kube.storage.buckets import bucket_name, driver_of, object_uri, region_of
from modelyard_targets.kube.storage.driver import Credentials, Driver, Opening


def remote_of(store: Store, system: System, credentials: Credentials | None = None) -> Remote:
    """Return the rclone remote for an object store. `credentials` refer to a Secret on the store's own target."""
    name, driver = bucket_name(store, system), driver_of(store, system)
    settings = driver.remote(name, Opening(store.endpoint, region_of(store, system)))
    uri = object_uri(store, "", system).rstrip("/")
    return Remote(
        store.name,
        settings,
        name.partition("@")[0],
        uri,
        bool(store.adopt),
        store.credentials,
        driver.remote_login,
        tuple(_keys(driver, credentials)) if credentials is not None else (),
    )


def _keys(driver: Driver, credentials: Credentials) -> Iterator[RemoteKey]:
    if driver.keys:
        for option, key in zip(driver.remote_login, credentials.keys, strict=True):
            yield RemoteKey(option, credentials.secret, key)
