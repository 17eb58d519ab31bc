"""Look-ups on a placement: its target, its registry, and the add-ons to install."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from modelyard.plan import AlertRules, Cluster, Kind, Plan, RegistryServer, Resource
from modelyard.spec import Pipeline, TargetSpec
from modelyard_targets.kube.placement.context import Context

_PLACEMENTS: Final = 4
"""How many contexts are cached; each is queried for every model."""


def target_of(plan: Plan, placement: str) -> TargetSpec:
    """Return the target of a placement."""
    return plan.system.target(placement)


def registry_of(plan: Plan, placement: str) -> Resource | None:
    """Return the registry that runs on a placement; None if it is elsewhere, adopted or not needed."""
    for resource in plan.on(placement):
        if isinstance(resource.value, RegistryServer) and not resource.value.registry.adopt:
            return resource
    return None


def addons_to_install(plan: Plan, placement: str) -> tuple[str, ...]:
    """Return the add-ons that the system needs and the cluster lacks, in the order of installation."""
    for resource in plan.on(placement):
        if resource.kind is Kind.CLUSTER and isinstance(resource.value, Cluster):
            present = resource.value.target.present
            return tuple(addon for addon in resource.value.addons if addon not in present)
    return ()


@lru_cache(maxsize=_PLACEMENTS)
def watched_pipelines(context: Context) -> tuple[Pipeline, ...]:
    """Return the pipelines of a placement whose runs have alerts."""
    rules = (one.value for one in context.plan.on(context.placement) if isinstance(one.value, AlertRules))
    return tuple(one.pipeline for one in rules if one.pipeline is not None)


def shows_jobs(context: Context) -> bool:
    """Return whether our Prometheus includes kube-state-metrics: always, or at the edge only if alerts need it."""
    rules = (one.value for one in context.plan.on(context.placement) if isinstance(one.value, AlertRules))
    asked = (
        one.monitor.type == "performance" and one.monitor.watch.startswith("pipelines.")
        if one.monitor is not None
        else one.registry is not None
        for one in rules
    )
    scheduled = (context.launched(one) for one in watched_pipelines(context))
    return not context.target.edge or any(scheduled) or any(asked)


@lru_cache(maxsize=_PLACEMENTS)
def installed_addons(context: Context) -> tuple[str, ...]:
    """Return the add-ons that a placement's program installs: the platform's, then the system's."""
    plan, placement = context.plan, context.placement
    own = tuple(addon for addon in context.platform.addons(plan, placement) if addon not in context.target.present)
    return (*own, *(addon for addon in addons_to_install(plan, placement) if addon not in own))
