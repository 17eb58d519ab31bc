"""Warnings about machines and scaling: short timeouts, unavailable accelerators, and batches that never fill."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from modelyard.diagnostics import hardware as problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Hardware, Job, ModelServer, Plan, hardware_of
from modelyard_targets.kube.pipelines.machines import GROUP_WAIT_S, longest_start_s
from modelyard_targets.machines.accelerators import unknown_to_trainers

_ON_ACCELERATORS: Final = frozenset({"pytorch", "xgboost"})
"""The built-in trainers that use accelerators."""


def check_timeouts(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report pipelines that time out before the last machine group of a compute class is tried."""
    for resource in plan.of(Job, placement):
        pipeline = resource.value.pipeline
        tried = ceil(pipeline.timeout_s / GROUP_WAIT_S)
        late = [hardware for hardware in resource.value.hardware.values() if len(hardware.groups) > tried]
        if late:
            longest = max(late, key=lambda hardware: len(hardware.groups))
            groups, minutes = len(longest.groups), longest_start_s(late) // 60
            name, span = pipeline.name, plan.system.at("pipelines", pipeline.name, "timeout")
            yield problems.timeout_before_last_group(span, name, longest.compute, groups - tried, groups, minutes)


def check_accelerators(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report accelerator alternatives that none of a compute class's targets offers, on the first target only."""
    by_compute: dict[str, dict[str, Hardware]] = {}
    for resource in plan.resources:
        for _, hardware in hardware_of(resource):
            by_compute.setdefault(hardware.compute, {}).setdefault(resource.placement, hardware)
    for compute, by_target in by_compute.items():
        if next(iter(by_target)) != placement:
            continue
        path = plan.system.compute[compute].path
        for alternative in by_target[placement].passed_over:
            if all(_passes_over(hardware, alternative.position) for hardware in by_target.values()):
                span = plan.system.at(*path, "accelerators", alternative.position)
                name = f"{alternative.accelerator.name}:{alternative.accelerator.count}"
                yield problems.accelerator_passed_over(span, compute, name, placement, alternative.why)


def check_trainers(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report built-in trainers on accelerators that the runtime image does not support."""
    for resource in plan.of(Job, placement):
        pipeline = resource.value.pipeline
        for step in pipeline.steps:
            hardware = resource.value.hardware[step.name]
            offered = (hardware.accelerator, *(group.accelerator for group in hardware.groups))
            names = dict.fromkeys(accelerator.name for accelerator in offered if accelerator is not None)
            for name in names if step.trainer in _ON_ACCELERATORS and not step.source.image else ():
                if why := unknown_to_trainers(name, step.trainer):
                    span = plan.system.key(*plan.system.compute[step.compute].path)
                    yield problems.trainer_without_device(span, step.compute, pipeline.name, name, why)


def check_batches(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Report autoscaled endpoints that add a replica before a request batch can fill up."""
    reported: set[str] = set()
    for resource in plan.of(ModelServer, placement):
        for application in resource.value.applications:
            inference, replicas = application.inference, application.variant.replicas
            scales = replicas.minimum < replicas.maximum
            if not scales or inference.scaling.target >= inference.batching.max_size or inference.name in reported:
                continue
            reported.add(inference.name)
            span = plan.system.at("inference", inference.name, "scaling", "target")
            yield problems.batch_never_fills(
                span, inference.name, inference.batching.max_size, inference.scaling.target
            )


def _passes_over(hardware: Hardware, position: int) -> bool:
    return any(other.position == position for other in hardware.passed_over)
