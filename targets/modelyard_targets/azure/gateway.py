"""The gateway for an Azure cluster, created if a route needs one and the spec doesn't name an existing one."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.plan import Plan
from modelyard.records import replace
from modelyard.spec import Gateway, TargetSpec
from modelyard_targets.kube.network.envoy import CLASS, ENVOY
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import addons_needed, target_of


def filled_in(plan: Plan, placement: str) -> TargetSpec:
    """Return a copy of the target, filling in the gateway modelyard creates and its controller's capabilities."""
    target = target_of(plan, placement)
    if ENVOY not in addons_needed(plan, placement):
        return target
    return replace(target, gateway=replace(target.gateway or Gateway(class_name=CLASS), mirrors=True))


def gateway_annotations(exposure: str, context: Context) -> Mapping[str, str]:
    """Use a load balancer inside the nodes' network unless the exposure is public. Azure defaults to public.

    Source: learn.microsoft.com/azure/aks/internal-lb, 2026-11-25.
    """
    if exposure == "public":
        return {}
    return {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"}
