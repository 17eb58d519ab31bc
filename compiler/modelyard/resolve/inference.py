"""Resolve endpoints, their variants, and the traffic between variants."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics import resolve as problems
from modelyard.nodes import Node, flag, integer, mapping, named_nodes, number, pairs, text, texts
from modelyard.resolve.compute import compute_of, needed_compute
from modelyard.resolve.governance import resolve_profile
from modelyard.resolve.pipelines import model_ref, source_of
from modelyard.resolve.quantities import milliseconds_or, part, percent, range_of, seconds, seconds_or, size
from modelyard.resolve.scope import Scope, reference, secret, store
from modelyard.source import Path
from modelyard.spec import (
    Auth,
    Batching,
    Caller,
    Capture,
    Deployment,
    Endpoint,
    Generation,
    Governance,
    Inference,
    Mirror,
    NamedAdapter,
    Range,
    Rollout,
    Scaling,
    Slo,
    TokenRate,
    Variant,
)

_PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p999": 0.999}
_ONLY_CALLER = "default"
_SMALL = Range(1, 1)
_ENTERPRISE = Range(2, 4)  # two replicas, so that one can be moved while the other answers
_SCALING_TARGET = 2.0  # without batching


def resolve_inference(scope: Scope, deployment: Deployment, governance: Governance) -> dict[str, Inference]:
    """Resolve all endpoints. `replicas` defaults to 2–4 for enterprises, and to 1 at the edge or in small systems."""
    return {
        name: _inference(scope, name, node, deployment, governance)
        for name, node in named_nodes(scope.root, "inference")
    }


def _inference(scope: Scope, name: str, node: Node, deployment: Deployment, governance: Governance) -> Inference:
    path = ("inference", name)
    target = reference(scope, "targets", node, "target", path, deployment.placement.inference)
    variants = _variants(scope, name, node, path, target)
    batching = _batching(scope, mapping(node, "batching"), (*path, "batching"))
    generation = _generation(scope, node, variants)
    return Inference(
        name=name,
        target=target,
        source=source_of(node),
        variants=variants,
        mirror=_mirror(scope, mapping(node, "mirror"), (*path, "mirror"), variants) if "mirror" in node else None,
        scaling=_scaling(scope, mapping(node, "scaling"), (*path, "scaling"), batching, generation),
        batching=batching,
        slo=_slo(scope, mapping(node, "slo"), (*path, "slo")) if "slo" in node else None,
        rollout=_rollout(scope, mapping(node, "rollout"), (*path, "rollout")),
        capture=_capture(scope, name, mapping(node, "capture"), path, governance) if "capture" in node else None,
        endpoint=_endpoint(scope, mapping(node, "endpoint"), (*path, "endpoint"), governance),
        pool=text(node, "pool"),
        priority=text(node, "priority", "normal"),
        generation=generation,
        adapters=tuple(
            NamedAdapter(adapter, model_ref(scope, version, (*path, "adapters", adapter)))
            for adapter, version in pairs(node, "adapters")
        ),
    )


def _generation(scope: Scope, node: Node, variants: tuple[Variant, ...]) -> Generation | None:
    """Resolve generation settings, using defaults for text-generation models that don't set any.

    Returns None for other endpoints unless the spec sets `generation`.
    """
    models = mapping(scope.root, "models")
    tasks = {text(mapping(models, variant.model.model), "task") for variant in variants}
    if "generation" not in node and "text-generation" not in tasks:
        return None
    default, set_ = Generation(), mapping(node, "generation")
    return Generation(
        max_tokens=integer(set_, "maxTokens", default.max_tokens),
        concurrency=integer(set_, "concurrency", default.concurrency),
        context_length=integer(set_, "contextLength", 0) or None,
    )


def _variants(scope: Scope, name: str, node: Node, path: Path, target: str) -> tuple[Variant, ...]:
    entries = named_nodes(node, "variants")
    shares = _traffic(scope, node, path, [variant for variant, _ in entries])
    compute = compute_of(scope, node, path, f"inference-{name}")
    default = _ENTERPRISE if scope.enterprise and target not in scope.edges else _SMALL
    replicas = range_of(node.get("replicas"), default)
    return tuple(
        Variant(
            name=variant,
            model=model_ref(scope, text(entry, "model"), (*path, "variants", variant, "model")),
            compute=_compute(scope, entry, (*path, "variants", variant), f"inference-{name}-{variant}", compute),
            replicas=range_of(entry.get("replicas"), replicas),
            percent=shares.get(variant, 0),
        )
        for variant, entry in entries
    )


def _compute(scope: Scope, node: Node, path: Path, inline_name: str, default: str) -> str:
    return needed_compute(scope, compute_of(scope, node, path, inline_name, default), path)


def _traffic(scope: Scope, node: Node, path: Path, variants: list[str]) -> dict[str, int]:
    """Return each variant's traffic percentage.

    A single variant gets all traffic. Multiple variants must declare their shares.
    """
    if "traffic" not in node:
        mirrored = text(mapping(node, "mirror"), "to")
        serving = [variant for variant in variants if variant != mirrored]
        if len(serving) > 1:
            keys = {variant: scope.document.key_span((*path, "variants", variant)) for variant in serving}
            ordered = sorted(serving, key=lambda variant: (keys[variant].line, keys[variant].column))
            scope.report(problems.traffic_missing(scope.document.key_span(path), str(path[1]), ordered))
        return dict.fromkeys(serving, 100)
    traffic = mapping(node, "traffic")
    place = (*path, "traffic")
    for variant in traffic:
        if variant not in variants:
            span = scope.document.key_span((*place, variant))
            problem = problems.unknown_reference(span, "variant", variant, scope.suggestions(variants))
            scope.report(problem, (*path, "variants", variant))
    return {variant: integer(traffic, variant, 0) for variant in variants}


def _mirror(scope: Scope, node: Node, path: Path, variants: tuple[Variant, ...]) -> Mirror:
    names = [variant.name for variant in variants]
    to = text(node, "to")
    if to not in names:
        span = scope.document.value_span((*path, "to"))
        problem = problems.unknown_reference(span, "variant", to, scope.suggestions(names))
        scope.report(problem, (*path[:-1], "variants", to))
    return Mirror(to, integer(node, "percent", 100))


def _scaling(scope: Scope, node: Node, path: Path, batching: Batching, generation: Generation | None) -> Scaling:
    """Resolve scaling. By default, replicas are added only once each has enough requests to fill a batch."""
    default = Scaling(_SCALING_TARGET if generation is None else float(generation.concurrency))
    target = number(node, "target")
    return Scaling(
        metric=text(node, "metric", default.metric),
        target=float(max(default.target, batching.max_size) if target is None else target),
        upscale_delay_s=seconds_or(scope, node, "upscaleDelay", path, default.upscale_delay_s),
        downscale_delay_s=seconds_or(scope, node, "downscaleDelay", path, default.downscale_delay_s),
        max_queued=integer(node, "maxQueued", 0) or None,
    )


def _batching(scope: Scope, node: Node, path: Path) -> Batching:
    default = Batching()
    if not node:
        return default
    max_wait_ms = milliseconds_or(scope, node, "maxWait", path, default.max_wait_ms)
    return Batching(integer(node, "maxSize", default.max_size), max_wait_ms)


def _slo(scope: Scope, node: Node, path: Path) -> Slo:
    default = Slo()
    rate = (*path, "tokensPerSecond")
    return Slo(
        latency_ms=_percentiles(scope, node, path),
        availability=part(scope, node, "availability", path, 0.0) if "availability" in node else None,
        first_token_ms=_percentiles(scope, mapping(node, "timeToFirstToken"), (*path, "timeToFirstToken")),
        tokens_per_second=_rate(scope, mapping(node, rate[-1]), rate) if rate[-1] in node else None,
        window_s=seconds_or(scope, node, "window", path, default.window_s),
    )


def _percentiles(scope: Scope, node: Node, path: Path) -> tuple[tuple[float, int], ...]:
    return tuple(
        (quantile, milliseconds_or(scope, node, field, path, 0))
        for field, quantile in _PERCENTILES.items()
        if field in node
    )


def _rate(scope: Scope, node: Node, path: Path) -> TokenRate:
    minimum = float(number(node, "min") or 0)
    return TokenRate(minimum, part(scope, node, "share", path, TokenRate(minimum).share))


def _rollout(scope: Scope, node: Node, path: Path) -> Rollout:
    default = Rollout()
    if not node:
        return default
    return Rollout(
        strategy=text(node, "strategy", default.strategy),
        step_percent=percent(scope, node, "step", path, default.step_percent),
        interval_s=seconds_or(scope, node, "interval", path, default.interval_s),
        max_surge_percent=percent(scope, node, "maxSurge", path, default.max_surge_percent),
    )


def _capture(scope: Scope, name: str, node: Node, inference: Path, governance: Governance) -> Capture:
    """Resolve capture settings.

    The store defaults to the spec's only object store, and `retain` to the retention period in `governance`.
    """
    path = (*inference, "capture")
    into = store(scope, "object", node, "store", path)
    if not into:
        objects = [other for other, kind in scope.store_types.items() if kind == "object"]
        if len(objects) == 1:
            into = objects[0]
        else:
            problem = problems.capture_store_missing(scope.document.key_span(path), objects)
            scope.report(problem, scope.left_out("stores"))
    retain_s = seconds(scope, node, "retain", path)
    return Capture(
        fraction=part(scope, node, "sample", path, 1.0),
        store=into,
        path=text(node, "path") or f"captures/{name}",
        retain_s=governance.retention.captures_s if retain_s is None else retain_s,
        columns=texts(node, "columns"),
        keys=texts(node, "keys") if "keys" in node else None,
        redact=texts(node, "redact"),
    )


def _endpoint(scope: Scope, node: Node, path: Path, governance: Governance) -> Endpoint:
    """Resolve endpoint settings.

    Access logging is on by default for high-risk systems and in regulated industries.
    """
    logged = governance.risk == "high" or resolve_profile(scope).regulated
    default = Endpoint(access_log=flag(node, "accessLog", logged))
    auth = mapping(node, "auth")
    return Endpoint(
        exposure=text(node, "exposure", default.exposure),
        host=text(node, "host"),
        path=text(node, "path", default.path),
        timeout_s=seconds_or(scope, node, "timeout", path, default.timeout_s),
        max_body_bytes=size(scope, node, "maxBody", path) or default.max_body_bytes,
        auth=Auth(text(auth, "type", "none"), tuple(_callers(auth))),
        access_log=default.access_log,
        clients=texts(node, "clients"),
    )


def _callers(auth: Node) -> Iterator[Caller]:
    """Yield the endpoint's callers. `token` is shorthand for a single caller named `default`."""
    token = secret(auth, "token")
    if token is not None:
        yield Caller(_ONLY_CALLER, token, ("token",))
    tokens = mapping(auth, "tokens")
    for name in sorted(tokens):
        named_token = secret(tokens, name)
        if named_token is not None:
            yield Caller(name, named_token, ("tokens", name))
