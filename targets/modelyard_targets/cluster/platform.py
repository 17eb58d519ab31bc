"""What differs between the platforms that a cluster stands on, as far as its workloads can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

from modelyard.plan import Plan
from modelyard.records import record
from modelyard.spec import Taint, TargetSpec

Where: TypeAlias = tuple[tuple[tuple[str, str], ...], tuple[Taint, ...]]
"""Labels of the machines that Pods are put on, and the taints that they tolerate."""


def anywhere(plan: Plan, target: TargetSpec) -> Where:
    """Wherever the scheduler likes."""
    return (), ()


def unbounded(plan: Plan, placement: str) -> Mapping[str, str]:
    """No ResourceQuota: what there may be at most is said elsewhere."""
    return {}


def unpriced(plan: Plan, placement: str) -> Iterable[tuple[str, str]]:
    """Nothing is known of what it costs."""
    return ()


@record
class Platform:
    """The functions of one provider that the workloads project of any cluster asks."""

    support: Callable[[Plan, TargetSpec], Where] = anywhere  # machines for heads, submitters, launchers, the registry
    quota: Callable[[Plan, str], Mapping[str, str]] = unbounded  # plan, placement: the namespace's ResourceQuota
    costs: Callable[[Plan, str], Iterable[tuple[str, str]]] = unpriced  # plan, placement: rows of the README's table
