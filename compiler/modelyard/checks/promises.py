"""Report endpoint objectives that replicas and machines cannot meet."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Final

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import promises as problems
from modelyard.provider import Rule
from modelyard.spec import Inference, Slo, System

_START_MS = 10_000
"""The minimum time to start a replica: to schedule a Pod, pull an image and load a model."""

_REPLACE_S = 300
"""The time to replace a replica: to evict it, start a machine and start the new replica."""

_RELIABLE = 0.999

_NEARLY_ALL = 0.95
"""The lowest percentile whose latency bound must hold for the longest texts. Lower percentiles cover typical texts."""

_PERCENTILES = {0.5: "p50", 0.9: "p90", 0.95: "p95", 0.99: "p99", 0.999: "p999"}


def scale_to_zero(system: System) -> Iterator[Diagnostic]:
    """Report latency objectives that a variant cannot meet while scaling up from zero."""
    for inference in system.inference.values():
        bounds = [bound for bound in _latencies(inference) if bound[1] < _START_MS]
        for variant in inference.variants:
            if bounds and variant.percent and not variant.replicas.minimum:
                fields, bound_ms = bounds[-1]
                span = system.at("inference", inference.name, "slo", *fields)
                yield problems.scales_to_zero(span, inference.name, variant.name, ".".join(fields), bound_ms)


def _latencies(inference: Inference) -> Iterator[tuple[tuple[str, ...], int]]:
    """Yield each latency bound for the full response or its first token, along with its fields in `slo`."""
    if inference.slo is not None:
        for quantile, bound_ms in inference.slo.latency_ms:
            yield (_PERCENTILES[quantile],), bound_ms
        for quantile, bound_ms in inference.slo.first_token_ms:
            yield ("timeToFirstToken", _PERCENTILES[quantile]), bound_ms


def texts(system: System) -> Iterator[Diagnostic]:
    """Report conflicts between a language model's objectives for first token, token rate and full response."""
    for inference in system.inference.values():
        slo = inference.slo
        if slo is None or not slo.latency_ms:
            continue
        path = ("inference", inference.name, "slo")
        for quantile, bound_ms in slo.first_token_ms:
            whole = next((each for each in slo.latency_ms if each[0] >= quantile and each[1] <= bound_ms), None)
            if whole is not None:
                name, other = _PERCENTILES[quantile], _PERCENTILES[whole[0]]
                span = system.at(*path, "timeToFirstToken", name)
                yield problems.first_token_after_the_last(span, name, bound_ms, other, whole[1])
        yield from _longest_text(system, inference, slo)


def _longest_text(system: System, inference: Inference, slo: Slo) -> Iterator[Diagnostic]:
    """Report a latency bound for nearly all responses that the longest text can miss at the minimum token rate."""
    quantile, bound_ms = slo.latency_ms[-1]
    if inference.generation is None or slo.tokens_per_second is None or quantile < _NEARLY_ALL:
        return
    tokens, rate = inference.generation.max_tokens, slo.tokens_per_second.minimum
    first_ms = max((first_ms for each, first_ms in slo.first_token_ms if each <= quantile), default=0)
    needed_ms = first_ms + ceil(1000 * tokens / rate)
    if needed_ms > bound_ms:
        name = _PERCENTILES[quantile]
        span = system.at("inference", inference.name, "slo", name)
        yield problems.longest_text_too_slow(span, name, bound_ms, tokens, rate, needed_ms)


def availability(system: System) -> Iterator[Diagnostic]:
    """Report availability objectives that are missed whenever the only replica or machine is replaced."""
    for inference in system.inference.values():
        slo = inference.slo
        if slo is None or slo.availability is None:
            continue
        downtime_s = round((1 - slo.availability) * slo.window_s)
        span = system.at("inference", inference.name, "slo", "availability")
        serving = [variant for variant in inference.variants if variant.percent]
        single_variant = next((variant.name for variant in serving if variant.replicas.minimum <= 1), "")
        target = system.target(inference.target)
        machines = sum(machines.count for machines in target.capacity)
        if downtime_s < _REPLACE_S and single_variant:
            yield problems.one_replica(
                span, inference.name, f"variant '{single_variant}' has only one replica", downtime_s
            )
        elif downtime_s < _REPLACE_S and machines == 1:
            yield problems.one_replica(span, inference.name, f"target '{target.name}' has only one machine", downtime_s)
        for variant in serving:
            if slo.availability >= _RELIABLE and system.compute[variant.compute].capacity == "spot":
                yield problems.spot_alone(span, inference.name, variant.name)


RULES: Final[tuple[Rule, ...]] = (scale_to_zero, texts, availability)
