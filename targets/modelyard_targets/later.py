"""Targets for providers that the schema allows but modelyard does not support yet."""

from __future__ import annotations

from typing import Final

from modelyard.plan import Hardware, Kind, Plan
from modelyard.spec import ComputeClass, TargetSpec
from modelyard.stack import Stack
from modelyard.target import Catalog, NotYet, Pins, Target
from modelyard.usage import Usage

REASONS: Final = {
    "local": "running on this machine with `modelyard run` is planned for a later version",
}


def later(name: str) -> Target:
    """Return a target whose catalog marks every kind as not supported yet."""
    catalog: Catalog = {kind: NotYet(REASONS[name]) for kind in Kind}
    is_cloud = name != "local"
    return Target(name, catalog, _any_machine, _nothing, _lower, _nothing, _no_pins, _no_lines, in_cloud=is_cloud)


def _no_lines(plan: Plan, placement: str, usage: Usage) -> tuple[()]:
    return ()


def _any_machine(compute: ComputeClass, target: TargetSpec) -> Hardware:
    """Pretend that a machine fits, so that the only error is that the provider is not supported."""
    accelerator = compute.accelerators[0] if compute.accelerators else None
    return Hardware(
        compute=compute.name,
        cpu_millis=compute.cpu_millis,
        memory_bytes=compute.memory_bytes,
        disk_bytes=compute.disk_bytes,
        accelerator=accelerator,
        machine="",
        spot=compute.capacity == "spot",
        selector=(),
        tolerations=(),
        price_hourly=None,
        considered=(),
    )


def _lower(plan: Plan, placement: str) -> Stack:
    raise AssertionError(f"target {placement} was to be lowered although its catalog refuses everything")


def _nothing(plan: Plan, placement: str) -> tuple[()]:
    return ()


def _no_pins(plan: Plan, placement: str) -> Pins:
    return Pins()
