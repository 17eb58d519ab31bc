"""Look up a placement's target, registry, stores and add-ons."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from modelyard.plan import AlertRules, Cluster, Hardware, Kind, Plan, RegistryServer, Resource, SystemPool, is_adopted
from modelyard.spec import Pipeline, Store, TargetSpec
from modelyard_targets.kube.placement.context import Context

_PLACEMENTS: Final = 4
"""How many contexts to cache."""


def target_of(plan: Plan, placement: str) -> TargetSpec:
    """Return a placement's target."""
    return plan.system.target(placement)


def registry_of(plan: Plan, placement: str) -> Resource[RegistryServer] | None:
    """Return the registry that runs on a placement, or None if it runs elsewhere, is adopted, or is not needed."""
    return next((server for server in plan.of(RegistryServer, placement) if not is_adopted(server)), None)


def managed_stores(plan: Plan, placement: str, kind: Kind) -> tuple[Resource[Store], ...]:
    """Return the buckets or databases that a placement creates."""
    return tuple(store for store in plan.of(Store, placement) if store.kind is kind and not is_adopted(store))


def system_machine(plan: Plan, placement: str) -> Hardware | None:
    """Return the machine for Pods without a compute class, or None if the scheduler decides."""
    return next((pool.value.hardware for pool in plan.of(SystemPool, placement)), None)


def addons_needed(plan: Plan, placement: str) -> tuple[str, ...]:
    """Return all add-ons the system needs on a placement, including those already in the cluster."""
    return next((cluster.value.addons for cluster in plan.of(Cluster, placement)), ())


def addons_to_install(plan: Plan, placement: str) -> tuple[str, ...]:
    """Return the needed add-ons that aren't in the cluster yet, in installation order."""
    present = target_of(plan, placement).present
    return tuple(addon for addon in addons_needed(plan, placement) if addon not in present)


@lru_cache(maxsize=_PLACEMENTS)
def watched_pipelines(context: Context) -> tuple[Pipeline, ...]:
    """Return a placement's pipelines that have alerts on their runs."""
    rules = (entry.value for entry in context.plan.of(AlertRules, context.placement))
    return tuple(entry.pipeline for entry in rules if entry.pipeline is not None)


def shows_jobs(context: Context) -> bool:
    """Return whether our Prometheus includes kube-state-metrics. At the edge, this is only so if alerts need it."""
    rules = (entry.value for entry in context.plan.of(AlertRules, context.placement))
    by_alerts = (
        entry.monitor.type == "performance" and entry.monitor.watch.startswith("pipelines.")
        if entry.monitor is not None
        else entry.registry is not None
        for entry in rules
    )
    scheduled = (context.launched(entry) for entry in watched_pipelines(context))
    return not context.target.edge or any(scheduled) or any(by_alerts)


@lru_cache(maxsize=_PLACEMENTS)
def installed_addons(context: Context) -> tuple[str, ...]:
    """Return the add-ons installed by a placement's program: the platform's, then the system's."""
    plan, placement = context.plan, context.placement
    own = tuple(addon for addon in context.platform.addons(plan, placement) if addon not in context.target.present)
    return (*own, *(addon for addon in addons_to_install(plan, placement) if addon not in own))
