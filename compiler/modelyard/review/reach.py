"""Find the entries a change reaches, i.e. those that read, serve, watch or run on it, even indirectly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, TypeAlias, TypeVar

from modelyard.indexes import index
from modelyard.review.values import Steps
from modelyard.spec import Dataset, Inference, Model, Monitor, Pipeline, System

_SHOWN: Final = ("inference", "pipelines", "monitors", "models", "data", "registry", "sites")


def reached_by(system: System, path: Steps) -> tuple[str, ...]:
    """Return callers reached by a change at a path, then the addresses of other entries (endpoints first).

    A channel reaches only the entries whose alerts it receives.
    """
    start = _start(path)
    if path[0] == "channels":
        seen, callers = dict.fromkeys(sink for section in _edges(system) for sink in section.get(start, ())), []
    else:
        seen = dependents(system, (start,))
        callers = [caller for address in seen for caller in _callers(system, address)]
        del seen[start]
    ranked = [address for address in seen if address.partition(".")[0] in _SHOWN]
    ranked.sort(key=lambda address: (_SHOWN.index(address.partition(".")[0]), address))
    return (*sorted(set(callers)), *ranked)


def dependents(system: System, addresses: Iterable[str]) -> dict[str, None]:
    """Return the given addresses and everything that depends on them, directly or indirectly."""
    edges = _edges(system)
    seen = dict.fromkeys(addresses)
    waiting = list(seen)
    while waiting:
        origin = waiting.pop(0)
        for address in (sink for section in edges for sink in section.get(origin, ())):
            if address not in seen:
                seen[address] = None
                waiting.append(address)
    return seen


def neighbours(system: System, addresses: Iterable[str]) -> Iterator[str]:
    """Yield the direct dependencies and direct dependents of the given addresses."""
    origins = set(addresses)
    for source, sinks in (edge for section in _edges(system) for edge in section.items()):
        if source in origins:
            yield from sinks
        elif not origins.isdisjoint(sinks):
            yield source


def _callers(system: System, address: str) -> Iterator[str]:
    section, _, name = address.partition(".")
    if section == "inference" and name in system.inference:
        endpoint = system.inference[name].endpoint
        if endpoint.host:
            yield f"callers of {endpoint.host}"
        yield from (f"callers in namespace {client}" for client in endpoint.clients)


def _start(path: Steps) -> str:
    if path[:2] == ("deployment", "targets") and len(path) > 2:
        return f"targets.{path[2]}"
    return ".".join(path[:2])


_Entry = TypeVar("_Entry")

_Pairs: TypeAlias = Iterator[tuple[str, str]]
"""Pairs of addresses in which the entry at the second address depends on the entry at the first."""

_Edges: TypeAlias = Mapping[str, tuple[str, ...]]
"""The addresses that depend on an address directly."""


def _edges(system: System) -> tuple[_Edges, ...]:
    """Return the dependencies that each section describes, those of the registry, and those of the on-call channel.

    Each section has an index of its own, because two versions of a system share the sections that are equal.
    """
    return (
        _of_data(system.data),
        _of_models(system.models),
        _of_pipelines(system.pipelines),
        _of_endpoints(system.inference),
        _of_monitors(system.monitors),
        _of_registry(system),
        _of_oncall(system),
    )


def _grouped(pairs: _Pairs) -> _Edges:
    edges: dict[str, dict[str, None]] = {}
    for source, sink in pairs:
        if source.endswith(".") or sink.endswith("."):  # the spec omits the reference
            continue
        edges.setdefault(source, {})[sink] = None
    return {source: tuple(sinks) for source, sinks in edges.items()}


def _section(pairs_of: Callable[[_Entry], _Pairs]) -> Callable[[Mapping[str, _Entry]], _Edges]:
    """Return a function that indexes a section's dependencies, given one that yields those of a single entry."""
    return index(lambda section: _grouped(pair for entry in section.values() for pair in pairs_of(entry)))


def _pairs_of_data(data: Dataset) -> _Pairs:
    yield f"stores.{data.store}", f"data.{data.name}"


def _pairs_of_model(model: Model) -> _Pairs:
    here = f"models.{model.name}"
    yield from ((f"data.{check.data}", here) for check in model.validation)
    if model.base is not None:
        yield f"models.{model.base.model}", here
    if model.imported is not None:
        yield f"stores.{model.imported.store}", here


def _pairs_of_pipeline(pipeline: Pipeline) -> _Pairs:
    here = f"pipelines.{pipeline.name}"
    yield f"targets.{pipeline.target}", here
    yield f"pipelines.{pipeline.schedule.after}", here
    for step in pipeline.steps:
        yield f"compute.{step.compute}", here
        yield from ((f"data.{data}", here) for data in step.inputs)
        yield here, f"data.{step.output}"
        if step.model is not None:
            yield f"models.{step.model.model}", here
    if pipeline.output:
        yield here, f"data.{pipeline.output}"
    if pipeline.model is not None:
        trains = pipeline.type == "training"
        model = f"models.{pipeline.model.model}"
        yield (here, model) if trains else (model, here)


def _pairs_of_endpoint(inference: Inference) -> _Pairs:
    here = f"inference.{inference.name}"
    yield f"targets.{inference.target}", here
    for variant in inference.variants:
        yield f"models.{variant.model.model}", here
        yield f"compute.{variant.compute}", here
    for adapter in inference.adapters:
        yield f"models.{adapter.model.model}", here
    if inference.capture is not None:
        yield f"stores.{inference.capture.store}", here


def _pairs_of_monitor(monitor: Monitor) -> _Pairs:
    here = f"monitors.{monitor.name}"
    yield f"targets.{monitor.target}", here
    yield monitor.watch, here
    yield f"data.{monitor.labels}", here
    yield f"data.{monitor.reference.data if monitor.reference else ''}", here
    yield from ((f"channels.{channel}", here) for channel in monitor.on_breach.notify)


_of_data = _section(_pairs_of_data)
_of_models = _section(_pairs_of_model)
_of_pipelines = _section(_pairs_of_pipeline)
_of_endpoints = _section(_pairs_of_endpoint)
_of_monitors = _section(_pairs_of_monitor)


@index
def _of_registry(system: System) -> _Edges:
    """Return the models whose versions are in a store, which holds the artifacts of this system's registry."""
    registry = system.registry
    if registry is None or registry.adopt:
        return {}
    return _grouped((f"stores.{registry.artifacts}", f"models.{model}") for model in system.models)


@index
def _of_oncall(system: System) -> _Edges:
    channel = f"channels.{system.governance.owner.oncall}"
    return _grouped((channel, owner) for owner in alerting_oncall(system))


def alerting_oncall(system: System) -> Iterator[str]:
    """Yield the addresses of the entries whose alerts go to the owner's on-call channel."""
    if not system.governance.owner.oncall:
        return
    observed = {
        target.name
        for target in system.deployment.targets
        if target.tenancy != "shared" or "prometheus" in target.present
    }
    yield from (f"monitors.{name}" for name, monitor in system.monitors.items() if not monitor.on_breach.notify)
    yield from (f"inference.{name}" for name, endpoint in system.inference.items() if endpoint.slo is not None)
    yield from (f"pipelines.{name}" for name, pipeline in system.pipelines.items() if pipeline.target in observed)
    yield from (f"sites.{target.name}" for target in system.deployment.targets if target.telemetry.alerts_on)
    registry = system.registry
    if registry is not None and not registry.adopt and system.deployment.placement.registry in observed:
        yield "registry"
