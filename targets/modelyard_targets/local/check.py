"""Check that this machine can do what the plan requires. notes.py lists features that are only scaled down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Plan
from modelyard.spec import Store, System, target_path
from modelyard_targets.kube.checks.check import check_monitors
from modelyard_targets.kube.checks.machines import check_batches
from modelyard_targets.local.diagnostics import fields as problems

_OF_CLUSTERS: Final = ("images", "secretStores", "telemetry")
_OF_BUCKETS: Final = ("endpoint", "region", "credentials", "credentialsPer", "encryptionKey")


def check(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report settings that have no effect on this machine.

    This also reports monitors and request batches that wouldn't work on any platform.
    """
    yield from _check_target(plan, placement)
    yield from _check_stores(plan, placement)
    yield from _check_overrides(plan, placement)
    registry = plan.system.registry
    if registry is not None and registry.credentials is not None:
        yield problems.registry_login(plan.system.key("registry", "credentials"))
    yield from check_monitors(plan, placement)
    yield from check_batches(plan, placement)


def only_once(system: System) -> Iterator[Diagnostic]:
    """Report every local target after the first."""
    first, *others = (target.name for target in system.deployment.targets if target.provider == "local")
    for name in others:
        yield problems.second_local_target(system.at(*target_path(system, name), "provider"), name, first)


def _check_target(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    system = plan.system
    path = target_path(system, placement)
    for field in _OF_CLUSTERS:
        if field in system.written(*path):
            yield problems.field_of_a_cluster(system.key(*path, field), placement, field)


def _check_stores(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    for store in plan.of(Store, placement):
        name = store.value.name
        for field in _OF_BUCKETS:
            if field in plan.system.written("stores", name):
                yield problems.store_elsewhere(plan.system.key("stores", name, field), name, field)


def _check_overrides(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    for override in plan.system.overrides:
        if override.target == placement:
            yield problems.override_without_objects(
                plan.system.key("overrides", override.name), override.name, placement
            )
