"""Check model stages: their order, the requests and labels that soaks need, and change windows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from modelyard.checks.never_works import used
from modelyard.checks.schedules import gaps_s, zone
from modelyard.checks.suggestions import Suggestions
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.base import quote
from modelyard.diagnostics.check import approvers as keys
from modelyard.diagnostics.check import governance
from modelyard.diagnostics.check import stages as problems
from modelyard.provider import Rule
from modelyard.source import Path
from modelyard.spec import Model, Monitor, Stage, System

_DAY_MINUTES = 24 * 60
_SHORTEST_MINUTES = 10  # long enough for a promoter that checks every few minutes
_HALF = 50  # percent of the traffic
_PROMOTING: Final = ("registry", "models", "pipelines")  # the sections that decide which versions are promoted


def order(system: System) -> Iterator[Diagnostic]:
    """Require stages to form a single sequence: one comes first, and no two follow the same stage."""
    for model in system.models.values():
        for alias, field, problem, hint in _disorder(model):
            span = system.key("models", model.name, "stages", *([alias] if alias else []), *([field] if field else []))
            yield problems.stages_without_order(span, model.name, problem, hint)


def _disorder(model: Model) -> Iterator[tuple[str, str, str, str]]:
    """Yield each stage and field that breaks the sequence of stages, along with the problem and the fix."""
    firsts = [stage.alias for stage in model.stages if not stage.after]
    followers: dict[str, str] = {}
    for stage in model.stages:
        if not stage.after and stage.alias != firsts[0]:
            problem = f"{firsts[0]} and {stage.alias} are both first"
            yield stage.alias, "", problem, f"set `after` to the stage that {stage.alias} follows"
        elif followers.setdefault(stage.after, stage.alias) != stage.alias:
            other = followers[stage.after]
            problem = f"{other} and {stage.alias} both follow {stage.after}"
            yield stage.alias, "after", problem, f"set `after: {other}` if {other} comes first"
        elif stage.after and _in_a_circle(model, stage):
            problem = f"following `after` from {stage.alias} leads back to it"
            yield stage.alias, "after", problem, "remove `after` from the stage that training promotes to"


def _in_a_circle(model: Model, stage: Stage) -> bool:
    """Return whether following `after` from a stage leads back to that stage."""
    before = {other.alias: other.after for other in model.stages}
    at = stage.after
    for _ in model.stages:
        if at == stage.alias:
            return True
        at = before.get(at, "")
    return False


def entered(system: System) -> Iterator[Diagnostic]:
    """Require training and imports to promote to the first stage, and a promoter here to move versions on."""
    has_promoter = system.registry is not None and not system.registry.adopt
    promoted = system.promoted()
    for model in system.models.values():
        if not model.stages:
            continue
        path: Path = ("models", model.name, "stages")
        if not has_promoter or model.name not in promoted:
            reason = (
                "nothing here trains or imports it"
                if has_promoter
                else "the registry is adopted, so no promoter runs here"
            )
            hint = (
                "add a training pipeline or an import"
                if has_promoter
                else "declare a registry to run here, or remove `stages`"
            )
            if not _sets_aside_promotions(system):
                yield problems.nothing_moves(system.key(*path), f"the stages of model {model.name!r}", reason, hint)
            continue
        first_stage = next((stage.alias for stage in model.stages if not stage.after), "")
        for pipeline in system.pipelines.values():
            trains = pipeline.type == "training" and pipeline.model and pipeline.model.model == model.name
            if trains and first_stage and pipeline.promote_to != first_stage:
                span = system.at("pipelines", pipeline.name, "promoteTo")
                subject = f"pipeline {quote(pipeline.name)}"
                yield problems.training_past_first_stage(span, subject, pipeline.promote_to, model.name, first_stage)
        if model.imported is not None and first_stage and model.imported.promote_to != first_stage:
            span = system.at("models", model.name, "import", "promoteTo")
            alias = model.imported.promote_to
            yield problems.training_past_first_stage(span, "the import", alias, model.name, first_stage)


def _sets_aside_promotions(system: System) -> bool:
    """Return whether a registry, model or pipeline with another error was set aside, so that promotions are unknown."""
    return any(path[0] in _PROMOTING for path in system.document.aside)


def soaks(system: System) -> Iterator[Diagnostic]:
    """Require a soaking version to receive requests, and a monitor to evaluate its responses."""
    for model in system.models.values():
        for stage in model.stages:
            if stage.soak is None:
                continue
            path: Path = ("models", model.name, "stages", stage.alias, "soak")
            yield from _restarted(system, model.name, stage, path)
            endpoints = [name for name, alias in _serving(system, model.name) if alias == stage.after]
            if not endpoints:
                yield problems.soak_without_requests(system.key(*path), model.name, stage.after)
            elif stage.soak.monitor:
                yield from _judged(system, system.monitors[stage.soak.monitor], stage, model.name, endpoints, path)


def _restarted(system: System, model: str, stage: Stage, path: Path) -> Iterator[Diagnostic]:
    """Report soaks that cannot end before the next training run restarts them."""
    assert stage.soak is not None
    delay_s = _delay_s(system, system.monitors[stage.soak.monitor]) if stage.soak.monitor else 0
    for pipeline in system.pipelines.values():
        gaps = gaps_s(pipeline.schedule)
        trains = pipeline.type == "training" and pipeline.model is not None and pipeline.model.model == model
        if trains and gaps is not None and gaps[1] < max(stage.soak.for_s, delay_s):
            span = system.at(*path, "for")
            yield problems.trained_before_soaked(span, stage.alias, stage.soak.for_s, delay_s, pipeline.name, gaps[1])
            return


def _delay_s(system: System, monitor: Monitor) -> int:
    """Return the delay, in seconds, of the labels that a monitor uses, or 0 if it uses none."""
    return (system.data[monitor.labels].delay_s or 0) if monitor.labels else 0


def _serving(system: System, model: str) -> Iterator[tuple[str, str]]:
    """Yield the endpoints and aliases that receive live or mirrored requests for a model."""
    for inference in system.inference.values():
        mirrored = inference.mirror.variant if inference.mirror is not None else ""
        for variant in inference.variants:
            if variant.model.model == model and (variant.percent or variant.name == mirrored):
                yield inference.name, variant.model.alias


def _judged(
    system: System, monitor: Monitor, stage: Stage, model: str, endpoints: list[str], path: Path
) -> Iterator[Diagnostic]:
    assert stage.soak is not None
    span, watched = system.at(*path, "monitor"), f"inference.{endpoints[0]}"
    if monitor.type != "prediction-quality":
        reason, hint = f"its type is {monitor.type}", "use a prediction-quality monitor"
        yield problems.soak_monitor_unfit(span, monitor.name, reason, hint)
    elif monitor.watch not in {f"inference.{name}" for name in endpoints}:
        reason = f"it watches {monitor.watch}, which does not serve {model}@{stage.after}"
        yield problems.soak_monitor_unfit(span, monitor.name, reason, f"use a monitor that watches {watched}")
    elif monitor.target != system.deployment.placement.registry:
        reason = f"it runs on {monitor.target}, which cannot reach the registry"
        yield problems.soak_monitor_unfit(span, monitor.name, reason, "place it where the registry runs")
    else:
        yield from _timed(system, monitor, stage, model, path)


def _timed(system: System, monitor: Monitor, stage: Stage, model: str, path: Path) -> Iterator[Diagnostic]:
    """Require a soak to outlast the label delay, and its monitor to cover most of the soak."""
    assert stage.soak is not None
    delay_s = _delay_s(system, monitor)
    if delay_s > stage.soak.for_s:
        yield problems.soak_before_labels(system.at(*path, "for"), stage.soak.for_s, monitor.labels, delay_s)
    elif 2 * monitor.window_s < stage.soak.for_s - delay_s:
        span = system.at(*path, "for")
        yield problems.soak_beyond_window(span, stage.soak.for_s, monitor.name, monitor.window_s)
    if monitor.on_breach.rollback:
        span = system.key("monitors", monitor.name, "onBreach", "rollback")
        yield problems.soak_cut_short(span, monitor.name, model, stage.after)


def approvals(system: System) -> Iterator[Diagnostic]:
    """Require enough approvers. High-risk versions also need a gate and approvals before they serve callers."""
    groups = {group.name for group in system.governance.approvers}
    for model in system.models.values():
        for stage in model.stages:
            path: Path = ("models", model.name, "stages", stage.alias, "approvals")
            declared = system.written(*path[:-1]).get("approvals")
            if system.governance.risk == "high" and _answers(system, model, stage):
                yield from _at_high_risk(system, model, stage, str(declared))
            if not isinstance(declared, dict) or stage.approval is None:
                continue
            if stage.approval.minimum > len(stage.approval.groups):
                span = system.key(*path, "minimum")
                yield governance.approvals_impossible(span, stage.approval.minimum, len(stage.approval.groups))
            for place, group in enumerate(stage.approval.groups):
                if group not in groups:
                    yield keys.group_without_key(system.at(*path, "from", place), group)


def _answers(system: System, model: Model, stage: Stage) -> bool:
    """Return whether a stage is the last one, scores data, or serves at least half of an endpoint's requests."""
    if all(other.after != stage.alias for other in model.stages):
        return True
    for ref, path in used(system):
        if (ref.model, ref.alias) != (model.name, stage.alias):
            continue
        if path[0] != "inference":
            return True
        variants = system.inference[str(path[1])].variants
        if next(variant.percent for variant in variants if variant.name == path[3]) >= _HALF:
            return True
    return False


def _at_high_risk(system: System, model: Model, stage: Stage, setting: str) -> Iterator[Diagnostic]:
    path: Path = ("models", model.name, "stages", stage.alias)
    general = system.governance.approve_promotion
    if setting == "none":
        yield problems.stage_without_approvals(system.at(*path, "approvals"), model.name, stage.alias)
    elif general is not None and stage.approval is not None and stage.approval.minimum < general.minimum:
        span, fewer = system.key(*path, "approvals"), stage.approval.minimum
        yield problems.stage_asks_less(span, model.name, stage.alias, fewer, general.minimum)
    required_checks = [earlier.checks for earlier in model.stages[: model.stages.index(stage) + 1]]
    if model.validation and all(checks is not None and not checks for checks in required_checks):
        yield problems.stage_without_gate(system.at(*path, "checks"), model.name, stage.alias)


def changes(system: System) -> Iterator[Diagnostic]:
    """Require long enough change windows, freezes that end after they begin, and a promoter that enforces both."""
    calendar = system.governance.changes
    if calendar is None:
        for model in system.models.values():
            for stage in (candidate for candidate in model.stages if candidate.any_time):
                yield problems.any_time_of_all(system.key("models", model.name, "stages", stage.alias, "anyTime"))
        return
    path: Path = ("governance", "changes")
    has_registry = system.registry is not None and not system.registry.adopt
    if not (has_registry and system.promoted()) and not _sets_aside_promotions(system):
        reason = "nothing here trains or imports a model" if has_registry else "no promoter runs here"
        hint = "remove `changes`" if has_registry else "declare a registry to run here, or remove `changes`"
        yield problems.nothing_moves(system.key(*path), "the change windows", reason, hint)
    yield from zone(system, calendar.time_zone, path, Suggestions())
    for place, window in enumerate(calendar.windows):
        minutes = (window.to_minute - window.from_minute) % _DAY_MINUTES
        if minutes < _SHORTEST_MINUTES and window.to_minute - window.from_minute != _DAY_MINUTES:
            yield problems.window_too_short(system.at(*path, "windows", place, "to"), minutes)
    for place, freeze in enumerate(calendar.freezes):
        days = [(field, day) for field, day in (("from", freeze.first), ("to", freeze.last)) if not _is_day(day)]
        for field, day in days:
            span = system.at(*path, "freezes", place, field)
            yield problems.freeze_impossible(span, f"{day} is not a valid date", "use a date that exists")
        if not days and freeze.last < freeze.first:
            span = system.at(*path, "freezes", place, "to")
            problem = f"the freeze ends on {freeze.last}, before it begins on {freeze.first}"
            yield problems.freeze_impossible(span, problem, f"use `from: {freeze.last}` and `to: {freeze.first}`")


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


RULES: Final[tuple[Rule, ...]] = (order, entered, soaks, approvals, changes)
