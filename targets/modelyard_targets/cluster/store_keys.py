"""The keys of object stores that each workload has of its own, and what each may do: for whoever makes them."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.plan import Identity
from modelyard.records import record
from modelyard.spec import Store
from modelyard_targets.cluster.context import Context, bucket_name


@record
class StoreKey:
    """A Secret with a key, who opens the store by it, and the objects that it reads, writes or adds."""

    secret: str
    workload: str
    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    appends: tuple[str, ...] = ()
    makes: str = ""  # the bucket, if this is the key of what makes it


def store_keys(context: Context) -> tuple[StoreKey, ...]:
    """A row for each key of the stores whose workloads have their own."""
    stores = [store for store in context.system.stores.values() if store.credentials_per == "workload"]
    return tuple(key for store in stores for key in _keys(store, context))


def _keys(store: Store, context: Context) -> Iterator[StoreKey]:
    bucket = bucket_name(store, context.system)
    if not store.adopt and store.target == context.placement:
        maker = f"stores.{store.name}"
        yield StoreKey(_secret(store, maker, context), maker, makes=bucket)
    for resource in context.plan.on(context.placement):
        identity = resource.value
        if isinstance(identity, Identity) and any(access.store == store.name for access in identity.access):
            yield StoreKey(
                _secret(store, identity.workload, context),
                identity.workload,
                reads=_objects(store, identity, "read", bucket),
                writes=_objects(store, identity, "write", bucket),
                appends=_objects(store, identity, "append", bucket),
            )


def _objects(store: Store, identity: Identity, mode: str, bucket: str) -> tuple[str, ...]:
    accesses = (access for access in identity.access if (access.store, access.mode) == (store.name, mode))
    prefixes = (access.prefix.strip("/") for access in accesses)
    return tuple(f"{bucket}/{prefix}/*" if prefix else f"{bucket}/*" for prefix in prefixes)


def _secret(store: Store, workload: str, context: Context) -> str:
    credentials = store.credentials_of(workload)
    assert credentials is not None
    return context.secret(credentials).name
