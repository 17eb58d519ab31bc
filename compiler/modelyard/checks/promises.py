"""Report endpoint objectives that replicas and machines cannot meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import promises as problems
from modelyard.provider import Rule
from modelyard.spec import Inference, System

_START_MS = 10_000
"""The minimum time to start a replica: to schedule a Pod, pull an image and load a model."""

_REPLACE_S = 300
"""The time to replace a replica: to evict it, start a machine and start the new replica."""

_RELIABLE = 0.999

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
    """Yield each latency bound, for the whole response or for its first token, with the bound's fields within `slo`."""
    if inference.slo is not None:
        for quantile, bound_ms in inference.slo.latency_ms:
            yield (_PERCENTILES[quantile],), bound_ms
        for quantile, bound_ms in inference.slo.first_token_ms:
            yield ("timeToFirstToken", _PERCENTILES[quantile]), bound_ms


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


RULES: Final[tuple[Rule, ...]] = (scale_to_zero, availability)
