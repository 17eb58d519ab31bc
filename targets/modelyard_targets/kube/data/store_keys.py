"""List access keys for object stores and the permissions they need, for whoever creates the keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from modelyard.plan import Identity
from modelyard.records import record
from modelyard.spec import Store
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.storage.buckets import bucket_name


@record
class StoreKey:
    """A Secret holding an access key, the workloads using it, and the objects they read, write or append to."""

    secret: str
    workloads: tuple[str, ...]
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    appends: tuple[str, ...] = ()
    makes: str = ""  # the bucket to create with this key, if any

    @property
    def shared(self) -> bool:
        """Return whether several workloads use the key."""
        return len(self.workloads) > 1


def store_keys(context: Context) -> tuple[StoreKey, ...]:
    """Return one row for each access key, used either by a single workload or by all workloads that use the store."""
    stores = [store for store in context.system.stores.values() if store.type == "object" and store.credentials]
    rows: dict[str, list[StoreKey]] = {}
    for key in (key for store in stores for key in _keys(store, context)):
        rows.setdefault(key.secret, []).append(key)
    return tuple(_together(secret, keys) for secret, keys in rows.items())


def _keys(store: Store, context: Context) -> Iterator[StoreKey]:
    bucket = bucket_name(store, context.system)
    if not store.adopt and store.target == context.placement:
        maker = f"stores.{store.name}"
        yield StoreKey(_secret(store, maker, context), (maker,), makes=bucket)
    for identity in (resource.value for resource in context.plan.of(Identity, context.placement)):
        if any(access.store == store.name for access in identity.access):
            yield StoreKey(
                _secret(store, identity.workload, context),
                (identity.workload,),
                reads=_objects(store, identity, "read", bucket),
                writes=_objects(store, identity, "write", bucket),
                appends=_objects(store, identity, "append", bucket),
            )


def _together(secret: str, keys: list[StoreKey]) -> StoreKey:
    """Merge the permissions of all workloads that use the same key."""
    return StoreKey(
        secret,
        _each_once(key.workloads for key in keys),
        _each_once(key.reads for key in keys),
        _each_once(key.writes for key in keys),
        _each_once(key.appends for key in keys),
        ", ".join(_each_once([key.makes] for key in keys if key.makes)),
    )


def _each_once(names: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(chain.from_iterable(names)))


def _objects(store: Store, identity: Identity, mode: str, bucket: str) -> tuple[str, ...]:
    accesses = (access for access in identity.access if (access.store, access.mode) == (store.name, mode))
    prefixes = (access.prefix.strip("/") for access in accesses)
    return tuple(f"{bucket}/{prefix}/*" if prefix else f"{bucket}/*" for prefix in prefixes)


def _secret(store: Store, workload: str, context: Context) -> str:
    credentials = store.credentials_of(workload)
    assert credentials is not None
    return context.secret(credentials).name
