"""Report probable mistakes: splits without rows, runs that follow each other too quickly, implausible sizes."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Final

from modelyard.checks.schedules import gaps_s
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import plausible as problems
from modelyard.provider import Rule
from modelyard.source import Path, Span
from modelyard.spec import Parameter, Pipeline, Schedule, System
from modelyard.spec.scoring import scorings

_LEAST_HELD_OUT = 0.01
_MOST_HELD_OUT = 0.5

_HOUR_S = 3600
"""The shortest plausible interval between training runs on accelerators. Starting machines takes several minutes."""

_SENSIBLE_S = 300
"""The shortest plausible interval between runs. More frequent runs would mostly wait for clusters, images and
libraries.
"""

_NOTICED_S = 10
"""How often the CronJob controller checks for due runs (kubernetes.io, "CronJob", "Schedule limits", 2026-11-26)."""

_GI = 1024**3
_SMALLEST = _GI
_LARGEST = 256 * 1024 * _GI
"""The limits of plausible disk sizes. The smallest fits Ray's logs and a model; no machine has a disk this large."""

_AUTOSCALING = frozenset({"metric", "target", "upscaleDelay", "downscaleDelay"})
"""The fields of `scaling` that only the autoscaler reads."""

_MI = 1024**2
_WORKER = 768 * _MI
_SCORING_WORKER = 1536 * _MI
"""The minimum memory of a Ray worker, and that of a Ray worker for built-in scoring.

Measured as proportional set sizes on workers in Pods (Ray 2.60): 300 MiB for `ray start`, the raylet, its two agents
and the log monitor, and up to 290 MiB for each process that has loaded the libraries of models, before it reads a row.
A scoring worker has two such processes. Ray kills processes at 95% of the memory.
"""


def splits(system: System) -> Iterator[Diagnostic]:
    """Report splits that leave no rows for training or evaluation."""
    for pipeline in system.pipelines.values():
        fraction = pipeline.split.fraction
        if pipeline.type == "training" and not _LEAST_HELD_OUT <= fraction <= _MOST_HELD_OUT:
            span = system.at("pipelines", pipeline.name, "split", "fraction")
            yield problems.split_leaves_little(span, fraction)


def schedules(system: System) -> Iterator[Diagnostic]:
    """Report schedules whose runs cannot finish before the next one starts."""
    for pipeline in system.pipelines.values():
        path = ("pipelines", pipeline.name)
        subject = f"pipeline '{pipeline.name}'"
        often = list(_too_often(system, subject, pipeline.schedule, path, _trains_on_accelerators(system, pipeline)))
        yield from often or _overtaken(system, pipeline)
    for monitor in system.monitors.values():
        yield from _too_often(system, f"monitor '{monitor.name}'", monitor.schedule, ("monitors", monitor.name), False)


def _too_often(system: System, subject: str, schedule: Schedule, path: Path, accelerated: bool) -> Iterator[Diagnostic]:
    gaps = gaps_s(schedule)
    if gaps is None:
        return
    span = system.at(*path, "schedule", "cron")
    if accelerated and gaps[0] < _HOUR_S:
        yield problems.trains_too_often(span, subject, gaps[0])
    elif gaps[0] < _SENSIBLE_S:
        yield problems.starts_too_often(span, subject, gaps[0])
    if schedule.starting_deadline_s < _NOTICED_S:
        span = system.at(*path, "schedule", "startingDeadline")
        yield problems.deadline_missed(span, subject, schedule.starting_deadline_s)


def _trains_on_accelerators(system: System, pipeline: Pipeline) -> bool:
    classes = [system.compute[step.compute] for step in pipeline.steps]
    return pipeline.type == "training" and any(
        compute.accelerators or compute.accelerator_memory_bytes is not None for compute in classes
    )


def _overtaken(system: System, pipeline: Pipeline) -> Iterator[Diagnostic]:
    """Report a timeout that expires only after the next run is due."""
    path = ("pipelines", pipeline.name)
    gaps, overlap = gaps_s(pipeline.schedule), pipeline.schedule.overlap
    if gaps and "timeout" in system.written(*path) and pipeline.timeout_s > gaps[0] and overlap != "allow":
        span = system.at(*path, "timeout")
        yield problems.timeout_beyond_next_start(span, pipeline.name, pipeline.timeout_s, gaps[0], overlap)


def sizes(system: System) -> Iterator[Diagnostic]:
    """Report unrealistic sizes for workload disks and for database volumes on clusters."""
    for compute in system.compute.values():
        if compute.disk_bytes is not None:
            size_text = str(system.written(*compute.path).get("disk"))
            span = system.at(*compute.path, "disk")
            yield from _size(span, f"the disk of compute class '{compute.name}'", size_text, compute.disk_bytes)
    for store in system.stores.values():
        is_managed = (
            store.type == "database" and not store.adopt and system.target(store.target).provider == "kubernetes"
        )
        if is_managed and store.size_bytes is not None:
            size_text = str(system.written("stores", store.name).get("size"))
            span = system.at("stores", store.name, "size")
            yield from _size(span, f"the volume of database '{store.name}'", size_text, store.size_bytes)


def _size(span: Span, subject: str, size_text: str, size: int) -> Iterator[Diagnostic]:
    if not _SMALLEST <= size <= _LARGEST:
        yield problems.size_implausible(span, subject, size_text, size < _SMALLEST)


def mirrors(system: System) -> Iterator[Diagnostic]:
    """Report mirroring to the same version and hardware that already serve the requests."""
    for inference in system.inference.values():
        shadows = [
            variant for variant in inference.variants if inference.mirror and variant.name == inference.mirror.variant
        ]
        for shadow in shadows:
            duplicates = [
                variant.name
                for variant in inference.variants
                if variant.name != shadow.name and variant.model == shadow.model and variant.compute == shadow.compute
            ]
            if duplicates:
                span = system.at("inference", inference.name, "variants", shadow.name, "model")
                model = f"{shadow.model.model}@{shadow.model.alias}"
                yield problems.mirrors_what_serves(span, shadow.name, duplicates[0], model)


def variants(system: System) -> Iterator[Diagnostic]:
    """Report identical variants, and variants that receive neither live nor mirrored requests."""
    for inference in system.inference.values():
        path = ("inference", inference.name, "variants")
        mirrored = inference.mirror.variant if inference.mirror else ""
        shares = system.written("inference", inference.name, "traffic")  # an explicit 0 is intentional
        answering: dict[tuple[str, str, str], str] = {}
        for variant in sorted(inference.variants, key=lambda variant: -variant.percent):
            if not variant.percent and variant.name != mirrored and variant.name not in shares:
                yield problems.variant_without_requests(system.key(*path, variant.name), variant.name)
            other = answering.setdefault((variant.model.model, variant.model.alias, variant.compute), variant.name)
            if other != variant.name and mirrored not in {variant.name, other}:
                model = f"{variant.model.model}@{variant.model.alias}"
                yield problems.variants_alike(system.at(*path, variant.name, "model"), variant.name, other, model)


def given_parameters(system: System) -> Iterator[Diagnostic]:
    """Report parameters that are both fixed and searched."""
    for pipeline in system.pipelines.values():
        searched = (
            {dimension.name for dimension in pipeline.tuning.space} if pipeline.tuning is not None else set[str]()
        )
        fixed = {
            system.key(*step.path, "parameters", name): name
            for step in pipeline.steps
            for name, _ in step.parameters
            if name in searched
        }
        for span, name in fixed.items():
            yield problems.given_and_searched(span, name)


def searches(system: System) -> Iterator[Diagnostic]:
    """Report searches with a single value, or with fewer combinations than trials."""
    for pipeline in system.pipelines.values():
        tuned = pipeline.tuning
        if tuned is None:
            continue
        path: Path = ("pipelines", pipeline.name, "tuning")
        counts = {dimension.name: _values(dimension) for dimension in tuned.space}
        for searched in tuned.space:
            if counts[searched.name] == 1:
                span = system.at(*path, "space", searched.name, searched.kind)
                yield problems.one_value_searched(span, searched.name)
        known_counts = [count for count in counts.values() if count is not None]
        if len(known_counts) == len(counts) and 1 < prod(known_counts) < tuned.trials:
            yield problems.fewer_combinations(system.at(*path, "trials", "max"), prod(known_counts), tuned.trials)


def _values(dimension: Parameter) -> int | None:
    """Return the number of values in a dimension: None if it's continuous, 0 if its bounds are reversed."""
    if dimension.kind == "choice":
        return len({repr(choice) for choice in dimension.choices})
    low, high = dimension.low or 0.0, dimension.high or 0.0
    if low == high:
        return 1
    return max(int(high - low) + 1, 0) if dimension.kind == "int" else None


def delays(system: System) -> Iterator[Diagnostic]:
    """Report label delays for datasets without labels."""
    for data in system.data.values():
        if data.delay_s and not data.label:
            yield problems.delay_of_no_labels(system.key("data", data.name, "delay"), data.name)


def scaling(system: System) -> Iterator[Diagnostic]:
    """Report autoscaling settings of endpoints with a fixed number of replicas."""
    for inference in system.inference.values():
        path = ("inference", inference.name)
        idle = [field for field in system.written(*path, "scaling") if field in _AUTOSCALING]
        if idle and not inference.scales and not _replicas_of_environment(system, inference.name):
            yield problems.scaling_without_range(system.key(*path, "scaling", idle[0]), inference.name, idle)


def _replicas_of_environment(system: System, name: str) -> bool:
    """Return whether the environment sets the number of replicas.

    If so, scaling settings may be meant for other environments.
    """
    return any(path[:2] == ("inference", name) and "replicas" in path for path in system.document.overlaid)


def memory(system: System) -> Iterator[Diagnostic]:
    """Report Ray workers whose memory is too small for Ray itself and the models' libraries."""
    users: dict[str, tuple[int, str]] = {}
    for scoring in scorings(system):
        for step in scoring.steps:
            if not step.source.entrypoint:
                users.setdefault(step.compute, (_SCORING_WORKER, f"pipeline '{scoring.pipeline.name}'"))
    for pipeline in system.pipelines.values():
        for step in pipeline.steps:
            users.setdefault(step.compute, (_WORKER, f"pipeline '{pipeline.name}'"))
    for inference in system.inference.values():
        for variant in inference.variants:
            users.setdefault(variant.compute, (_WORKER, f"endpoint '{inference.name}'"))
    for name, (needed, user) in users.items():
        compute = system.compute[name]
        if compute.memory_bytes < needed:
            text = str(system.written(*compute.path).get("memory"))
            processes = 2 if needed == _SCORING_WORKER else 1
            yield problems.memory_of_a_worker(system.at(*compute.path, "memory"), user, text, processes)


RULES: Final[tuple[Rule, ...]] = (
    *(splits, schedules, sizes, mirrors, searches),
    *(delays, variants, given_parameters, scaling, memory),
)
