"""Resources that hold data: buckets, databases and the image registry. Adopted resources aren't touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.plan import Kind, Resource, expiries
from modelyard.program import Call, Literal, Ref
from modelyard.spec import Store, target_path
from modelyard_targets.aws.foundation import log_days
from modelyard_targets.aws.login import login_name
from modelyard_targets.aws.names import cluster_name, repository
from modelyard_targets.aws.versions import postgresql_version
from modelyard_targets.cloud.data import has_registry, login_variable, managed_databases, store_variable, whole_days
from modelyard_targets.kube.placement.context import Context, database_name
from modelyard_targets.kube.placement.placed import managed_stores
from modelyard_targets.kube.storage.buckets import bucket_name

GROUP: Final = "data"
_GI: Final = 1024**3

ENTERPRISE_DATABASE: Final = "db.m7g.large"
DATABASE: Final = "db.t4g.small"
"""The instance classes of databases, in enterprise systems and in others: 2 vCPUs each, with 8 and 2 GiB. The
registry's tables are small, and only the start and end of runs cause load.
"""

_ENTERPRISE_BACKUP_DAYS: Final = 35
_BACKUP_DAYS: Final = 7


def storage_calls(context: Context) -> Iterator[Call]:
    """Yield components for each managed object store's bucket and each managed database including its login."""
    for resource in managed_stores(context.plan, context.placement, Kind.OBJECT_STORE):
        yield _bucket(resource, context)
    for resource in managed_databases(context):
        yield _database(resource, context)
        yield _login(resource, context)


def image_calls(context: Context) -> Iterator[Call]:
    """Yield the account's image registry if the target needs a runtime image and doesn't name another registry."""
    if not has_registry(context):
        return
    arguments: tuple[tuple[str, Literal], ...] = (
        ("account", Ref("account")),
        ("key", Ref("key")),
        ("repositories", (repository(context.system, context.placement),)),
    )
    name = cluster_name(context.system, context.placement)
    yield Call("images", "ImageRegistry", name, arguments, GROUP, target_path(context.system, context.placement))


def database_machine(context: Context) -> str:
    """Return the instance class of a managed database."""
    return ENTERPRISE_DATABASE if context.enterprise else DATABASE


def _login(resource: Resource[Store], context: Context) -> Call:
    store = resource.value
    arguments: tuple[tuple[str, Literal], ...] = (
        ("account", Ref("account")),
        ("key", Ref("key")),
        ("cluster", Ref("cluster")),
        ("database", Ref(store_variable(store.called))),
        ("namespace", context.namespace),
        ("service_account", login_name(store)),
    )
    return Call(login_variable(store.called), "DatabaseLogin", store.called, arguments, GROUP, resource.origin)


def _bucket(resource: Resource[Store], context: Context) -> Call:
    store = resource.value
    days = whole_days(store.retention_s) if store.retention_s is not None else None
    expire: dict[str, Literal] = {**expiries(context.system, store)}
    lock = store.object_lock
    arguments: tuple[tuple[str, Literal], ...] = (
        ("account", Ref("account")),
        ("key", Ref("key")),
        ("bucket", bucket_name(store, context.system)),
        ("versioned", store.versioned),
        *((("retention_days", days),) if days is not None else ()),
        *((("expire", expire),) if expire else ()),
        *((("lock", {"mode": lock.mode, "days": whole_days(lock.retain_s)}),) if lock is not None else ()),
    )
    return Call(store_variable(store.called), "ObjectStore", store.called, arguments, GROUP, resource.origin)


def _database(resource: Resource[Store], context: Context) -> Call:
    store = resource.value
    replicas = store.replicas if store.replicas is not None else (2 if context.enterprise else 1)
    arguments: tuple[tuple[str, Literal], ...] = (
        ("account", Ref("account")),
        ("key", Ref("key")),
        ("network", Ref("network")),
        ("cluster", Ref("cluster")),
        ("database", database_name(store)),
        ("storage_gib", -(-(store.size_bytes or 0) // _GI)),
        ("machine", database_machine(context)),
        ("version", postgresql_version()),
        ("replicas", replicas > 1),
        ("backup_days", _ENTERPRISE_BACKUP_DAYS if context.enterprise else _BACKUP_DAYS),
        ("log_days", log_days(context.system)),
    )
    return Call(store_variable(store.called), "Database", store.called, arguments, GROUP, resource.origin)
