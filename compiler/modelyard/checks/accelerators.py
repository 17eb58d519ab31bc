"""Warn about accelerators that built-in trainers, predictions and monitors would not use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import accelerators as problems
from modelyard.provider import Rule
from modelyard.source import Path, Span
from modelyard.spec import ComputeClass, Pipeline, Step, System
from modelyard.spec.scoring import scorings

_ON_DEVICES = frozenset({"pytorch", "xgboost"})
"""Trainers that can use one device per process. PyTorch always does; XGBoost does if `device` is set accordingly."""


def idle(system: System) -> Iterator[Diagnostic]:
    """Warn about accelerators that built-in code does not use."""
    yield from _trained(system)
    yield from _scored(system)
    for inference in system.inference.values():
        for variant in inference.variants:
            custom = inference.source.image or inference.source.entrypoint
            if not custom and _has_accelerator(system, variant.compute) and _built_in_only(system, variant.model.model):
                owner = ("inference", inference.name, "variants", variant.name)
                span = _accelerator_span(system, variant.compute, owner, owner[:2])
                yield problems.idle_accelerator(
                    span, f"endpoint '{inference.name}'", _reason(system, variant.model.model)
                )
    for monitor in system.monitors.values():
        if monitor.compute and _has_accelerator(system, monitor.compute):
            span = _accelerator_span(system, monitor.compute, ("monitors", monitor.name))
            yield problems.idle_accelerator(span, f"monitor '{monitor.name}'", "monitors run on CPUs")


def _trained(system: System) -> Iterator[Diagnostic]:
    for pipeline in system.pipelines.values():
        for step in pipeline.steps:
            if not step.trainer or not _has_accelerator(system, step.compute):
                continue
            span = _accelerator_span(system, step.compute, step.path, ("pipelines", pipeline.name))
            subject = f"pipeline '{pipeline.name}'"
            if step.trainer == "transformers":  # needs an image with MLX for GPUs, which language.trainings requires
                continue
            if step.trainer not in _ON_DEVICES:
                reason = f"the built-in {step.trainer} trainer runs on CPUs"
                yield problems.idle_accelerator(span, subject, reason)
            elif step.trainer == "xgboost" and not _on_device(pipeline, step):
                reason = "XGBoost trains on the CPU unless you set `parameters: {device: cuda}`"
                yield problems.idle_accelerator(span, subject, reason, "set `parameters: {device: cuda}`, or ")
            else:
                yield from _several_per_worker(system, span, pipeline, step)


def _several_per_worker(system: System, span: Span, pipeline: Pipeline, step: Step) -> Iterator[Diagnostic]:
    """Warn about workers that request several devices. Each worker is a single process and uses only one."""
    for accelerator in system.compute[step.compute].accelerators:
        if accelerator.count > 1:
            trials = pipeline.tuning is not None
            yield problems.one_accelerator_used(span, pipeline.name, accelerator.name, accelerator.count, trials)
            return


def _scored(system: System) -> Iterator[Diagnostic]:
    for scoring in scorings(system):
        model, pipeline = scoring.model.model, scoring.pipeline.name
        for step in scoring.steps:
            custom = step.source.image or step.source.entrypoint
            if not custom and _has_accelerator(system, step.compute) and _built_in_only(system, model):
                span = _accelerator_span(system, step.compute, step.path, ("pipelines", pipeline))
                yield problems.idle_accelerator(span, f"pipeline '{pipeline}'", _reason(system, model))


def _reason(system: System, model: str) -> str:
    return f"models from the built-in {system.models[model].framework} trainer predict on CPUs"


def _built_in_only(system: System, model: str) -> bool:
    """Return whether only built-in trainers train this model. User code might use any device."""
    steps = [
        step
        for pipeline in system.pipelines.values()
        if pipeline.type == "training" and pipeline.model is not None and pipeline.model.model == model
        for step in pipeline.steps
    ]
    return bool(steps) and all(step.trainer for step in steps)


def _on_device(pipeline: Pipeline, step: Step) -> bool:
    device = str(dict(step.parameters).get("device", ""))
    searched = pipeline.tuning is not None and any(dimension.name == "device" for dimension in pipeline.tuning.space)
    return searched or device.startswith(("cuda", "gpu"))


def _has_accelerator(system: System, compute: str) -> bool:
    compute_class = system.compute[compute]
    return bool(compute_class.accelerators) or compute_class.accelerator_memory_bytes is not None


def _accelerator_span(system: System, compute: str, *owners: Path) -> Span:
    """Return the accelerator's span if the compute class is inline, otherwise the span of the class name."""
    compute_class: ComputeClass = system.compute[compute]
    if compute_class.path[0] != "compute":
        return system.key(*compute_class.path, "accelerators" if compute_class.accelerators else "acceleratorMemory")
    paths = ((*owner, "compute") for owner in owners if "compute" in system.written(*owner))
    return system.at(*next(paths, owners[-1]))


RULES: Final[tuple[Rule, ...]] = (idle,)
