"""Compile both sides of a migration: the existing environment and the new environment."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from modelyard.diagnostics import Diagnostic, in_order
from modelyard.inputs import InputFile, Inputs
from modelyard.migration.patches import difference, merged, with_value
from modelyard.neighbours import check_neighbours
from modelyard.pipeline import compile_system, opened, overlaid
from modelyard.plan import Cluster, Plan
from modelyard.portability import Destination, moved_to, with_kept_addresses
from modelyard.records import record, replace
from modelyard.source import Document, Json, Path, Span
from modelyard.spec import System, TargetSpec, target_path
from modelyard.stages import Outcome, Stage
from modelyard.target import Targets
from modelyard.writers.yaml_text import comment, document

_OF_A_CLUSTER: Final = ("context", "capacity", "residency")
_WRITTEN_BY: Final = "Written by modelyard migrate; put your own changes in the file that you pass with --overlay."


@record
class MoveRequest:
    """The targets to move, their destination (a provider or another target), and the new environment's name.

    `patch` contains the user's own changes to the new side.
    """

    sources: tuple[str, ...]
    to: Destination | str
    name: str
    patch: Mapping[str, Json]


@record
class Side:
    """One side of a migration: an environment, with the inputs it is compiled from and the outcome."""

    inputs: Inputs
    outcome: Outcome

    @property
    def plan(self) -> Plan:
        """Return the plan of a side that compiles."""
        assert self.outcome.plan is not None
        return self.outcome.plan

    @property
    def system(self) -> System:
        """Return the system of a side that compiles."""
        return self.plan.system

    @property
    def name(self) -> str:
        """Return the environment's name in folders and stacks."""
        return self.inputs.folder

    @property
    def overlay(self) -> str:
        """Return the text of the environment's file, which always exists for the new side."""
        overlay = self.inputs.overlay
        return overlay.content if overlay is not None and isinstance(overlay.content, str) else ""


@record
class Sides:
    """Both sides. The new side is compiled twice: idle, until the data has arrived, and live."""

    request: MoveRequest
    old: Side
    idle: Side
    live: Side

    @property
    def problems(self) -> tuple[Diagnostic, ...]:
        """Return the diagnostics about the new side."""
        return in_order((*self.idle.outcome.diagnostics, *self.live.outcome.diagnostics))


def sides_of(request: MoveRequest, old: Side, targets: Targets) -> Sides:
    """Compile the new side of a valid environment. Raises NoRegion if a provider has no region nearby."""
    spec = opened(old.inputs).document
    assert spec is not None
    base = {key: value for key, value in spec.value.items() if key != "environments"}
    moved = _moved(request, old, targets)
    live = _side(request.name, old.inputs, difference(base, moved), targets)
    idle = _side(request.name, old.inputs, difference(base, idle_of(moved)), targets)
    return Sides(request, old, _beside(idle, old), _beside(live, old))


def idle_of(value: Mapping[str, Json]) -> dict[str, Json]:
    """Return a document in which nothing starts on its own: no schedules, and only passive monitors."""
    pipelines = {name: _on_demand(entry) for name, entry in _entries(value, "pipelines")}
    monitors = {name: _watching(entry) for name, entry in _entries(value, "monitors")}
    changed: dict[str, Json] = {"pipelines": pipelines, "monitors": monitors}
    return {**value, **{section: entries for section, entries in changed.items() if entries}}


def overlay_text(patch: Mapping[str, Json]) -> str:
    """Return an overlay as the text of a file in `environments/`."""
    return comment(_WRITTEN_BY) + document(patch)


def _entries(value: Mapping[str, Json], section: str) -> Iterator[tuple[str, Json]]:
    entries = value.get(section)
    yield from entries.items() if isinstance(entries, dict) else ()


def _on_demand(pipeline: Json) -> Json:
    """Return a pipeline without its own schedule. A pipeline that follows another one still does."""
    if not isinstance(pipeline, dict):
        return pipeline
    schedule = pipeline.get("schedule")
    starts = schedule == "once" or (isinstance(schedule, dict) and "cron" in schedule)
    return {**pipeline, "schedule": "on-demand"} if starts else pipeline


def _watching(monitor: Json) -> Json:
    """Return a monitor that only alerts."""
    reaction = monitor.get("onBreach") if isinstance(monitor, dict) else None
    if not isinstance(monitor, dict) or not isinstance(reaction, dict):
        return monitor
    kept = {key: value for key, value in reaction.items() if key == "notify"}
    rest = {key: value for key, value in monitor.items() if key != "onBreach"}
    return {**rest, "onBreach": kept} if kept else rest


def _moved(request: MoveRequest, old: Side, targets: Targets) -> dict[str, Json]:
    """Return the new side's document before variables are substituted."""
    value = dict(overlaid(old.inputs).value)
    for path, after in _changes(request, old, targets):
        value = with_value(value, path, after)
    result = merged(value, dict(request.patch))
    assert isinstance(result, dict)
    return result


def _changes(request: MoveRequest, old: Side, targets: Targets) -> Iterator[tuple[Path, Json]]:
    if isinstance(request.to, str):
        yield from _onto(request.sources, request.to, old.system)
    else:
        moving = [old.system.target(name) for name in request.sources]
        move = moved_to(old.outcome, old.inputs, targets, request.to, moving)
        yield from ((change.path, change.after) for change in move.changes)
        if targets[request.to.provider].in_cloud:
            yield from _left_behind(moving, old.system)
    yield from _namespaces(request, old, targets)


def _left_behind(moving: Iterable[TargetSpec], system: System) -> Iterator[tuple[Path, Json]]:
    """Yield changes that remove a target's cluster description, since the target gets a new cluster in a cloud."""
    for target in moving:
        path = target_path(system, target.name)
        yield from (((*path, field), None) for field in _OF_A_CLUSTER if field in system.written(*path))


def _onto(sources: tuple[str, ...], to: str, system: System) -> Iterator[tuple[Path, Json]]:
    """Yield changes that place everything on the moving targets on another target and remove the moving ones."""
    placement = system.written("deployment", "placement")
    for kind in placement:
        if placement[kind] in sources:
            yield ("deployment", "placement", kind), to
    for section in ("stores", "pipelines", "inference", "monitors", "overrides"):
        for name in system.written(section):
            if system.written(section, name).get("target") in sources:
                yield (section, name, "target"), to
    for name in sources:
        yield ("deployment", "targets", name), None
    for name, callers in _reachable(system, sources):
        yield ("deployment", "targets", name, "reachableFrom"), callers
    clouds = {target.in_cloud for target in system.deployment.targets if target.name not in sources}
    if system.deployment.mode != "local":
        yield ("deployment", "mode"), "hybrid" if len(clouds) > 1 else "cloud" if clouds == {True} else "on-prem"


def _reachable(system: System, sources: tuple[str, ...]) -> Iterator[tuple[str, Json]]:
    """Yield the updated `reachableFrom` of each remaining target that a moving target could reach."""
    for target in system.deployment.targets:
        remaining: list[Json] = [name for name in target.reachable_from if name not in sources]
        if target.name not in sources and len(remaining) < len(target.reachable_from):
            yield target.name, remaining or None


def _namespaces(request: MoveRequest, old: Side, targets: Targets) -> Iterator[tuple[Path, Json]]:
    """Yield the new side's namespace for each cluster that both sides use."""
    for target in old.system.deployment.targets:
        stays = target.name == request.to or target.name not in request.sources
        if stays and not target.creates_cluster and old.plan.of(Cluster, target.name):
            yield (*target_path(old.system, target.name), "namespace"), _namespace(target, request.name, old, targets)


def _namespace(target: TargetSpec, name: str, old: Side, targets: Targets) -> str:
    before = target.namespace or targets[target.provider].namespace(old.system)
    return f"{before}-{name}"[:63].rstrip("-")


def _side(name: str, inputs: Inputs, patch: Mapping[str, Json], targets: Targets) -> Side:
    overlay = InputFile(f"environments/{name}.yaml", overlay_text(patch))
    own = replace(inputs, environment=name, overlay=overlay, beside={**inputs.beside, name: overlay})
    return Side(own, compile_system(own, targets))


def _beside(new: Side, old: Side) -> Side:
    """Add diagnostics to the new side for conflicts with the old one, such as a shared namespace."""
    new = replace(new, outcome=with_kept_addresses(new.outcome, old.system))
    if new.outcome.failed or new.outcome.plan is None:
        return new
    place = _start(new.outcome.document)
    problems = check_neighbours({old.name: old.plan, new.name: new.plan}, {old.name: place, new.name: place})
    return replace(new, outcome=new.outcome.after(Stage.FIT, problems))


def _start(read: Document | None) -> Span:
    assert read is not None
    return read.key_span(("deployment",))
