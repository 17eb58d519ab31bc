"""What a cluster of somebody else's cannot honour of a plan."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, TypeAlias

from modelyard.diagnostics import platform as problems
from modelyard.diagnostics.base import Diagnostic, has_errors
from modelyard.plan import Plan, target_path
from modelyard_targets.cluster.check import check_workloads
from modelyard_targets.cluster.check_settings import check_patches, check_settings
from modelyard_targets.cluster.context import Context
from modelyard_targets.cluster.placed import addons_to_install, target_of
from modelyard_targets.kubernetes.budget import check_prices
from modelyard_targets.kubernetes.capacity import check_capacity
from modelyard_targets.kubernetes.check_stores import check_stores

Rule: TypeAlias = Callable[[Plan, str], Iterator[Diagnostic]]

_WHY: Final = {
    "kuberay": "runs everything here",
    "prometheus": "carries the alerts",
    "external-secrets": "brings the secrets",
    "cloudnative-pg": "runs the database",
}


def check(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Everything that lowering relies on, told at the line that asks for it."""
    if not plan.on(placement):
        return
    target = target_of(plan, placement)
    found = [*check_workloads(plan, placement, target), *check_settings(plan, placement, target)]
    found += [problem for rule in CHECKS for problem in rule(plan, placement)]
    yield from found
    if not has_errors(found):  # patches are tried on what is emitted, and nothing is before all else holds
        yield from check_patches(plan, placement, lambda: _context(plan, placement))


def _context(plan: Plan, placement: str) -> Context:
    from modelyard_targets.kubernetes.platform import context_of

    return context_of(plan, placement)


def check_tenancy(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """A tenant installs nothing that serves the whole cluster."""
    target = target_of(plan, placement)
    if target.tenancy != "shared":
        return
    where = plan.system.key(*target_path(plan.system, placement), "tenancy")
    for addon in addons_to_install(plan, placement):
        yield problems.shared_without_addon(where, placement, addon, _WHY[addon])


CHECKS: Final[tuple[Rule, ...]] = (
    check_stores,
    check_tenancy,
    check_capacity,
    check_prices,
)
