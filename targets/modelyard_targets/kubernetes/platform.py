"""An existing cluster as a platform: its quota and the cost of its machines."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.costs import total
from modelyard.plan import Plan
from modelyard.units import money_text
from modelyard.usage import NO_USAGE
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.placed import target_of
from modelyard_targets.kube.placement.platform import Platform
from modelyard_targets.kube.project.context import context_of as context_on
from modelyard_targets.kubernetes.budget import lines
from modelyard_targets.kubernetes.capacity import quota


def context_of(plan: Plan, placement: str) -> Context:
    """Return the context of a placement on an existing cluster."""
    return context_on(plan, placement, PLATFORM)


def _costs(plan: Plan, placement: str) -> Iterator[tuple[str, str]]:
    capacity = target_of(plan, placement).capacity
    priced = [machine for machine in capacity if machine.price_hourly is not None]
    if priced and len(priced) == len(capacity):
        high = money_text(total(lines(plan, placement, NO_USAGE)).ceiling, priced[0].currency)
        yield "machines cost at most", f"{high} a month, if everything runs at its largest all the time"


PLATFORM: Final = Platform(quota=quota, costs=_costs)
