"""Checks for stores Azure can't provide, e.g. invalid names or sizes, or features of other services."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from modelyard.diagnostics import stores as store_problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.manifest import memory_text
from modelyard.patterns import pattern
from modelyard.plan import Plan
from modelyard.spec import Store, System, TargetSpec
from modelyard_targets.azure.diagnostics import data as problems
from modelyard_targets.azure.storage import DISK_STEPS, account_of
from modelyard_targets.cloud import check_stores as clouds
from modelyard_targets.kube.storage.addressed import addressed

_GI: Final = 1024**3
_CONTAINER: Final = pattern("[a-z0-9](-?[a-z0-9]){2,62}")


def check_stores(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Check every store of a placement, and the database behind its registry."""
    yield from clouds.check_stores(plan, placement, partial(clouds.check_bucket, service=_SERVICE), _check_database)


def check_addresses(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report datasets in storage accounts that aren't stores in the spec, since workloads can't access them."""
    reported: set[str] = set()
    for resource in plan.on(placement):
        for dataset in addressed(resource, plan.system):
            if dataset.uri.startswith("abfss:") and dataset.name not in reported:
                reported.add(dataset.name)
                where = plan.system.at("data", dataset.name, "uri")
                why = "workloads on Azure can access only stores"
                hint = "adopt the container as a store, and set `store` and `path`"
                yield store_problems.address_not_opened(where, dataset.name, dataset.uri, why, hint)


def _check_container(store: Store, system: System) -> Iterator[Diagnostic]:
    container = account_of(store, system)[0]
    if store.adopt and not _CONTAINER.fullmatch(container):
        why = "names may have 3 to 63 letters, digits and single hyphens"
        yield problems.container_refused(system.at("stores", store.name, "adopt"), container, why)


def _check_database(store: Store, system: System, target: TargetSpec) -> Iterator[Diagnostic]:
    yield from clouds.check_login(store, system)
    if store.adopt:
        return
    size = store.size_bytes or 0
    if size > DISK_STEPS[-1] * _GI:
        yield problems.database_size(system.at("stores", store.name, "size"), store.name, memory_text(size))
    yield from clouds.check_standby(store, system, problems.one_standby)


_SERVICE: Final = clouds.ObjectService(
    name="Blob Storage",
    created="account",
    unusable_field=problems.not_of_this_store,
    other_region=problems.created_in_other_region,
    check_name=_check_container,
)
