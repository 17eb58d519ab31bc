"""Check that workloads can access the addresses of their datasets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import stores as problems
from modelyard.diagnostics.base import Diagnostic, quote
from modelyard.plan import Plan
from modelyard.spec import Store, TargetSpec
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.kube.storage.addressed import addressed
from modelyard_targets.kube.storage.buckets import driver_of
from modelyard_targets.kube.storage.clouds import DRIVERS, cloud_storage

_ON_DISK: Final = "file"
"""The scheme of local files, which a separate rule refuses for pipelines on clusters."""


def check_addresses(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report datasets with an unknown protocol, or in a cloud where their workloads have no identity."""
    target = target_of(plan, placement)
    reported: set[str] = set()
    for resource in plan.on(placement):
        for dataset in addressed(resource, plan.system):
            why, hint = _unopened(dataset.uri, target)
            if why and dataset.name not in reported:
                reported.add(dataset.name)
                where = plan.system.at("data", dataset.name, "uri")
                yield problems.address_not_opened(where, dataset.name, dataset.uri, why, hint)


def check_buckets(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report adopted buckets whose address has a storage account but shouldn't, or the other way around.

    Buckets on other placements are included, because their addresses occur in objects here, which must be emitted to
    check overrides.
    """
    for store in (resource.value for resource in plan.of(Store)):
        if store.type != "object" or not store.adopt:
            continue
        driver = driver_of(store, plan.system)
        if bool(driver.domain) != ("@" in store.adopt):
            where = plan.system.at("stores", store.name, "adopt")
            yield problems.bucket_account(where, store.name, store.adopt, driver.example)


def _unopened(uri: str, target: TargetSpec) -> tuple[str, str]:
    scheme = uri.partition(":")[0]
    own = cloud_storage(target.provider).driver
    hint = f"write {own.uri(own.example, 'PATH')}"
    if scheme == _ON_DISK:
        return "", ""
    if scheme not in DRIVERS:
        return f"workloads cannot read {scheme}: addresses", hint
    if scheme != own.scheme:
        why = f"workloads on target {quote(target.name)} have no identity with access to it"
        return why, "copy the data to a store on the target, and set `store` and `path`"
    return ("", "") if own.opens(uri) else ("this address is incomplete", hint)
