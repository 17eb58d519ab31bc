"""Check the connections between targets, and report impossible connections."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from modelyard.diagnostics import crossings as problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.stores import store_elsewhere
from modelyard.diagnostics.target import registry_elsewhere
from modelyard.plan import Cluster, Kind, Link, Plan, RegistryServer, Resource, bundled_on, cluster_service
from modelyard.source import Path
from modelyard.spec import RULES_ONLY, ModelRef, Store, System, TargetSpec
from modelyard.spec.imports import imported, stored_at
from modelyard.spec.scoring import models_of, scorings
from modelyard.spec.watched import watched_models

_HELD: dict[str, str] = {Kind.OBJECT_STORE: "store", Kind.DATABASE: "database"}


def aliases_to_bundle(system: System) -> dict[str, tuple[str, ...]]:
    """Map each model to the aliases that targets without the registry serve, score with or watch."""
    aliases_by_model: dict[str, dict[str, None]] = {}
    for placement, refs in _readers(system):
        if bundled_on(system, placement):
            for ref in refs:
                aliases_by_model.setdefault(ref.model, {}).setdefault(ref.alias)
    return {model: tuple(aliases) for model, aliases in aliases_by_model.items()}


def _readers(system: System) -> Iterator[tuple[str, tuple[ModelRef, ...]]]:
    for pipeline in system.pipelines.values():
        yield pipeline.target, models_of(pipeline)
    for inference in system.inference.values():
        yield inference.target, inference.models
    for monitor in system.monitors.values():
        yield monitor.target, watched_models(system, monitor)


def check_crossings(plan: Plan) -> Iterator[Diagnostic]:
    """Report impossible connections between targets, once each, and features that bundles don't support."""
    if len(plan.system.deployment.targets) == 1:
        return
    yield from _connections(plan)
    yield from _in_other_networks(plan)
    yield from _databases(plan)
    yield from _fixed_versions(plan.system)
    yield from _rollbacks(plan.system)
    yield from _measured_elsewhere(plan.system)


def _connections(plan: Plan) -> Iterator[Diagnostic]:
    """Report impossible connections from workloads to resources on other targets, once each."""
    placed = {resource.place: resource for resource in plan.resources}
    reported: set[tuple[str, str]] = set()
    for link in plan.links:
        reader, sink = placed[link.source], placed[link.sink]
        who = reader.workload or reader.address
        if reader.placement == sink.placement or (who, link.sink) in reported:
            continue
        problem = _connection(reader, who, sink, link, plan.system)
        if problem is not None:
            reported.add((who, link.sink))
            yield problem


def _connection(reader: Resource, who: str, sink: Resource, link: Link, system: System) -> Diagnostic | None:
    targets = {target.name: target for target in system.deployment.targets}
    here, there = targets[reader.placement], targets[sink.placement]
    where = system.key(*_required_by(reader, sink, system))
    adopted = sink.kind is Kind.REGISTRY and system.registry is not None and bool(system.registry.adopt)
    what = "the registry" if sink.kind is Kind.REGISTRY else f"{_HELD.get(sink.kind, '')} '{sink.name}'"
    service = cluster_service(_address(sink, system))
    if service is not None and not _one_cluster(there, here):
        return problems.service_elsewhere(where, who, here.name, what, there.name, ".".join((*service, "svc")))
    if sink.kind is Kind.REGISTRY:
        return None if adopted else registry_elsewhere(where, who, here.name, there.name)
    if sink.kind not in _HELD or _lets_in(there, here):
        return None
    return problems.not_reachable(where, who, here.name, what, there.name)


def _required_by(reader: Resource, sink: Resource, system: System) -> Path:
    """Return the spec path that requires a connection, i.e. an import if the promoter connects to a store."""
    if reader.kind is Kind.PROMOTER and sink.kind in _HELD:
        for model in imported(system):
            source = stored_at(system, model.imported) if model.imported is not None else None
            if source is not None and ("stores", source[0]) == sink.origin:
                return ("models", model.name, "import")
    return reader.origin[:2]


def reaches(system: System, placement: str, store: Store) -> bool:
    """Return whether workloads on a target may access an object store on any target."""
    here, there = system.target(placement), system.target(store.target)
    if here.name == there.name or _one_cluster(there, here):
        return True
    return cluster_service(store.endpoint) is None and _lets_in(there, here)


def _address(sink: Resource, system: System) -> str:
    """Return the address of a store or registry in the spec, or "" if none is given."""
    if sink.kind is Kind.REGISTRY:
        return system.registry.adopt if system.registry is not None else ""
    store = system.stores.get(sink.name) if sink.kind in _HELD else None
    if store is None:
        return ""
    return store.endpoint if store.type == "object" else f"postgresql://{store.adopt}"


def _lets_in(target: TargetSpec, other: TargetSpec) -> bool:
    """Return whether workloads on `other` may connect to `target`. Within the same cluster, they always may."""
    if target.in_cloud or other.name in target.reachable_from:
        return True
    return _one_cluster(target, other)


def _one_cluster(target: TargetSpec, other: TargetSpec) -> bool:
    """Return whether two targets are on the same cluster, judging by their kubeconfig contexts."""
    return target.context == other.context != ""


def _in_other_networks(plan: Plan) -> Iterator[Diagnostic]:
    """Report workloads that use a registry or database in another target's network, once each."""
    placed = {resource.place: resource for resource in plan.resources}
    reported: set[str] = set()
    for link in plan.links:
        reader, sink = placed[link.source], placed[link.sink]
        host = _host(_address(sink, plan.system)) if sink.kind in {Kind.REGISTRY, Kind.DATABASE} else ""
        owners = _networks_with(host, plan) if host[:1].isdigit() else ()
        who = reader.workload or reader.address
        if owners and reader.placement not in owners and who not in reported:
            reported.add(who)
            what = "the registry" if sink.kind is Kind.REGISTRY else f"{_HELD[sink.kind]} '{sink.name}'"
            where = plan.system.key(*reader.origin[:2])
            yield problems.other_network(where, who, reader.placement, what, host, owners[0])


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # an incomplete IPv6 address, which is reported elsewhere
        return ""


def _networks_with(host: str, plan: Plan) -> tuple[str, ...]:
    """Return the targets that have a cluster and whose network contains an address."""
    from ipaddress import ip_address, ip_network  # few specs name an address

    try:
        address = ip_address(host)
    except ValueError:
        return ()
    networks = ((target.name, target.options.network) for target in plan.system.deployment.targets)
    known = ((name, ip_network(network.cidr, strict=False)) for name, network in networks if network is not None)
    return tuple(name for name, network in known if address in network and plan.of(Cluster, name))


def _databases(plan: Plan) -> Iterator[Diagnostic]:
    """Report a database that is created on a different target from its registry."""
    for registry in plan.of(RegistryServer):
        database = registry.value.database
        if database is None or registry.value.registry.adopt:
            continue
        if database.target != registry.placement and not database.adopt:
            where = plan.system.at("registry", "database")
            yield store_elsewhere(where, database.name, database.target, registry.placement)


def _fixed_versions(system: System) -> Iterator[Diagnostic]:
    """Report models pinned by version number but delivered as bundles, which exist only for aliases."""
    registry = system.deployment.placement.registry
    for scoring in scorings(system):
        if _fixed(scoring.model) and bundled_on(system, scoring.pipeline.target):
            where = system.at(*scoring.path, "model")
            yield problems.bundle_of_version(where, scoring.model.model, scoring.pipeline.target, registry)
    for inference in system.inference.values():
        for variant in inference.variants if bundled_on(system, inference.target) else ():
            if _fixed(variant.model):
                where = system.at("inference", inference.name, "variants", variant.name, "model")
                yield problems.bundle_of_version(where, variant.model.model, inference.target, registry)


def _fixed(ref: ModelRef) -> bool:
    return ref.alias.isdecimal()


def _rollbacks(system: System) -> Iterator[Diagnostic]:
    """Report monitors that should roll back a model but cannot reach the registry to move its alias."""
    for monitor in system.monitors.values():
        if monitor.on_breach.rollback and bundled_on(system, monitor.target):
            where = system.key("monitors", monitor.name, "onBreach", "rollback")
            yield problems.rollback_elsewhere(where, monitor.name, monitor.target, system.deployment.placement.registry)


def _measured_elsewhere(system: System) -> Iterator[Diagnostic]:
    """Report alert rules about workloads on another target, since their Prometheus lacks those metrics."""
    for monitor in system.monitors.values():
        if monitor.type not in RULES_ONLY:
            continue
        section, _, name = monitor.watch.partition(".")
        target = system.pipelines[name].target if section == "pipelines" else system.inference[name].target
        if target != monitor.target:
            where = system.key("monitors", monitor.name, "target")
            yield problems.measured_elsewhere(where, monitor.name, monitor.target, monitor.watch, target)
