"""Acts on a breach by starting a pipeline run or rolling the alias back, subject to cooldowns."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from modelyard_runtime.jobs.cluster_api import ApiError, ClusterApi
from modelyard_runtime.jobs.job_start import JobStarter
from modelyard_runtime.jobs.local_runs import LocalRuns
from modelyard_runtime.jobs.run_requests import ask
from modelyard_runtime.jobs.starting import RunStarter, Start, start_guarded
from modelyard_runtime.promotion import aliases, evidence
from modelyard_runtime.promotion.delivery import deliver
from modelyard_runtime.promotion.history import History, actor_of
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.workload.records import BreachRun, Model, MonitorWorkload

_WHY = "a check of the monitor failed"
_log = logging.getLogger(__name__)


def act(
    workload: MonitorWorkload,
    now: datetime,
    breached: frozenset[str] = frozenset(),
    api: ClusterApi | None = None,
    reasons: Sequence[str] = (),
) -> list[str]:
    """Take the actions in the monitor's description, and return sentences describing what was done.

    `breached` contains the variants whose rows violated a bound, or an empty name for rows that aren't tied to a single
    variant. `reasons` contains sentences describing the failed checks.
    """
    action = workload.monitor.on_breach
    cooldown = timedelta(seconds=action.cooldown_seconds)
    sentences: list[str] = []
    if action.rollback:
        sentences += take_back(workload, now, cooldown, breached)
    run = action.run
    if run is not None and run.request is not None:
        sentences.append(ask(workload, run, run.request, now, reasons))
    elif run is not None:
        try:
            sentences.append(start(_starter(api), workload, run, now, cooldown))
        except (ApiError, OSError) as problem:
            raise Refusal(
                f"pipeline {run.pipeline} is not started, because the API server refused the request or failed: "
                f"{problem}; the monitor's next run tries again"
            ) from None
    for sentence in sentences:
        _log.warning("%s", sentence)
    return sentences


def _starter(api: ClusterApi | None) -> RunStarter:
    """Return a run starter for the monitor's environment, i.e. this machine or its cluster's API."""
    runs = LocalRuns.of_this_process() if api is None else None
    return runs or JobStarter(api or ClusterApi.of_this_pod())


def start(starter: RunStarter, workload: MonitorWorkload, run: BreachRun, now: datetime, cooldown: timedelta) -> str:
    """Start a pipeline run, unless a guard prevents it.

    No run starts within the monitor's cooldown, or while another run is active if runs must not overlap.
    """
    stamp = now.strftime("%Y%m%d%H%M")
    return start_guarded(starter, run, Start(workload.name, stamp, now, cooldown, int(cooldown.total_seconds())))


def take_back(workload: MonitorWorkload, now: datetime, cooldown: timedelta, breached: frozenset[str]) -> list[str]:
    """Roll back the alias of each breached variant, unless that was already done within the cooldown.

    There's also no rollback while the window contains rows from before the last one, since they measure the version
    that was rolled back rather than the current one.
    """
    monitor = workload.monitor
    label_delay_s = monitor.data[monitor.labels].delay_seconds if monitor.labels in monitor.data else 0
    window = timedelta(seconds=monitor.window_seconds + label_delay_s)
    models = workload.monitor.models
    for model in models:
        if model.bundle is not None:
            raise Refusal(f"{model.uri} is delivered as a bundle, so it can be rolled back only next to its registry")
    registry.connect(workload)
    sentences: list[str] = []
    blamed = _blamed(models, breached)
    if models and not blamed:
        sentences.append(
            "no alias is rolled back: the breach is not about a single variant, or the variant follows no alias"
        )
    for model in blamed:
        name, alias = model.registered_name, model.alias
        history = History(model)
        latest = aliases.taken_back_at(history, alias)
        if latest is not None and now - latest < cooldown:
            sentences.append(
                f"{alias!r} of {name} is kept: it was rolled back at {latest.isoformat()}, "
                f"and the cooldown is {cooldown}"
            )
            continue
        if latest is not None and now - latest < window:
            sentences.append(
                f"{alias!r} of {name} is kept: the window begins before it was rolled back at {latest.isoformat()}"
            )
            continue
        fit = evidence.fit(workload, model, alias)
        before = aliases.take_back(history, alias, actor_of(workload), _WHY, now, fit=fit)
        unchanged = f"{alias!r} of {name} is kept: no earlier version can be loaded"
        sentences.append(f"{alias!r} of {name} is version {before} again" if before else unchanged)
        if delivered := deliver(workload, model, alias):
            sentences.append(delivered)
    return sentences


def _blamed(models: Sequence[Model], breached: frozenset[str]) -> list[Model]:
    """Return the models of the breached variants, listing each alias once.

    A breach that isn't tied to a single variant is only attributed to a model if the monitor watches just one.
    """
    versions = {(model.registered_name, model.alias, model.version) for model in models}
    to_blame = [model for model in models if len(versions) == 1 or model.variant in breached - {""}]
    following = [model for model in to_blame if model.alias] if breached else []
    return list({(model.registered_name, model.alias): model for model in following}.values())
