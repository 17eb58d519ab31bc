"""Warnings about scaling: alternatives that a target lacks, timeouts that end too early, batches that never fill."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from modelyard.diagnostics import hardware as problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Application, Hardware, Job, ModelServer, MonitorJob, Plan, Resource
from modelyard_targets.kube.pipelines.machines import GROUP_WAIT_S, longest_start_s
from modelyard_targets.machines.accelerators import unknown_to_trainers

_ON_ACCELERATORS: Final = frozenset({"pytorch", "xgboost"})
"""Trainers that compute on an accelerator; the others have a warning of their own."""


def check_timeouts(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Pipelines that time out before the last group of machines of a compute class is tried."""
    for resource in plan.on(placement):
        if not isinstance(resource.value, Job):
            continue
        pipeline = resource.value.pipeline
        tried = ceil(pipeline.timeout_s / GROUP_WAIT_S)
        late = [hardware for hardware in resource.value.hardware.values() if len(hardware.groups) > tried]
        if late:
            longest = max(late, key=lambda hardware: len(hardware.groups))
            groups, minutes = len(longest.groups), longest_start_s(late) // 60
            name, span = pipeline.name, plan.system.at("pipelines", pipeline.name, "timeout")
            yield problems.timeout_before_last_group(span, name, longest.compute, groups - tried, groups, minutes)


def check_accelerators(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Alternatives that no target has on which a class is used, reported by the first of these targets."""
    used: dict[str, dict[str, Hardware]] = {}
    for resource in plan.resources:
        for hardware in _hardware(resource):
            used.setdefault(hardware.compute, {}).setdefault(resource.placement, hardware)
    for compute, by_target in used.items():
        if next(iter(by_target)) != placement:
            continue
        path = plan.system.compute[compute].path
        for one in by_target[placement].passed_over:
            if all(_passes_over(hardware, one.position) for hardware in by_target.values()):
                span = plan.system.at(*path, "accelerators", one.position)
                name = f"{one.accelerator.name}:{one.accelerator.count}"
                yield problems.accelerator_passed_over(span, compute, name, placement, one.why)


def check_trainers(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Built-in trainers on accelerators that the runtime's image has no code for."""
    for resource in plan.on(placement):
        if not isinstance(resource.value, Job):
            continue
        pipeline = resource.value.pipeline
        for step in pipeline.steps:
            hardware = resource.value.hardware[step.name]
            offered = (hardware.accelerator, *(group.accelerator for group in hardware.groups))
            names = dict.fromkeys(one.name for one in offered if one is not None)
            for name in names if step.trainer in _ON_ACCELERATORS and not step.source.image else ():
                if why := unknown_to_trainers(name, step.trainer):
                    span = plan.system.key(*plan.system.compute[step.compute].path)
                    yield problems.trainer_without_device(span, step.compute, pipeline.name, name, why)


def check_batches(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Endpoints whose autoscaler adds a replica before a batch is full; replicas that do not scale fill theirs."""
    reported: set[str] = set()
    for resource in plan.on(placement):
        applications: tuple[Application, ...] = (
            resource.value.applications if isinstance(resource.value, ModelServer) else ()
        )
        for one in applications:
            inference, replicas = one.inference, one.variant.replicas
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


def _hardware(resource: Resource) -> Iterator[Hardware]:
    """The machines that a workload runs on, by the classes that it names."""
    value = resource.value
    if isinstance(value, ModelServer):
        applications: tuple[Application, ...] = value.applications
        yield from (one.hardware for one in applications)
    elif isinstance(value, Job):
        yield from value.hardware.values()
    elif isinstance(value, MonitorJob):
        yield value.hardware
