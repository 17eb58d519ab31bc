"""Explain an address such as `inference.scorer`: where it is defined, its resources and its machines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import cast

import modelyard_schemas
from modelyard.cli.machines import machines_of
from modelyard.cli.ways import model_lines
from modelyard.flow_text import flow
from modelyard.pipeline import Outcome
from modelyard.plan import Plan, Resource
from modelyard.printing.fields import field
from modelyard.shape import Schema
from modelyard.source import Document, Json, Path, Span
from modelyard.spec import System
from modelyard.stack import Manifest
from modelyard_targets import TARGETS


def explain_address(outcome: Outcome, address: str) -> list[str]:
    """Return the lines of the explanation, or an empty list if nothing in the spec has this address."""
    lines = _definition(outcome, address) or _explained(outcome, address)
    if not lines or outcome.bound is None:
        return lines
    from modelyard.fleets.judging import sites_lines, with_references  # only a few specs have sites

    placements = (
        {
            resource.placement
            for resource in outcome.plan.resources
            if _belongs(resource, tuple(address.split(".")), address)
        }
        if outcome.plan is not None
        else set[str]()
    )
    placements |= {address.removeprefix("deployment.targets.")}
    about = (line for target in sorted(placements) for line in sites_lines(outcome, target))
    return [with_references(outcome, line) for line in (*lines, *about)]


def _definition(outcome: Outcome, address: str) -> list[str]:
    """Describe a definition that is repeated for each row of a list, e.g. `models.demand-${each.name}`."""
    if outcome.document is None:
        return []
    repeated = outcome.document.repeated
    paths = [path for path, repeat in repeated.items() if address == f"{path[0]}.{repeat.key}"]
    if not paths:
        return []
    place, rows = _place(outcome.document.key_span(paths[0])), repeated[paths[0]].list
    lines = [f"{address}: written at {place}, for each row of list {rows}", ""]
    return [*lines, *(f"  {'.'.join(map(str, path))}, from {_place(repeated[path].place)}" for path in paths)]


def _explained(outcome: Outcome, address: str) -> list[str]:
    path: Path = tuple(address.split("."))
    if outcome.document is None:
        return []
    if not _exists(outcome, path):
        return _added(outcome.plan, address) if outcome.plan is not None else []
    lines = [f"{address}: written at {_place(outcome.document.key_span(path))}{_row(outcome.document, path)}"]
    if outcome.plan is not None and len(path) > len(_owner(path)):
        return [*lines, *_field(outcome.document, outcome.plan, path)]
    if outcome.plan is None:
        return [*lines, "  nothing is planned: the spec has errors (see modelyard validate)"]
    resources = [resource for resource in outcome.plan.resources if _belongs(resource, path, address)]
    lines += _resources(outcome.plan, resources)
    if len(path) == 2 and path[0] == "models":
        lines += model_lines(outcome.plan.system, str(path[1]))
    lines += _users(outcome.plan.system, path)
    lines += machines_of(outcome.plan, resources, path)
    lines += _links(outcome.plan, resources)
    lines += _components(outcome.plan, path)
    lines += _objects(outcome.plan, path, address)
    return lines


def _row(document: Document, path: Path) -> str:
    """Return a note on the list row that produced an entry, or "" if the entry isn't repeated."""
    repeat = document.repeated.get(path[:2])
    return "" if repeat is None else f", for row {repeat.row} of list {repeat.list} ({_place(repeat.place)})"


def _added(plan: Plan, address: str) -> list[str]:
    """Describe a workload added by the compiler, such as the promoter. Returns no lines if there is none."""
    resources = [resource for resource in plan.resources if resource.workload == address]
    if not resources:
        return []
    lines = [f"{address}: a workload that the compiler adds; the spec has no field with that name"]
    lines += _resources(plan, resources)
    return [*lines, *_links(plan, resources), *_objects(plan, (address,), address)]


def _exists(outcome: Outcome, path: Path) -> bool:
    value: Json = outcome.document.value if outcome.document else None
    for step in map(str, path):
        if not isinstance(value, dict) or step not in value:
            return False
        value = value[step]
    return True


def _owner(path: Path) -> Path:
    """Return the named entry that contains a path, such as `inference.scorer` or `deployment.targets.main`."""
    if path[0] == "registry":
        return path[:1]
    return path[:3] if path[:2] == ("deployment", "targets") else path[:2]


def _field(document: Document, plan: Plan, path: Path) -> list[str]:
    """Describe a field: its value and purpose, the components that it alone adds, and the address of its entry."""
    value: Json = document.value
    for step in map(str, path):
        value = value[step] if isinstance(value, dict) else None
    emitted = [resource for resource in plan.resources if resource.origin[: len(path)] == path]
    described, _ = field(cast("Schema", modelyard_schemas.load("system")), tuple(map(str, path)), document.value)
    purpose = None if described is None else described.first("description")
    lines = [
        f"  {flow(value)}",
        *([f"  {purpose}"] if purpose else []),
        *(_resources(plan, emitted) if emitted else []),
        *_objects(plan, path, ""),
    ]
    return [*lines, "", f"part of {'.'.join(map(str, _owner(path)))}; run modelyard explain on that for the whole"]


def _users(system: System, path: Path) -> list[str]:
    """Describe what uses a dataset or model, since these have no resources of their own."""
    if len(path) != 2 or path[0] not in {"data", "models"}:
        return []
    name = str(path[1])
    users = [*_readers(system, name)] if path[0] == "data" else [*_with_model(system, name)]
    width = max(map(len, (address for address, _ in users)), default=0)
    return ["", "used by:", *(f"  {address:<{width}}  {use}" for address, use in users)] if users else []


def _readers(system: System, data: str) -> Iterator[tuple[str, str]]:
    for pipeline in system.pipelines.values():
        if any(data in step.inputs for step in pipeline.steps):
            yield f"pipelines.{pipeline.name}", "reads it"
        if data == pipeline.output or any(data == step.output for step in pipeline.steps):
            yield f"pipelines.{pipeline.name}", "writes it"
    for model in system.models.values():
        if any(check.data == data for check in model.validation):
            yield f"models.{model.name}", "is evaluated on it"
    for monitor in system.monitors.values():
        if monitor.watch == f"data.{data}":
            yield f"monitors.{monitor.name}", "watches it"
        if monitor.reference is not None and monitor.reference.data == data:
            yield f"monitors.{monitor.name}", "compares with it"
        if monitor.labels == data:
            yield f"monitors.{monitor.name}", "takes labels from it"


def _with_model(system: System, model: str) -> Iterator[tuple[str, str]]:
    for pipeline in system.pipelines.values():
        if pipeline.model is not None and pipeline.model.model == model:
            use = f"trains it for {pipeline.promote_to}" if pipeline.type == "training" else "scores with"
            version = "" if pipeline.type == "training" else f" @{pipeline.model.alias}"
            yield f"pipelines.{pipeline.name}", f"{use}{version}"
        for step in pipeline.steps:
            if step.model is not None and step.model.model == model:
                yield f"pipelines.{pipeline.name}", f"scores with @{step.model.alias} in step {step.name}"
    for inference in system.inference.values():
        for variant in inference.variants:
            if variant.model.model == model:
                yield f"inference.{inference.name}", f"serves @{variant.model.alias} as {variant.name}"


def _belongs(resource: Resource, path: Path, address: str) -> bool:
    return resource.origin[: len(path)] == path or resource.workload == address


def _resources(plan: Plan, resources: list[Resource]) -> list[str]:
    if not resources:
        return ["", "it has no resources of its own; others use it"]
    width = max(len(resource.address) for resource in resources)
    return [
        "",
        "planned:",
        *(
            f"  {resource.address:<{width}}  on {resource.placement}, from {_place(plan.system.key(*resource.origin))}"
            for resource in resources
        ),
    ]


def _links(plan: Plan, resources: list[Resource]) -> list[str]:
    places = {resource.place for resource in resources}
    links = [link for link in plan.links if link.source in places or link.sink in places]
    lines = [
        f"  {link.source} -> {link.sink}: {link.what}" + (f", {link.protocol} {link.port}" if link.port else "")
        for link in links
    ]
    return ["", "connections:", *lines] if lines else []


def _components(plan: Plan, path: Path) -> list[str]:
    """Return the infrastructure program's components that originate at or below this path of the spec."""
    lines = [
        f"  {target.name}: {call.component} {call.name}, from {_place(plan.system.key(*call.origin))}"
        for target in plan.system.deployment.targets
        for call in TARGETS[target.provider].calls(plan, target.name)
        if call.origin[: len(path)] == path
    ]
    return ["", "infrastructure:", *lines] if lines else []


def _objects(plan: Plan, path: Path, address: str) -> list[str]:
    lines: list[str] = []
    for target in plan.system.deployment.targets:
        for item in TARGETS[target.provider].objects(plan, target.name):
            if item.origin[: len(path)] == path or (address and _workload(item.manifest) == address):
                name = _mapping(item.manifest, "metadata").get("name", "")
                lines.append(
                    f"  {target.name}: {item.manifest['kind']}/{name}, from {_place(plan.system.key(*item.origin))}"
                )
    return ["", "objects:", *lines] if lines else []


def _workload(manifest: Manifest) -> str:
    return str(_mapping(_mapping(manifest, "metadata"), "labels").get("modelyard.dev/workload", ""))


def _mapping(manifest: Manifest, name: str) -> Manifest:
    value = manifest.get(name)
    return value if isinstance(value, Mapping) else {}


def _place(span: Span) -> str:
    return f"{span.file}:{span.line}"
