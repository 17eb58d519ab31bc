"""Resources that hold data: stores, databases, secrets and the image registry.

Adopted resources aren't touched.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.plan import Identity, Kind, Resource, Secret, expiries
from modelyard.program import Call, Literal, Ref
from modelyard.spec import Store, System, target_path
from modelyard_targets.azure.names import cluster_name, registry_name, server_name
from modelyard_targets.azure.versions import postgresql_version
from modelyard_targets.cloud.access import access_in
from modelyard_targets.cloud.data import has_registry, login_variable, managed_databases, store_variable, whole_days
from modelyard_targets.cloud.services import SECRETS_MANAGER
from modelyard_targets.kube.access.secrets import store_of
from modelyard_targets.kube.placement.context import Context, database_name
from modelyard_targets.kube.placement.placed import managed_stores
from modelyard_targets.kube.storage.buckets import bucket_name

GROUP: Final = "data"
_GI: Final = 1024**3

DISK_STEPS: Final = (32, 64, 128, 256, 512, 1024, 2048, 4095, 8192, 16384, 32767)
"""Sizes in GiB that a database's disk may have (learn.microsoft.com/azure/postgresql, "Storage options", read
2026-11-27).
"""

ENTERPRISE_DATABASE: Final = "Standard_D2ds_v5"
DATABASE: Final = "Standard_B2s"
"""The SKUs of database servers. The first is for enterprise systems and for databases with a standby. The registry's
tables are small, and only the start and end of runs cause load. The second SKU is burstable, and burstable servers
cannot have a standby.
"""

_USER: Final = "modelyard"
_ENTERPRISE_BACKUP_DAYS: Final = 35
_BACKUP_DAYS: Final = 7


def storage_calls(context: Context) -> Iterator[Call]:
    """Yield components for the secret vault, the storage accounts of managed object stores, and databases.

    Databases include their logins.
    """
    if has_vault(context):
        yield _vault(context)
    for resource in managed_stores(context.plan, context.placement, Kind.OBJECT_STORE):
        yield _bucket(resource, context)
    for resource in managed_databases(context):
        yield _login(resource)
        yield _database(resource, context)


def image_calls(context: Context) -> Iterator[Call]:
    """Yield the runtime image's registry if the target has a runtime image and doesn't name another registry."""
    if not has_registry(context):
        return
    arguments: tuple[tuple[str, Literal], ...] = (
        ("group", Ref("group")),
        ("network", Ref("network")),
        ("cluster", Ref("cluster")),
        ("registry", registry_name(context.system, context.placement)),
    )
    name, here = cluster_name(context.system, context.placement), target_path(context.system, context.placement)
    yield Call("images", "ImageRegistry", name, arguments, GROUP, here)


def has_vault(context: Context) -> bool:
    """Return whether the target has a vault for database logins or for secrets the spec stores there."""
    secrets = context.plan.of(Secret, context.placement)
    has_secrets = any(store_of(secret.value.ref, context).via == SECRETS_MANAGER for secret in secrets)
    return has_secrets or bool(managed_databases(context))


def account_of(store: Store, system: System) -> tuple[str, str]:
    """Return the container and the storage account of an object store."""
    container, _, account = bucket_name(store, system).partition("@")
    return container, account


def disk_gib(size_bytes: int) -> int:
    """Return the smallest database disk, in GiB, that has at least the given size.

    The checks have already limited that size.
    """
    return next((step for step in DISK_STEPS if step * _GI >= size_bytes), DISK_STEPS[-1])


def has_standby(store: Store, context: Context) -> bool:
    """Return whether a database has a standby server."""
    return (store.replicas if store.replicas is not None else (2 if context.enterprise else 1)) > 1


def redundancy_of(system: System) -> str:
    """Return the redundancy of a system's storage accounts: three copies in one zone, or one in each of three zones."""
    return "ZRS" if system.profile.size == "enterprise" else "LRS"


def _vault(context: Context) -> Call:
    name, here = cluster_name(context.system, context.placement), target_path(context.system, context.placement)
    return Call("vault", "Vault", name, (("group", Ref("group")), ("network", Ref("network"))), GROUP, here)


def _login(resource: Resource[Store]) -> Call:
    name = resource.value.called
    arguments: tuple[tuple[str, Literal], ...] = (
        ("group", Ref("group")),
        ("vault", Ref("vault")),
        ("user", _USER),
    )
    return Call(login_variable(name), "DatabaseLogin", name, arguments, GROUP, resource.origin)


def _bucket(resource: Resource[Store], context: Context) -> Call:
    store = resource.value
    container, account = account_of(store, context.system)
    days = whole_days(store.retention_s) if store.retention_s is not None else None
    expire: dict[str, Literal] = {**expiries(context.system, store)}
    lock = store.object_lock
    arguments: tuple[tuple[str, Literal], ...] = (
        ("group", Ref("group")),
        ("key", Ref("key")),
        *((("network", Ref("network")),) if context.plan.has_cluster(context.placement) else ()),
        ("account", account),
        ("container", container),
        ("versioned", store.versioned),
        *((("retention_days", days),) if days is not None else ()),
        *((("expire", expire),) if expire else ()),
        *((("lock", {"mode": lock.mode, "days": whole_days(lock.retain_s)}),) if lock is not None else ()),
        *((("redundancy", redundancy),) if (redundancy := redundancy_of(context.system)) != "LRS" else ()),
        *((("shared", True),) if _is_shared(store, context) else ()),
    )
    return Call(store_variable(store.called), "ObjectStore", store.called, arguments, GROUP, resource.origin)


def _is_shared(store: Store, context: Context) -> bool:
    """Return whether a store of a target with a network is accessed by workloads on other targets."""
    if not context.plan.has_cluster(context.placement):
        return False
    return any(
        access.store == store.name
        for resource in context.plan.of(Identity)
        if resource.placement != context.placement
        for access in access_in("azure", resource.value, context.system)
    )


def _database(resource: Resource[Store], context: Context) -> Call:
    store = resource.value
    standby = has_standby(store, context)
    arguments: tuple[tuple[str, Literal], ...] = (
        ("group", Ref("group")),
        ("key", Ref("key")),
        ("network", Ref("network")),
        ("login", Ref(login_variable(store.called))),
        ("server", server_name(context.system, context.placement, store.called)),
        ("database", database_name(store)),
        ("storage_gib", disk_gib(store.size_bytes or 0)),
        ("machine", ENTERPRISE_DATABASE if context.enterprise or standby else DATABASE),
        ("version", postgresql_version()),
        ("replicas", standby),
        ("backup_days", _ENTERPRISE_BACKUP_DAYS if context.enterprise else _BACKUP_DAYS),
    )
    return Call(store_variable(store.called), "Database", store.called, arguments, GROUP, resource.origin)
