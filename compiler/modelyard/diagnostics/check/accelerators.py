"""Diagnostics about unused accelerators: W0860 and W0861."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def idle_accelerator(span: Span, subject: str, reason: str, instead: str = "") -> Diagnostic:
    """Built-in code computes on CPUs, with two exceptions: training with PyTorch, and with XGBoost on `device: cuda`.

    A workload whose compute class has an accelerator pays for it and blocks it for others. Your own code may use it.

    Wrong:

        compute: {train: {cpu: 8, memory: 32Gi, accelerators: ["L4:1"]}}
        pipelines: {retrain: {model: a model of LightGBM, compute: train, …}}

    Right:

        compute: {train: {cpu: 8, memory: 32Gi}}
        pipelines: {retrain: {model: a model of LightGBM, compute: train, …}}
    """
    return Diagnostic(
        "W0860",
        Severity.WARNING,
        f"{subject} never uses its accelerator: {reason}",
        span,
        f"{instead}choose a compute class without accelerators",
    )


def one_accelerator_used(span: Span, pipeline: str, accelerator: str, count: int, trials: bool) -> Diagnostic:
    """A worker of a built-in trainer is one process on one device: the other devices of its Pod stay idle.

    Several workers train one model together, each on its own device.

    Wrong:

        compute: {train: {cpu: 96, memory: 1000Gi, accelerators: "A100:8"}}
        pipelines: {retrain: {model: a model of PyTorch, compute: train, workers: 1, …}}

    Right:

        compute: {train: {cpu: 12, memory: 125Gi, accelerators: "A100:1"}}
        pipelines: {retrain: {model: a model of PyTorch, compute: train, workers: 8, …}}
    """
    unit = "trials in parallel" if trials else "workers"
    return Diagnostic(
        "W0861",
        Severity.WARNING,
        f"pipeline {quote(pipeline)} uses one of the {count} accelerators of each worker:"
        " the built-in trainer computes on one device",
        span,
        f"name a class with accelerators: {accelerator}:1 and a share of the CPUs and memory, and ask for {count} times"
        f" as many {unit}",
    )
