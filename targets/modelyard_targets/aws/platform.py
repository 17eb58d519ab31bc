"""What EKS says of itself to the workloads project of any cluster: where Pods of the platform go, what nodes cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.plan import Plan
from modelyard.spec import TargetSpec
from modelyard_targets.aws.budget import cost_rows
from modelyard_targets.aws.names import SYSTEM_POOL
from modelyard_targets.cluster.context import Context
from modelyard_targets.cluster.placed import context_of as context_on
from modelyard_targets.cluster.platform import Platform, Where


def context_of(plan: Plan, placement: str) -> Context:
    """The context of a placement in AWS."""
    return context_on(plan, placement, PLATFORM)


def _support(plan: Plan, target: TargetSpec) -> Where:
    """Heads, what starts runs, and the registry: on the system pool, which has no taint."""
    return (("modelyard.dev/pool", SYSTEM_POOL),), ()


def _costs(plan: Plan, placement: str) -> Iterator[tuple[str, str]]:
    yield from cost_rows(plan, placement)


PLATFORM: Final = Platform(support=_support, costs=_costs)
