"""Diagnostics about workloads that do not fit on declared machines."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def run_too_large(span: Span, pipeline: str, count: int, fitting: int, amount: str) -> Diagnostic:
    """A pipeline can never reach its maximum size: its workers do not fit on the machines even when nothing else runs.

    The autoscaler would request machines that do not exist, and a hyperparameter search or batch sized for them would
    crawl.

    Wrong:

        capacity: [{count: 2, cpu: 16, memory: 64Gi}]
        pipelines: {score: {compute: {cpu: 8, memory: 16Gi}, workers: {min: 1, max: 40}, …}}

    Right:

        pipelines: {score: {compute: {cpu: 8, memory: 16Gi}, workers: {min: 1, max: 3}, …}}
    """
    room = f"room for only {fitting}" if fitting else "no room next to the rest of its cluster"
    return Diagnostic(
        "E0510",
        Severity.ERROR,
        f"pipeline {quote(pipeline)} may request {_pods(count, amount)}, but there is {room}",
        span,
        "lower the pipeline's maximum number of workers, or declare more machines under `capacity`",
    )


def _pods(count: int, amount: str) -> str:
    return f"1 Pod with {amount}" if count == 1 else f"{count} Pods with {amount} each"


def too_little(span: Span, target: str, needed: str, declared: str, share: str) -> Diagnostic:
    """Everything that may run at the same time needs more than the declared machines have.

    This counts all endpoints at their largest, their cluster heads, the registry, databases, monitors, and the
    largest pipeline. Workloads with a lower `priority` are counted separately, together with the minimum size of the
    workloads they yield to. The error points at the line that uses the most of the resource that runs out.

    Wrong:

        capacity: [{count: 2, cpu: 16, memory: 64Gi}]
        inference: {scorer: {compute: {cpu: 4, memory: 8Gi}, replicas: {min: 2, max: 30}, …}}

    Right:

        inference: {scorer: {compute: {cpu: 4, memory: 8Gi}, replicas: {min: 2, max: 5}, …}}
    """
    return Diagnostic(
        "E0511",
        Severity.ERROR,
        f"target {quote(target)} has {declared}, but its workloads may need up to {needed}, including {share} here",
        span,
        "lower the maximum replicas or workers, or declare more machines under `capacity`",
    )


def nothing_yields(span: Span, pipeline: str, target: str, homeless: tuple[str, int, str], lower: str) -> Diagnostic:
    """A pipeline and the endpoints on its target do not fit on the machines together, and no priority decides.

    Without a priority, whichever starts first keeps the machines: a training run blocks the replicas that requests
    need, or waits for days. A pipeline with `priority: low` waits until there is room, and its workers are preempted
    when an endpoint needs their machines. A preempted run is retried as often as `retries` allows. Workloads of equal
    priority do not yield to each other, so a pipeline that should yield to a `low` endpoint needs `lowest`.

    `homeless` describes the Pods that do not fit: what they are, how many, and their size. `lower` is the next lower
    priority, or empty.

    Wrong:

        capacity: [{count: 2, cpu: 16, memory: 64Gi}]
        inference: {scorer: {compute: {cpu: 4, memory: 8Gi}, replicas: {min: 1, max: 6}, …}}
        pipelines: {train: {compute: {cpu: 8, memory: 16Gi}, workers: 2, …}}

    Right:

        pipelines: {train: {compute: {cpu: 8, memory: 16Gi}, workers: 2, priority: low, retries: 3, …}}
    """
    pods, count, amount = homeless
    advice = "lower the maximum replicas or workers, or declare more machines under `capacity`"
    return Diagnostic(
        "E0990",
        Severity.ERROR,
        f"pipeline {quote(pipeline)} does not fit on target {quote(target)} next to the workloads that always run, and"
        f" cannot preempt any of them: no machine has room for {pods} ({_pods(count, amount)})",
        span,
        f"give the pipeline `priority: {lower}` if it may wait and be interrupted, {advice}" if lower else advice,
    )


def cannot_be_packed(span: Span, target: str, pods: str, count: int, amount: str) -> Diagnostic:
    """The declared machines have enough capacity in total, but no single machine has enough left for another Pod.

    Wrong:

        capacity: [{count: 4, cpu: 8, memory: 32Gi}]
        inference: {scorer: {compute: {cpu: 5, memory: 16Gi}, replicas: 5, …}}

    Right:

        inference: {scorer: {compute: {cpu: 3, memory: 10Gi}, replicas: 5, …}}
    """
    return Diagnostic(
        "E0512",
        Severity.ERROR,
        f"no machine on target {quote(target)} has room for {pods} ({_pods(count, amount)}), because free capacity is"
        " fragmented",
        span,
        "request Pods that divide a machine evenly, or declare more machines under `capacity`",
    )


def no_room_for_upgrade(span: Span, server: str, target: str, count: int, amount: str) -> Diagnostic:
    """During an upgrade, a new server runs next to the old one, but the machines have no room for both.

    This counts every endpoint at its minimum size, including its cluster head, and this endpoint twice. The new version
    would stay pending forever while the old one keeps serving.

    Wrong:

        capacity: [{count: 2, cpu: 16, memory: 64Gi}]
        inference: {scorer: {compute: {cpu: 4, memory: 8Gi}, replicas: 5, …}}

    Right:

        inference: {scorer: {compute: {cpu: 4, memory: 8Gi}, replicas: 5, rollout: {strategy: in-place}, …}}
    """
    return Diagnostic(
        "W0515",
        Severity.WARNING,
        f"target {quote(target)} has no room to upgrade {quote(server)}: {_pods(count, amount)}"
        f" {'does' if count == 1 else 'do'} not fit next to the old version",
        span,
        "use `rollout: {strategy: incremental}` or `in-place`, or declare more machines under `capacity`",
    )
