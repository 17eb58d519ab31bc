"""Diagnostics about workloads that do not fit on declared machines."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def run_too_large(span: Span, pipeline: str, count: int, fitting: int, amount: str) -> Diagnostic:
    """A pipeline could never reach its largest size: its workers do not fit on the machines even when nothing else
    runs.

    The autoscaler would ask for machines that there are none of, and a search or a batch that counts on them would
    crawl.

    Wrong:

        capacity: [{count: 2, cpu: 16, memory: 64Gi}]
        pipelines: {score: {compute: {cpu: 8, memory: 16Gi}, workers: {min: 1, max: 40}, …}}

    Right:

        pipelines: {score: {compute: {cpu: 8, memory: 16Gi}, workers: {min: 1, max: 3}, …}}
    """
    room = f"room for {fitting}" if fitting else "no room beside the rest of its cluster"
    return Diagnostic(
        "E0510",
        Severity.ERROR,
        f"pipeline {quote(pipeline)} may ask for {_pods(count)} of {amount}, and there is {room}",
        span,
        "lower its largest number of workers, or declare more machines under `capacity`",
    )


def _pods(count: int) -> str:
    return "1 Pod" if count == 1 else f"{count} Pods"


def too_little(span: Span, target: str, asked: str, declared: str, here: str) -> Diagnostic:
    """Everything that may run at once asks for more than the declared machines have.

    Counted are all endpoints at their largest, the heads of their clusters, the registry, databases, monitors, and
    the pipeline that asks most. What has a lower `priority` is counted by itself, beside the least of what it yields
    to. The line that is pointed at asks for most of what is short.

    Wrong:

        capacity: [{count: 2, cpu: 16, memory: 64Gi}]
        inference: {scorer: {compute: {cpu: 4, memory: 8Gi}, replicas: {min: 2, max: 30}, …}}

    Right:

        inference: {scorer: {compute: {cpu: 4, memory: 8Gi}, replicas: {min: 2, max: 5}, …}}
    """
    return Diagnostic(
        "E0511",
        Severity.ERROR,
        f"target {quote(target)} has {declared} where at most {asked} would be needed, {here} of it here",
        span,
        "lower the largest numbers, or declare more machines under `capacity`",
    )


def nothing_yields(span: Span, pipeline: str, target: str, homeless: tuple[str, int, str], lower: str) -> Diagnostic:
    """A pipeline and the endpoints beside it do not fit on the declared machines at once, and the spec does not say
    which of them yields.

    Without a priority, whoever comes first keeps the machines: a training holds up the replicas that requests need, or
    waits for days. A pipeline with `priority: low` waits until there is room, and its workers are preempted when an
    endpoint needs their machines. A preempted run is tried again as often as `retries` says. Workloads of one priority
    do not yield to each other: where an endpoint is `low` as well, the pipeline that yields to it is `lowest`.

    `homeless` is what finds no machine: what it is, how many Pods, and their size. `lower` is the next lower priority,
    empty where there is none.

    Wrong:

        capacity: [{count: 2, cpu: 16, memory: 64Gi}]
        inference: {scorer: {compute: {cpu: 4, memory: 8Gi}, replicas: {min: 1, max: 6}, …}}
        pipelines: {train: {compute: {cpu: 8, memory: 16Gi}, workers: 2, …}}

    Right:

        pipelines: {train: {compute: {cpu: 8, memory: 16Gi}, workers: 2, priority: low, retries: 3, …}}
    """
    what, count, amount = homeless
    more = "lower the largest numbers, or declare more machines under `capacity`"
    return Diagnostic(
        "E0990",
        Severity.ERROR,
        f"pipeline {quote(pipeline)} does not fit on target {quote(target)} next to the workloads that always run, and"
        f" none of them can be preempted: no machine has room for {_pods(count)} of {amount}, {what}",
        span,
        f"give the pipeline `priority: {lower}` if it may wait and be interrupted, {more}" if lower else more,
    )


def cannot_be_packed(span: Span, target: str, what: str, count: int, amount: str) -> Diagnostic:
    """The declared machines have enough of everything in total, but what is left on each is too little for another Pod.

    Wrong:

        capacity: [{count: 4, cpu: 8, memory: 32Gi}]
        inference: {scorer: {compute: {cpu: 5, memory: 16Gi}, replicas: 5, …}}

    Right:

        inference: {scorer: {compute: {cpu: 3, memory: 10Gi}, replicas: 5, …}}
    """
    return Diagnostic(
        "E0512",
        Severity.ERROR,
        f"target {quote(target)} has no place for {_pods(count)} of {amount}, {what}: what is free is in small pieces",
        span,
        "ask for Pods that divide a machine evenly, or declare more machines under `capacity`",
    )


def no_room_for_upgrade(span: Span, server: str, target: str, count: int, amount: str) -> Diagnostic:
    """A new version of a server is made whole beside the old one, and the declared machines have no room for both.

    Counted are all endpoints at their least, what serves them, and the least of this one a second time with its head.
    The new one would wait for room for ever, and the old one would go on answering.

    Wrong:

        capacity: [{count: 2, cpu: 16, memory: 64Gi}]
        inference: {scorer: {compute: {cpu: 4, memory: 8Gi}, replicas: 5, …}}

    Right:

        inference: {scorer: {compute: {cpu: 4, memory: 8Gi}, replicas: 5, rollout: {strategy: in-place}, …}}
    """
    return Diagnostic(
        "W0515",
        Severity.WARNING,
        f"no room for an upgrade of {quote(server)} on target {quote(target)}: "
        f"beside the old one {_pods(count)} of {amount} would find no place",
        span,
        "write rollout: {strategy: incremental} or in-place, or declare more machines under `capacity`",
    )
