"""What may cross from one target to another, and what cannot be carried."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics import crossings as problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.platform import store_elsewhere
from modelyard.plan import Kind, Plan, RegistryServer, bundled_on
from modelyard.spec import ModelRef, System, TargetSpec

_HELD: dict[str, str] = {Kind.OBJECT_STORE: "store", Kind.DATABASE: "database", Kind.REGISTRY: "registry"}


def aliases_to_bundle(system: System) -> dict[str, tuple[str, ...]]:
    """By model, the aliases that placements without the registry serve, score or watch."""
    found: dict[str, dict[str, None]] = {}
    for placement, refs in _readers(system):
        if bundled_on(system, placement):
            for ref in refs:
                found.setdefault(ref.model, {}).setdefault(ref.alias)
    return {model: tuple(aliases) for model, aliases in found.items()}


def _readers(system: System) -> Iterator[tuple[str, tuple[ModelRef, ...]]]:
    for pipeline in system.pipelines.values():
        if pipeline.type == "batch-inference" and pipeline.model is not None:
            yield pipeline.target, (pipeline.model,)
    for inference in system.inference.values():
        yield inference.target, tuple(variant.model for variant in inference.variants)
    for monitor in system.monitors.values():
        yield monitor.target, watched_refs(system, monitor.watch)


def watched_refs(system: System, watch: str) -> tuple[ModelRef, ...]:
    """The versions of models behind what a monitor watches: those of an endpoint, or the one of a pipeline."""
    section, _, name = watch.partition(".")
    if section == "inference":
        return tuple(variant.model for variant in system.inference[name].variants)
    ref = system.pipelines[name].model if section == "pipelines" else None
    return (ref,) if ref is not None else ()


def check_crossings(plan: Plan) -> Iterator[Diagnostic]:
    """Links that nothing carries, and what a placement without the registry cannot do; each is told once."""
    if len(plan.system.deployment.targets) == 1:
        return
    yield from _unreachable(plan)
    yield from _databases(plan)
    yield from _fixed_versions(plan.system)
    yield from _rollbacks(plan.system)


def _unreachable(plan: Plan) -> Iterator[Diagnostic]:
    """Connections into a cluster of one's own from a target that may open none there."""
    targets = {target.name: target for target in plan.system.deployment.targets}
    origins = {resource.place: resource for resource in plan.resources}
    told: set[tuple[str, str]] = set()
    for link in plan.crossings():
        here, there = link.ends
        kind, _, name = link.sink.partition(":")[2].partition("/")
        if kind not in _HELD or _lets_in(targets[there], targets[here]):
            continue
        reader = origins[link.source]
        if (reader.workload or reader.address, link.sink) in told:
            continue
        told.add((reader.workload or reader.address, link.sink))
        what = f"{_HELD[kind]} '{name}'" if kind != Kind.REGISTRY else "the registry"
        where = plan.system.key(*reader.origin[:2])
        yield problems.not_reachable(where, reader.workload or reader.address, here, what, there)


def _lets_in(target: TargetSpec, other: TargetSpec) -> bool:
    """Whether what runs on the other target may open connections to this one; two of one cluster always may."""
    if target.provider != "kubernetes" or other.name in target.reachable_from:
        return True
    return other.provider == "kubernetes" and target.context == other.context


def _databases(plan: Plan) -> Iterator[Diagnostic]:
    """A database that is made on one target for a registry on another."""
    for resource in plan.resources:
        value = resource.value
        if not isinstance(value, RegistryServer) or value.database is None or value.registry.adopt:
            continue
        if value.database.target != resource.placement and not value.database.adopt:
            where = plan.system.at("registry", "database")
            yield store_elsewhere(where, value.database.name, value.database.target, resource.placement)


def _fixed_versions(system: System) -> Iterator[Diagnostic]:
    """Bundles are written when an alias moves, so that a version by its number never comes."""
    registry = system.deployment.placement.registry
    for pipeline in system.pipelines.values():
        ref = pipeline.model if pipeline.type == "batch-inference" else None
        if ref is not None and _fixed(ref) and bundled_on(system, pipeline.target):
            where = system.at("pipelines", pipeline.name, "model")
            yield problems.bundle_of_version(where, ref.model, pipeline.target, registry)
    for inference in system.inference.values():
        for variant in inference.variants if bundled_on(system, inference.target) else ():
            if _fixed(variant.model):
                where = system.at("inference", inference.name, "variants", variant.name, "model")
                yield problems.bundle_of_version(where, variant.model.model, inference.target, registry)


def _fixed(ref: ModelRef) -> bool:
    return ref.alias.isdecimal()


def _rollbacks(system: System) -> Iterator[Diagnostic]:
    """An alias moves back in the registry, which a monitor elsewhere does not reach."""
    for monitor in system.monitors.values():
        if monitor.on_breach.rollback and bundled_on(system, monitor.target):
            where = system.key("monitors", monitor.name, "onBreach", "rollback")
            yield problems.rollback_elsewhere(where, monitor.name, monitor.target, system.deployment.placement.registry)
