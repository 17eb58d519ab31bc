"""The `local` target, which is this machine, where `modelyard run` executes the system.

It uses a single Ray instance, and folders in place of buckets.
"""

from __future__ import annotations

from modelyard.plan import Plan
from modelyard.stack import Stack
from modelyard.target import Pins, Target
from modelyard.usage import Usage
from modelyard_targets.local.catalog import CATALOG
from modelyard_targets.local.check import check, only_once
from modelyard_targets.local.hardware import choose

# Lowering is imported on demand: `validate` runs at every save of a spec and does not need it.


def _lower(plan: Plan, placement: str) -> Stack:
    from modelyard_targets.local.lower import lower

    return lower(plan, placement)


def _no_objects(plan: Plan, placement: str) -> tuple[()]:
    return ()


def _no_pins(plan: Plan, placement: str) -> Pins:
    return Pins()


def _no_lines(plan: Plan, placement: str, usage: Usage) -> tuple[()]:
    return ()


TARGET = Target(
    name="local",
    catalog=CATALOG,
    choose=choose,
    check=check,
    lower=_lower,
    objects=_no_objects,
    pins=_no_pins,
    lines=_no_lines,
    diagnostics="modelyard_targets.local.diagnostics",
    rules=(only_once,),
    runs_here=True,
)
