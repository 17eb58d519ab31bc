"""The gateway for a Google Cloud cluster, created if a route needs one and the spec doesn't name one."""

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
    """Configure a passthrough load balancer, internal unless the exposure is public. GKE defaults to public.

    An internal load balancer accepts clients from every region, even via VPN. By default, it would only accept clients
    in its own region.

    Source: docs.cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer-parameters, 2026-11-27.
    """
    if exposure == "public":
        return {"cloud.google.com/l4-rbs": "enabled"}
    return {
        "networking.gke.io/load-balancer-type": "Internal",
        "networking.gke.io/internal-load-balancer-allow-global-access": "true",
    }
