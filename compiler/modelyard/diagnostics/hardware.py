"""Diagnostics about machines and their workloads: E0657, E066 and W066."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def timeout_before_last_group(
    span: Span, pipeline: str, compute: str, untried: int, groups: int, minutes: int
) -> Diagnostic:
    """A pipeline times out before every machine group of its compute class has been tried.

    Alternatives in `accelerators` and `capacity: spot-first` become machine groups, which the autoscaler tries in turn,
    waiting up to fifteen minutes for each. The pipeline's timeout includes this wait.

    Wrong:

        compute: {gpu: {cpu: 4, memory: 16Gi, accelerators: ["A10G:1", "L4:1", "T4:1"], capacity: spot-first}}
        pipelines: {train: {compute: gpu, timeout: 1h, …}}

    Right:

        compute: {gpu: {cpu: 4, memory: 16Gi, accelerators: ["A10G:1", "L4:1", "T4:1"], capacity: spot-first}}
        pipelines: {train: {compute: gpu, timeout: 4h, …}}
    """
    return Diagnostic(
        "W0660",
        Severity.WARNING,
        f"pipeline {quote(pipeline)} times out with {untried} of the {groups} machine groups of compute class "
        f"{quote(compute)} still untried",
        span,
        f"set a timeout of more than {minutes}m, or list fewer alternatives in {quote(compute)}",
    )


def accelerator_passed_over(span: Span, compute: str, accelerator: str, target: str, reason: str) -> Diagnostic:
    """No machine of the target has this alternative in `accelerators`.

    The alternatives of a compute class are tried in order, and unavailable ones are skipped. If several targets share a
    class, this is reported only if none of them has the alternative.

    `A100` means `A100-40GB`, and `A100-80GB` is a different accelerator.

    Wrong:

        deployment: {mode: cloud, provider: aws, region: eu-west-1}
        compute: {train: {cpu: 4, memory: 16Gi, accelerators: ["L4:1", "A10G:1"]}}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-west-1}
        compute: {train: {cpu: 4, memory: 16Gi, accelerators: ["A10G:1", "T4:1"]}}
    """
    return Diagnostic(
        "W0661",
        Severity.WARNING,
        f"compute class {quote(compute)} never gets {quote(accelerator)} on target {quote(target)}: {reason}",
        span,
        "remove it, or replace it with an accelerator that the target has",
    )


def just_misses_cheaper_machine(
    span: Span, compute: str, machine: str, smaller: str, cpu: str, memory: str, usd: float
) -> Diagnostic:
    """A compute class is slightly too large for a machine that costs at least a fifth less.

    A node reserves part of its CPUs and memory, so a class that requests all of a machine (8 CPUs and 32Gi) does not
    fit on it, and the next larger machine is used half idle. `modelyard explain compute.NAME` shows both machines.

    This is reported if requesting up to a fifth less CPU and memory saves at least 100 USD a month, assuming that runs
    use their nodes until the timeout.

    Wrong:

        compute: {serve: {cpu: 4, memory: 16Gi}}

    Right:

        compute: {serve: {cpu: 3500m, memory: 13Gi}}
    """
    return Diagnostic(
        "W0662",
        Severity.WARNING,
        f"compute class {quote(compute)} is slightly too large for {smaller}, so it needs {machine}, which costs"
        f" {usd:.0f} USD more a month",
        span,
        f"set `cpu: {cpu}` and `memory: {memory}`",
    )


def batch_never_fills(span: Span, endpoint: str, size: int, target: float) -> Diagnostic:
    """The autoscaler adds replicas before any replica has enough requests for a full batch.

    `scaling.target` counts the requests in a replica, including those waiting for a batch. With a target of 2, a
    replica has two requests on average, regardless of its maximum batch size. The default `target` of an endpoint with
    batching is its `maxSize`.

    Wrong:

        inference: {rank: {replicas: {min: 2, max: 8}, scaling: {target: 2}, batching: {maxSize: 32}, …}}

    Right:

        inference: {rank: {replicas: {min: 2, max: 8}, scaling: {target: 32}, batching: {maxSize: 32}, …}}
    """
    return Diagnostic(
        "W0663",
        Severity.WARNING,
        f"batches on endpoint {quote(endpoint)} never reach the `maxSize` of {size}, because scaling adds replicas to"
        f" keep each at {target:g} requests",
        span,
        f"set `target: {size}`, remove `target`, or lower `maxSize`",
    )


def trainer_without_device(span: Span, compute: str, pipeline: str, accelerator: str, reason: str) -> Diagnostic:
    """The runtime image does not support this accelerator, so training would fail or fall back to CPUs.

    Your own image may contain a build that does.

    Wrong:

        compute: {train: {cpu: 8, memory: 48Gi, accelerators: "V100:1"}}
        pipelines: {retrain: {model: a PyTorch model, compute: train, …}}

    Right:

        compute: {train: {cpu: 8, memory: 48Gi, accelerators: "T4:1"}}
        pipelines: {retrain: {model: a PyTorch model, compute: train, …}}
    """
    return Diagnostic(
        "E0690",
        Severity.ERROR,
        f"pipeline {quote(pipeline)} cannot train on the {accelerator} in compute class {quote(compute)}: {reason}",
        span,
        "choose another accelerator for the class, or train with your own image",
    )
