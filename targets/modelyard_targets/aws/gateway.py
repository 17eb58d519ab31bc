"""The gateway for an AWS cluster, created if a route needs one and the spec doesn't name an existing one."""

from __future__ import annotations

from modelyard.plan import Plan
from modelyard.records import replace
from modelyard.spec import Gateway, TargetSpec
from modelyard_targets.aws.foundation import addons_of
from modelyard_targets.kube.network.envoy import CLASS, ENVOY
from modelyard_targets.kube.placement.placed import target_of


def filled_in(plan: Plan, placement: str) -> TargetSpec:
    """Return a copy of the target, filling in the gateway modelyard creates and its controller's capabilities."""
    target = target_of(plan, placement)
    if ENVOY not in addons_of(plan, placement):
        return target
    return replace(target, gateway=replace(target.gateway or Gateway(class_name=CLASS), mirrors=True))
