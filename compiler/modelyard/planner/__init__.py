"""Decide which resources a system needs, where and in what order to create them, and how to link them."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.diagnostics.base import Diagnostic, has_errors, in_order
from modelyard.plan import Offer, Plan
from modelyard.planner.crossings import check_crossings
from modelyard.planner.draft import Draft
from modelyard.planner.endpoints import plan_inference, plan_pools
from modelyard.planner.fleets import check_fleets, plan_site_alerts
from modelyard.planner.monitors import plan_monitor
from modelyard.planner.moved import check_moved
from modelyard.planner.names import check_names
from modelyard.planner.pipelines import plan_pipeline
from modelyard.planner.platform import finish, plan_registry, plan_stores
from modelyard.planner.promoter import plan_promoter
from modelyard.planner.starters import plan_starters
from modelyard.spec import System

__all__ = ["plan"]


def plan(system: System, offers: Mapping[str, Offer]) -> tuple[Plan | None, tuple[Diagnostic, ...]]:
    """Plan a checked system. The plan is None if any part of it can't be planned.

    `offers` holds the targets' planning inputs by name. Planning takes time linear in the size of the spec.
    """
    draft = Draft(system, offers)
    draft.report(check_moved(system))
    plan_stores(draft)
    plan_registry(draft)
    for pipeline in system.pipelines.values():
        plan_pipeline(draft, pipeline)
    plan_pools(draft)
    for inference in system.inference.values():
        plan_inference(draft, inference)
    for monitor in system.monitors.values():
        plan_monitor(draft, monitor)
    plan_promoter(draft)
    plan_starters(draft)
    plan_site_alerts(draft)
    planned = finish(draft)
    if not has_errors(draft.diagnostics):
        draft.report(check_names(planned))
        draft.report(check_crossings(planned))
        draft.report(check_fleets(planned))
    diagnostics = in_order(draft.diagnostics)
    return (None if has_errors(diagnostics) else planned), diagnostics
