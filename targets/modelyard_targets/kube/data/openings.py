"""Endpoints and credentials that workloads use for object stores."""

from __future__ import annotations

from modelyard.spec import Store
from modelyard_targets.kube.data.crossing import crossing_to
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.storage.buckets import driver_of, region_of
from modelyard_targets.kube.storage.driver import Credentials, Opening


def opening_of(store: Store, workload: str, context: Context) -> Opening:
    """Return the endpoint, region and credentials that a workload uses for a store."""
    return Opening(store.endpoint, region_of(store, context.system), credentials_of(store, workload, context))


def credentials_of(store: Store, workload: str, context: Context) -> Credentials | None:
    """Return a store's credentials, set in the spec or created for cross-target access, or None if not needed."""
    credentials = store.credentials_of(workload)
    if credentials is not None:
        return driver_of(store, context.system).secret(context.secret(credentials).name)
    crossing = crossing_to(store, workload, context)
    return Credentials(crossing.secret, crossing.keys) if crossing is not None else None
