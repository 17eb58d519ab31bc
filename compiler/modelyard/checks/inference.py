"""Check endpoints: how variants share traffic, how servers are replaced, and how callers reach them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import inference as problems
from modelyard.provider import Rule
from modelyard.spec import Inference, System

_PERCENTILES = {0.5: "p50", 0.9: "p90", 0.95: "p95", 0.99: "p99", 0.999: "p999"}


def traffic(system: System) -> Iterator[Diagnostic]:
    """Require traffic shares to add up to 100%. Variants that only receive mirrored requests get no share."""
    for inference in system.inference.values():
        path = ("inference", inference.name)
        total = sum(variant.percent for variant in inference.variants)
        mirrored = inference.mirror.variant if inference.mirror else ""
        share = next((variant.percent for variant in inference.variants if variant.name == mirrored), 0)
        if share:
            yield problems.mirror_gets_traffic(system.at(*path, "mirror", "to"), mirrored, share)
        elif total != 100:
            yield problems.traffic_not_whole(system.key(*path, "traffic"), inference.name, total)


def rollouts(system: System) -> Iterator[Diagnostic]:
    """Report incremental rollouts that the target or the endpoint does not support."""
    targets = {target.name: target for target in system.deployment.targets}
    for inference in system.inference.values():
        if inference.rollout.strategy != "incremental":
            continue
        target = targets[inference.target]
        if len(inference.variants) > 1:
            reason = "it has several variants"
        elif inference.pool:
            reason = f"it is in the pool '{inference.pool}'"
        elif target.gateway is not None and target.gateway.class_name:
            continue
        elif target.gateway is not None or target.provider == "kubernetes":  # new clusters get a class
            reason = f"target '{inference.target}' has no gateway with a `class`"
        else:
            continue
        span = system.at("inference", inference.name, "rollout", "strategy")
        yield problems.rollout_not_incremental(span, inference.name, reason)


def pools(system: System) -> Iterator[Diagnostic]:
    """Require a pool's endpoints to have a single variant each and to agree on Ray cluster settings."""
    first_members: dict[str, Inference] = {}
    for inference in system.inference.values():
        if not inference.pool:
            continue
        path = ("inference", inference.name)
        if len(inference.variants) > 1:
            yield problems.pool_of_several_variants(system.at(*path, "pool"), inference.name, inference.pool)
        first_member = first_members.setdefault(inference.pool, inference)
        for setting, field, mine, theirs in (
            ("target", "target", inference.target, first_member.target),
            ("image", "source", inference.source.image, first_member.source.image),
            ("rollout", "rollout", inference.rollout, first_member.rollout),
            ("priority", "priority", inference.priority, first_member.priority),
        ):
            if mine != theirs:
                span = system.key(*path, field)
                yield problems.pool_member_differs(span, inference.name, inference.pool, setting, first_member.name)


def addresses(system: System) -> Iterator[Diagnostic]:
    """Require a gateway for endpoints that need one, and unique addresses.

    Splitting or mirroring traffic requires a gateway even inside the cluster. KubeRay creates its own Gateway for each
    incremental rollout.
    """
    targets = {target.name: target for target in system.deployment.targets}
    owners: dict[tuple[str, str, str], str] = {}
    for inference in system.inference.values():
        endpoint, target = inference.endpoint, targets[inference.target]
        path = ("inference", inference.name, "endpoint")
        if endpoint.exposure == "cluster":
            if endpoint.host:
                yield problems.host_inside_cluster(system.key(*path, "host"), inference.name)
            if len(inference.variants) == 1 and inference.mirror is None:
                continue
        elif target.provider == "kubernetes" and target.gateway is None:
            span = system.at(*path, "exposure")
            yield problems.no_gateway(span, inference.name, endpoint.exposure, target.name)
        if inference.rollout.strategy == "incremental":
            continue
        address = endpoint.path.rstrip("/") or "/"
        other = owners.setdefault((target.name, endpoint.host, address), inference.name)
        if other != inference.name:
            span = system.key(*path)
            shown_address = f"{endpoint.host}{address}" if endpoint.host else f"{address} of any host"
            yield problems.address_taken(span, inference.name, other, shown_address)


def pool_paths(system: System) -> Iterator[Diagnostic]:
    """Require a pool's endpoints to have different paths inside the cluster, because they share one server."""
    owners: dict[tuple[str, str], str] = {}
    for inference in system.inference.values():
        if inference.pool and inference.endpoint.exposure == "cluster" and inference.endpoint.path != "/":
            address = inference.endpoint.path.rstrip("/")
            other = owners.setdefault((inference.pool, address), inference.name)
            if other != inference.name:
                span = system.at("inference", inference.name, "endpoint", "path")
                yield problems.address_taken(span, inference.name, other, f"{address} in pool '{inference.pool}'")


def promises(system: System) -> Iterator[Diagnostic]:
    """Require SLOs to have objectives, bounds that rise with the percentile, and a short enough batching wait."""
    for inference in system.inference.values():
        if inference.slo is None:
            continue
        path = ("inference", inference.name)
        slo, latencies = inference.slo, inference.slo.latency_ms
        if not (latencies or slo.first_token_ms or slo.tokens_per_second) and slo.availability is None:
            yield problems.nothing_promised(system.at(*path, "slo"), inference.name)
        yield from _latencies(system, inference, latencies)
        yield from _latencies(system, inference, slo.first_token_ms, "timeToFirstToken")
        waiting = inference.batching
        if latencies and waiting.max_size > 1 and waiting.max_wait_ms >= latencies[0][1]:
            quantile, slo_ms = latencies[0]
            span = system.at(*path, "batching", "maxWait")
            yield problems.batching_breaks_slo(span, waiting.max_wait_ms, _PERCENTILES[quantile], slo_ms)


def _latencies(
    system: System, inference: Inference, latencies: tuple[tuple[float, int], ...], *above: str
) -> Iterator[Diagnostic]:
    """Require latency bounds to stay below the timeout and increase with the percentile.

    `above` is their path in `slo`.
    """
    path = ("inference", inference.name, "slo", *above)
    for quantile, bound_ms in latencies:
        if bound_ms > 1000 * inference.endpoint.timeout_s:
            name = _PERCENTILES[quantile]
            shown = ".".join((*above, name))
            yield problems.slo_beyond_timeout(system.at(*path, name), shown, inference.endpoint.timeout_s)
    for (low, fast), (high, slow) in pairwise(latencies):
        if slow < fast:
            name = _PERCENTILES[high]
            yield problems.latencies_out_of_order(system.at(*path, name), name, _PERCENTILES[low])


def readers(system: System) -> Iterator[Diagnostic]:
    """Require a notification channel for SLO alerts."""
    with_slo = [inference.name for inference in system.inference.values() if inference.slo]
    if with_slo and not system.governance.owner.oncall:
        yield problems.alert_without_reader(system.key("governance", "owner"), with_slo)


RULES: Final[tuple[Rule, ...]] = (traffic, rollouts, pools, pool_paths, addresses, promises, readers)
