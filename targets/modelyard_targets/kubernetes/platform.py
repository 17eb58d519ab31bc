"""An existing cluster as a platform: its quota and the cost of its machines."""

from __future__ import annotations

from typing import Final

from modelyard.plan import Plan
from modelyard_targets.kube.existing.budget import cost_rows
from modelyard_targets.kube.existing.capacity import quota
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.platform import Platform
from modelyard_targets.kube.project.context import context_of as context_on


def context_of(plan: Plan, placement: str) -> Context:
    """Return the context of a placement on an existing cluster."""
    return context_on(plan, placement, PLATFORM)


PLATFORM: Final = Platform(quota=quota, costs=cost_rows)
