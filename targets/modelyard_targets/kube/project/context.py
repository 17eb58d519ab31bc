"""Build a placement's context with its runtime image and registry."""

from __future__ import annotations

from functools import cache

from modelyard.plan import Plan
from modelyard.records import replace
from modelyard_targets.kube.placement.charts import charts
from modelyard_targets.kube.placement.context import REGISTRY_PORT, Context, context_for, namespace_of
from modelyard_targets.kube.placement.fixed import REGISTRY_NAME
from modelyard_targets.kube.placement.placed import registry_of, system_machine
from modelyard_targets.kube.placement.platform import Platform


def context_of(plan: Plan, placement: str, platform: Platform) -> Context:
    """Return a placement's context on the given platform."""
    target = platform.target(plan, placement)
    prefix = target.images.registry or platform.image_prefix(plan, placement)
    prefixed = replace(target, images=replace(target.images, registry=prefix))
    support = system_machine(plan, placement)
    namespace = namespace_of(plan, placement)
    here = registry_of(plan, placement) is not None

    def image() -> str:
        from modelyard_targets.kube.image.runtime_image import runtime_image  # validate does not need it

        return runtime_image(plan.system, prefixed)

    return context_for(
        plan,
        placement,
        runtime_image=cache(image),
        registry_uri=f"http://{REGISTRY_NAME}.{namespace}.svc.cluster.local:{REGISTRY_PORT}" if here else "",
        operator_namespace=charts()["kuberay"].namespace,
        support_selector=support.selector if support is not None else (),
        support_tolerations=support.tolerations if support is not None else (),
        platform=platform,
    )
