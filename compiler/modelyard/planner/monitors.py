"""Plan monitors: either a job with alert rules, or only alert rules."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.plan import rules_only
from modelyard.plan import AlertRules, Kind, Link, MonitorJob, bundled_on
from modelyard.planner.draft import Draft, Needs
from modelyard.planner.pipelines import place_of
from modelyard.planner.starters import ask_elsewhere
from modelyard.source import Json, Path
from modelyard.spec import RULES_ONLY, Inference, Model, Monitor, System
from modelyard.spec.watched import state_folder, watched_dataset, watched_models

_OF_JOBS = ("schedule", "compute", "reference", "labels")


def plan_monitor(draft: Draft, monitor: Monitor) -> None:
    """Plan a monitor's identity, job and alerts."""
    workload, origin = f"monitors.{monitor.name}", ("monitors", monitor.name)
    name = f"monitor-{draft.called('monitors', monitor.name)}"
    if monitor.type in RULES_ONLY:
        draft.report(_ignored(draft.system, monitor))
    else:
        _job(draft, monitor, name, workload, origin)
    rules = AlertRules(monitor=monitor)
    draft.add(Kind.ALERT_RULES, name, monitor.target, (*origin, "checks"), rules, workload)


def _job(draft: Draft, monitor: Monitor, name: str, workload: str, origin: Path) -> None:
    hardware = draft.hardware(monitor.compute, monitor.target)
    if hardware is None:
        return
    inference = _watched_endpoint(draft.system, monitor)
    refs = watched_models(draft.system, monitor)
    models = tuple(draft.system.models[name] for name in dict.fromkeys(ref.model for ref in refs))
    needs = _needs(draft, monitor, inference, models)
    request = ask_elsewhere(draft, monitor, name, needs)
    starts = bool(monitor.on_breach.run) and draft.system.pipelines[monitor.on_breach.run].target == monitor.target
    draft.identity(name, monitor.target, origin, workload, needs, "trigger" if starts else "")
    value = MonitorJob(monitor, hardware, inference, models, request)
    job = draft.add(Kind.MONITOR, name, monitor.target, origin, value, workload)
    draft.connect(job, needs, registry=bool(models) and not bundled_on(draft.system, monitor.target))
    draft.metrics.append(job)
    if starts:
        pipeline = draft.system.pipelines[monitor.on_breach.run]
        draft.links.append(Link(job.place, place_of(draft, pipeline), "trigger", "https", 443))


def _needs(draft: Draft, monitor: Monitor, inference: Inference | None, models: tuple[Model, ...]) -> Needs:
    """Collect what a monitor needs: the watched data, the reference, the labels, its state folder and the models."""
    system, needs = draft.system, Needs(f"monitors.{monitor.name}")
    if inference is not None and inference.capture is not None:
        needs.store(inference.capture.store, inference.capture.path, "read", "capture")
        draft.wants_credentials(needs, inference.capture.store)
    for name in _watched_data(system, monitor):
        draft.wants_dataset(needs, system.data[name], "read")
    _keep_state(draft, monitor, needs)
    if models:
        refs = watched_models(system, monitor)
        draft.wants_models(needs, monitor.target, refs)
        if monitor.on_breach.rollback:
            draft.wants_deliveries(needs, refs)
    return needs


def _keep_state(draft: Draft, monitor: Monitor, needs: Needs) -> None:
    """Let a monitor append to its state folder and, unless the folder is in its captures, read from it."""
    state = state_folder(draft.system, monitor)
    if state is None:
        return
    store, folder = state
    captured = monitor.watch.startswith("inference.")
    if not captured:
        needs.store(store, folder, "read", "data")
        draft.wants_credentials(needs, store)
    needs.store(store, folder, "append", "capture" if captured else "data")


def _watched_data(system: System, monitor: Monitor) -> Iterator[str]:
    section, _, name = monitor.watch.partition(".")
    if section == "data":
        yield name
    elif section == "pipelines":
        watched = watched_dataset(system, monitor)
        inputs = system.pipelines[name].inputs
        if watched is None or watched.name == system.pipelines[name].output or watched.name in inputs:
            yield from inputs
        if watched is not None and watched.name not in inputs:
            yield watched.name
    if monitor.reference is not None and monitor.reference.data:
        yield monitor.reference.data
    if monitor.labels:
        yield monitor.labels


def _watched_endpoint(system: System, monitor: Monitor) -> Inference | None:
    section, _, name = monitor.watch.partition(".")
    return system.inference[name] if section == "inference" else None


def _ignored(system: System, monitor: Monitor) -> Iterator[Diagnostic]:
    """Report settings that have no effect on a monitor that consists only of alert rules."""
    origin: Path = ("monitors", monitor.name)
    entry = _entry(system, monitor.name)
    for field in _OF_JOBS:
        if field in entry:
            yield rules_only(system.key(*origin, field), monitor.name, field)
    breach = entry.get("onBreach")
    for field in ("run", "rollback", "cooldown"):
        if isinstance(breach, dict) and field in breach and breach[field] is not False:
            yield rules_only(system.key(*origin, "onBreach", field), monitor.name, f"onBreach.{field}")


def _entry(system: System, name: str) -> dict[str, Json]:
    monitors = system.document.value.get("monitors")
    entry = monitors.get(name) if isinstance(monitors, dict) else None
    return entry if isinstance(entry, dict) else {}
