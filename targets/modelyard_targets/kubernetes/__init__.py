"""The `kubernetes` target, for any existing conformant cluster on premises, in a private cloud or at the edge."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from modelyard.costs import CostLine
from modelyard.effects import Effects
from modelyard.plan import Plan
from modelyard.stack import Manifest, Stack
from modelyard.target import Object, Pins, Target
from modelyard.usage import Usage
from modelyard_targets.kube.existing.choose import choose, choose_system
from modelyard_targets.kubernetes.catalog import CATALOG
from modelyard_targets.kubernetes.check import check

if TYPE_CHECKING:
    from modelyard.handover import CopyJob, Handover

# Lowering is imported on demand: `validate` runs at every save of a spec and does not need it.


def _lower(plan: Plan, placement: str) -> Stack:
    from modelyard_targets.kubernetes.lower import lower

    return lower(plan, placement)


def _objects(plan: Plan, placement: str) -> Iterable[Object]:
    from modelyard_targets.kubernetes.lower import objects

    return objects(plan, placement)


def _pins(plan: Plan, placement: str) -> Pins:
    from modelyard_targets.kube.project.pins import pins_of
    from modelyard_targets.kubernetes.platform import context_of

    return pins_of(context_of(plan, placement))


def _lines(plan: Plan, placement: str, usage: Usage) -> Iterable[CostLine]:
    from modelyard_targets.kube.existing.budget import lines

    return lines(plan, placement, usage)


def _effects() -> Effects:
    from modelyard_targets.effects import effects_of

    return effects_of("kubernetes")


def _handover(plan: Plan, placement: str, usage: Usage) -> Handover:
    from modelyard_targets.kube.project.handover import handover_of
    from modelyard_targets.kubernetes.platform import context_of

    return handover_of(context_of(plan, placement))


def _copy(plan: Plan, placement: str, job: CopyJob) -> Iterable[Manifest]:
    from modelyard_targets.kube.project.copying import copy_objects
    from modelyard_targets.kubernetes.platform import context_of

    return copy_objects(job, context_of(plan, placement))


TARGET = Target(
    name="kubernetes",
    catalog=CATALOG,
    choose=choose,
    choose_system=choose_system,
    check=check,
    lines=_lines,
    lower=_lower,
    objects=_objects,
    pins=_pins,
    effects=_effects,
    handover=_handover,
    copy=_copy,
    secrets_via="external-secrets",
)
