"""The `azure` target: AKS with network, machines, stores and identities in one resource group and region."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from modelyard.costs import CostLine
from modelyard.effects import Effects
from modelyard.plan import Plan
from modelyard.program import Call
from modelyard.stack import Manifest, Stack
from modelyard.target import Object, Pins, Target
from modelyard.usage import Usage
from modelyard_targets.azure.catalog import CATALOG
from modelyard_targets.azure.check import check
from modelyard_targets.azure.hardware import choose, choose_system
from modelyard_targets.azure.options import resolve_options
from modelyard_targets.cloud.existing import on_existing_without_accelerators
from modelyard_targets.kube.network.envoy import CLASS

if TYPE_CHECKING:
    from modelyard.handover import CopyJob, Handover

# Lowering is imported on demand: `validate` runs on every save of a spec and does not need it.


def _lower(plan: Plan, placement: str) -> Stack:
    from modelyard_targets.azure.lower import lower

    return lower(plan, placement)


def _objects(plan: Plan, placement: str) -> Iterable[Object]:
    from modelyard_targets.azure.lower import objects

    return objects(plan, placement)


def _calls(plan: Plan, placement: str) -> Iterable[Call]:
    from modelyard_targets.azure.lower import calls

    return calls(plan, placement)


def _pins(plan: Plan, placement: str) -> Pins:
    from modelyard_targets.azure.platform import context_of
    from modelyard_targets.kube.project.pins import pins_of

    return pins_of(context_of(plan, placement))


def _lines(plan: Plan, placement: str, usage: Usage) -> Iterable[CostLine]:
    from modelyard_targets.azure.costs import COSTS

    return COSTS.lines(plan, placement, usage)


def _price_items() -> Collection[str]:
    from modelyard_targets.azure.costs import COSTS

    return COSTS.price_items()


def _effects() -> Effects:
    from modelyard_targets.effects import effects_of

    return effects_of("azure")


def _handover(plan: Plan, placement: str, usage: Usage) -> Handover:
    from modelyard.handover import Quota
    from modelyard_targets.azure.costs import COSTS
    from modelyard_targets.azure.platform import context_of
    from modelyard_targets.azure.quotas import quotas
    from modelyard_targets.kube.project.handover import handover_of

    needed = (Quota(quota.what, quota.metric, quota.needed) for quota in quotas(plan, placement))
    return handover_of(context_of(plan, placement), needed, COSTS.egress(plan, placement, usage))


def _copy(plan: Plan, placement: str, job: CopyJob) -> Iterable[Manifest]:
    from modelyard_targets.azure.platform import context_of
    from modelyard_targets.kube.project.copying import copy_objects

    return copy_objects(job, context_of(plan, placement))


TARGET = Target(
    name="azure",
    catalog=CATALOG,
    choose=choose,
    choose_system=choose_system,
    check=check,
    lines=_lines,
    price_items=_price_items,
    lower=_lower,
    objects=_objects,
    calls=_calls,
    gateway_class=CLASS,
    diagnostics="modelyard_targets.azure.diagnostics",
    resolve_options=resolve_options,
    in_cloud=True,
    effects=_effects,
    on_existing=on_existing_without_accelerators,
    secrets_via="secrets-manager",
    pins=_pins,
    handover=_handover,
    copy=_copy,
)
