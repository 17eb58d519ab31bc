"""A placement on a cluster, as everything here sees it: the context of lowering, and what is to be installed."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from modelyard.plan import AlertRules, Cluster, Kind, Plan, RegistryServer, Resource
from modelyard.records import replace
from modelyard.spec import Pipeline, TargetSpec
from modelyard_targets.cluster.charts import charts
from modelyard_targets.cluster.context import REGISTRY_PORT, Context, context_for
from modelyard_targets.cluster.fixed import REGISTRY_NAME
from modelyard_targets.cluster.platform import Platform

_PLACEMENTS: Final = 4
"""How many contexts have their answers kept: each is asked for once for every model."""


def context_of(plan: Plan, placement: str, platform: Platform) -> Context:
    """The context of a placement on a cluster of this platform."""
    # What only asks for a target or its add-ons needs no image, and not the modules that read its files.
    from modelyard_targets.cluster.runtime_image import runtime_image

    target = platform.target(plan, placement)
    prefix = target.images.registry or platform.image_prefix(plan, placement)
    selector, tolerations = platform.support(plan, target)
    namespace = target.namespace or plan.system.metadata.name
    here = registry_of(plan, placement) is not None
    return context_for(
        plan,
        placement,
        runtime_image=runtime_image(plan.system, replace(target, images=replace(target.images, registry=prefix))),
        registry_uri=f"http://{REGISTRY_NAME}.{namespace}.svc.cluster.local:{REGISTRY_PORT}" if here else "",
        operator_namespace=charts()["kuberay"].namespace,
        support_selector=selector,
        support_tolerations=tolerations,
        platform=platform,
    )


def target_of(plan: Plan, placement: str) -> TargetSpec:
    """The target of a placement."""
    return plan.system.target(placement)


def registry_of(plan: Plan, placement: str) -> Resource | None:
    """The registry that runs on a placement; None where it is elsewhere, adopted or not needed."""
    for resource in plan.on(placement):
        if isinstance(resource.value, RegistryServer) and not resource.value.registry.adopt:
            return resource
    return None


def addons_to_install(plan: Plan, placement: str) -> tuple[str, ...]:
    """Add-ons that the system needs and that the cluster does not have, in the order of their installation."""
    for resource in plan.on(placement):
        if resource.kind is Kind.CLUSTER and isinstance(resource.value, Cluster):
            present = resource.value.target.present
            return tuple(addon for addon in resource.value.addons if addon not in present)
    return ()


@lru_cache(maxsize=_PLACEMENTS)
def watched_pipelines(context: Context) -> tuple[Pipeline, ...]:
    """The pipelines of a placement whose runs have alerts."""
    rules = (one.value for one in context.plan.on(context.placement) if isinstance(one.value, AlertRules))
    return tuple(one.pipeline for one in rules if one.pipeline is not None)


def shows_jobs(context: Context) -> bool:
    """Whether a Prometheus that is installed here brings kube-state-metrics: at the edge only where alerts need it."""
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
    """What the program of a placement installs: what its platform needs itself, then what the system needs."""
    plan, placement = context.plan, context.placement
    own = tuple(addon for addon in context.platform.addons(plan, placement) if addon not in context.target.present)
    return (*own, *(addon for addon in addons_to_install(plan, placement) if addon not in own))
