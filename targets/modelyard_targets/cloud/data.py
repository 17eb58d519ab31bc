"""What a cloud's infrastructure project creates for a placement's data, and the variable names it uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.plan import Access, Kind, Plan, Resource
from modelyard.spec import Store
from modelyard_targets.kube.image.needed import needs_runtime_image
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import managed_stores

_DAY_S: Final = 86400


def has_registry(context: Context) -> bool:
    """Return whether images are stored in a registry created by the infrastructure project."""
    return not context.target.images.registry and needs_runtime_image(context.plan, context.placement)


def has_buckets(plan: Plan, placement: str) -> bool:
    """Return whether a placement creates object stores."""
    return bool(managed_stores(plan, placement, Kind.OBJECT_STORE))


def managed_databases(context: Context) -> tuple[Resource[Store], ...]:
    """Return the databases created on this placement."""
    return managed_stores(context.plan, context.placement, Kind.DATABASE)


def creates_anything(plan: Plan, placement: str) -> bool:
    """Return whether the target creates any resources, i.e. has a cluster or a store that isn't adopted."""
    return plan.has_cluster(placement) or has_buckets(plan, placement)


def created_stores(accesses: Iterable[Access], context: Context) -> Iterator[str]:
    """Yield the accessed stores that this placement creates. Access can only be granted once they exist."""
    stores = [context.system.stores[name] for name in dict.fromkeys(access.store for access in accesses)]
    return (store.called for store in stores if not store.adopt and store.target == context.placement)


def store_variable(store: str) -> str:
    """Return the program variable for an object store or database. The suffix prevents name collisions."""
    return f"{store}_store"


def login_variable(store: str) -> str:
    """Return the program's variable for a database's login."""
    return f"{store}_login"


def whole_days(seconds: int) -> int:
    """Convert seconds to whole days, rounded up."""
    return -(-seconds // _DAY_S)
