"""Diagnostics about unused accelerators: W0860 and W0861."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def idle_accelerator(span: Span, subject: str, reason: str, instead: str = "") -> Diagnostic:
    """Built-in code runs on CPUs, except for training with PyTorch, or with XGBoost and `device: cuda`.

    A workload pays for the accelerator in its compute class and blocks it for others, even if it never uses it. Your
    own code may use accelerators.

    Wrong:

        compute: {train: {cpu: 8, memory: 32Gi, accelerators: ["L4:1"]}}
        pipelines: {retrain: {model: a LightGBM model, compute: train, …}}

    Right:

        compute: {train: {cpu: 8, memory: 32Gi}}
        pipelines: {retrain: {model: a LightGBM model, compute: train, …}}
    """
    return Diagnostic(
        "W0860",
        Severity.WARNING,
        f"{subject} never uses its accelerator: {reason}",
        span,
        f"{instead}choose a compute class without accelerators",
    )


def one_accelerator_used(span: Span, pipeline: str, accelerator: str, count: int, trials: bool) -> Diagnostic:
    """Each worker of a built-in trainer is one process on one device, so any other devices in its Pod stay idle.

    Several workers train one model together, each on its own device.

    Wrong:

        compute: {train: {cpu: 96, memory: 1000Gi, accelerators: "A100:8"}}
        pipelines: {retrain: {model: a PyTorch model, compute: train, workers: 1, …}}

    Right:

        compute: {train: {cpu: 12, memory: 125Gi, accelerators: "A100:1"}}
        pipelines: {retrain: {model: a PyTorch model, compute: train, workers: 8, …}}
    """
    unit = "trials in parallel" if trials else "workers"
    return Diagnostic(
        "W0861",
        Severity.WARNING,
        f"pipeline {quote(pipeline)} uses only one of each worker's {count} accelerators:"
        " the built-in trainer runs on one device",
        span,
        f"use a compute class with `accelerators: {accelerator}:1` and 1/{count} of the CPUs and memory, and request"
        f" {count} times as many {unit}",
    )
