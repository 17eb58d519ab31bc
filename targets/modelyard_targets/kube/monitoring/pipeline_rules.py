"""Pipeline alerts for the owner's on-call channel.

They report failed and missing runs, a latest version that failed its gate or soak, versions waiting for approval, files
skipped by batch inference, and unanswered requests from other targets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.plan import AlertRules, Job, Resource, Starter, reports_files, reports_gate
from modelyard.spec import Approval, Model, Pipeline
from modelyard.spec.scoring import scorings_of
from modelyard.spec.trainings import first_trainings
from modelyard.stack import Value
from modelyard_targets.kube.metrics.promql import duration, one_of, selector, template_text
from modelyard_targets.kube.metrics.run_series import (
    job_failed,
    last_failed,
    paused,
    ray_job_failed,
    since_success_s,
    unseen,
)
from modelyard_targets.kube.monitoring.alert_rules import alert, alert_labels, group, prometheus_rule
from modelyard_targets.kube.monitoring.metrics_disk import kept_s
from modelyard_targets.kube.monitoring.monitor_rules import period_s
from modelyard_targets.kube.monitoring.runbooks import runbook
from modelyard_targets.kube.pipelines.job import once_job, once_name
from modelyard_targets.kube.pipelines.launcher import job_seconds
from modelyard_targets.kube.placement.context import Context, KubeObject

REFUSED: Final = "modelyard_gate_refused"
WAITING: Final = "modelyard_versions_waiting"
SOAK_FAILED: Final = "modelyard_soak_failed"
REFUSED_FILES: Final = "modelyard_batch_refused_files"

_PERIODS: Final = 3
_SHORTEST_S: Final = 7 * 86400
"""The minimum look-back for pushed values, because manual runs may be weeks apart."""

_UNSEEN_S: Final = 3600
"""How long kube-state-metrics may be unavailable, for example during a move to another machine."""


_UNANSWERED_S: Final = 1800
"""How long requests from other targets may be unanswered, enough for ten polls by the starter."""


def lower_pipeline_rules(resource: Resource[AlertRules], context: Context) -> Iterator[KubeObject]:
    """Yield a pipeline's rules, or nothing if the `AlertRules` aren't for a pipeline."""
    value = resource.value
    if value.pipeline is not None:
        rules = [
            _failed(resource, value.pipeline, context),
            *_missing(resource, value.pipeline, context),
            *_gate(resource, value.pipeline, context),
            *_stages(resource, value.pipeline, context),
            *_files(resource, value.pipeline, context),
            *_requests(resource, value.pipeline, context),
        ]
        yield prometheus_rule(resource, [group(resource.name, rules, 60)], context)


def due_s(pipeline: Pipeline) -> int | None:
    """Return the longest expected time between two successes in seconds, or None without a cron schedule.

    This is the sum of the schedule's longest gap, the start deadline and the longest run.
    """
    period = period_s(pipeline.schedule)
    return None if period is None else period + pipeline.schedule.starting_deadline_s + job_seconds(pipeline)


def _failed(resource: Resource[AlertRules], pipeline: Pipeline, context: Context) -> Value:
    once = pipeline.schedule.kind == "once"
    expression = last_failed(resource.name, context)
    if once and context.launched(pipeline):
        expression = job_failed(once_job(_job(resource, context), context), context)
    elif once:
        expression = ray_job_failed(once_name(_job(resource, context), context), context)
    texts = {
        "summary": f"the last run of pipeline {pipeline.name} failed",
        "description": "Its output is outdated. "
        + ("Change the spec to run it again." if once else "The alert ends with the next run that succeeds."),
        "runbook": runbook("failed-run"),
    }
    return alert("ModelyardPipelineFailed", expression, 0, _labels(resource, pipeline, context), texts)


def _missing(resource: Resource[AlertRules], pipeline: Pipeline, context: Context) -> Iterator[Value]:
    """Yield alerts for a scheduled pipeline that hasn't succeeded for too long or has no metrics.

    No run is due while the schedule is paused. When it resumes, the time to the next success starts over.
    """
    due = due_s(pipeline)
    if due is None:
        return
    labelled = _labels(resource, pipeline, context)
    texts = {
        "summary": f"pipeline {pipeline.name} has not succeeded for longer than its schedule allows",
        "description": f"It is due within {duration(due)}: the gap of the schedule, a late start, timeout and retries.",
        "runbook": runbook("missing-run"),
    }
    late = f"{since_success_s(resource.name, context)} > {due} unless on () {paused(resource.name, due, context)}"
    yield alert("ModelyardPipelineMissing", late, 0, labelled, texts)
    texts = {
        "summary": f"the runs of pipeline {pipeline.name} are not monitored",
        "description": "Prometheus has no series for its CronJob, so a failed or missing run would go unnoticed.",
        "runbook": runbook("unseen-runs"),
    }
    yield alert("ModelyardPipelineUnseen", unseen(resource.name, context), _UNSEEN_S, labelled, texts)


def _requests(resource: Resource[AlertRules], pipeline: Pipeline, context: Context) -> Iterator[Value]:
    """Yield an alert for unanswered requests from other targets, which fires if the starter does not succeed."""
    if all(request.pipeline.name != pipeline.name for request in context.requests):
        return
    for starter in context.plan.of(Starter, context.placement):
        texts = {
            "summary": f"runs of pipeline {pipeline.name} that monitors on other targets request are not started",
            "description": f"The starter has not succeeded for {duration(_UNANSWERED_S)}. A request expires after"
            " a day.",
            "runbook": runbook("starter"),
        }
        late = f"{since_success_s(starter.name, context)} > {_UNANSWERED_S}"
        late += f" unless on () {paused(starter.name, _UNANSWERED_S, context)}"
        yield alert("ModelyardStarterMissing", late, 0, _labels(resource, pipeline, context), texts)


def _gate(resource: Resource[AlertRules], pipeline: Pipeline, context: Context) -> Iterator[Value]:
    """Yield alerts for a version that failed its gate or is awaiting approval. They last until the next push."""
    job = _job(resource, context).value
    if not reports_gate(pipeline, context.system) or job.model is None:
        return
    labelled = _labels(resource, pipeline, context)
    if job.model.validation:
        ends = f"The alert ends with a version that passes, or after {duration(_look_back_s(pipeline, context))}."
        texts = {
            "summary": f"the newest version of pipeline {pipeline.name} failed the gate of model {job.model.name}",
            "description": f"{pipeline.promote_to} still points to the previous version. {ends}",
            "runbook": runbook("gate"),
        }
        yield alert("ModelyardGateRefused", _pushed(REFUSED, pipeline, context), 0, labelled, texts)
    approval = context.system.approval(job.model.name, pipeline.promote_to)
    if approval is not None:
        waiting = _pushed(WAITING, pipeline, context)
        yield _approval(job.model.name, "It passed the gate", approval, waiting, labelled)


def _stages(resource: Resource[AlertRules], pipeline: Pipeline, context: Context) -> Iterator[Value]:
    """Yield alerts for a model's later stages, but only in the rules of the first pipeline to train the model."""
    job = _job(resource, context).value
    if not reports_gate(pipeline, context.system) or job.model is None or _first(job.model, context) != pipeline.name:
        return
    yield from _later_stages(job.model, resource, context)


def import_alerts(model: Model, resource: Resource[AlertRules], context: Context) -> Iterator[Value]:
    """Yield alerts for an imported model's first alias and later stages."""
    assert model.imported is not None
    alias = model.imported.promote_to
    approval = context.system.approval(model.name, alias)
    if approval is not None:
        labelled, of_alias = _of_alias(model, alias, resource, context)
        waiting = last_pushed(WAITING, of_alias, context)
        yield _approval(model.name, "It is imported", approval, waiting, labelled)
    yield from _later_stages(model, resource, context)


def _of_alias(
    model: Model, alias: str, resource: Resource[AlertRules], context: Context
) -> tuple[dict[str, Value], dict[str, str]]:
    """Return an alert's labels for a model's alias, and the labels of the underlying series."""
    of_alias = {"model": model.name, "alias": alias}
    return {**alert_labels(resource, "ticket", context), **of_alias}, of_alias


def _later_stages(model: Model, resource: Resource[AlertRules], context: Context) -> Iterator[Value]:
    for stage in model.stages:
        if not stage.after:
            continue
        name, alias = model.name, stage.alias
        labelled, of_stage = _of_alias(model, alias, resource, context)
        if stage.approval is not None:
            waiting = last_pushed(WAITING, of_stage, context)
            yield _approval(
                name, f"It serves as {stage.after!r}, is ready to become {alias!r}", stage.approval, waiting, labelled
            )
        if stage.soak is not None and stage.soak.monitor:
            texts = {
                "summary": f"a version of model {name} failed its soak as {stage.after}",
                "description": f"Monitor {stage.soak.monitor} found its predictions out of bounds; {alias} stays "
                "where it is. The alert ends when they are within bounds, or with the next version.",
                "runbook": runbook("soak"),
            }
            failed = last_pushed(SOAK_FAILED, of_stage, context)
            yield alert("ModelyardSoakFailed", failed, 0, labelled, texts)


def _first(model: Model, context: Context) -> str:
    """Return the first pipeline that trains a model."""
    return first_trainings(context.system.pipelines)[model.name].name


def _approval(model: str, so_far: str, approval: Approval, waiting: str, labelled: dict[str, Value]) -> Value:
    groups = ", ".join(template_text(group) for group in approval.groups)
    texts = {
        "summary": f"a version of model {model} waits for approval",
        "description": f"{so_far} and needs {approval.minimum} of: {groups}.",
        "runbook": runbook("approval"),
    }
    return alert("ModelyardApprovalWaiting", waiting, 0, labelled, texts)


def _files(resource: Resource[AlertRules], pipeline: Pipeline, context: Context) -> Iterator[Value]:
    """Yield an alert for files that a batch inference run skipped."""
    job = _job(resource, context).value
    if reports_files(job, context.system):
        outputs = " or ".join(dict.fromkeys(scoring.output for scoring in scorings_of(pipeline)))
        texts = {
            "summary": f"pipeline {pipeline.name} skips files that do not fit",
            "description": f"Their rows have no scores in {outputs}, or outdated scores. "
            "The alert ends with the first run in which all files fit.",
            "runbook": runbook("refused-files"),
        }
        labelled = _labels(resource, pipeline, context)
        yield alert("ModelyardFilesRefused", _pushed(REFUSED_FILES, pipeline, context), 0, labelled, texts)


def _pushed(series: str, pipeline: Pipeline, context: Context) -> str:
    """Return PromQL that is true while the last value pushed to a series within `_look_back_s` is nonzero."""
    return last_pushed(series, {"pipeline": pipeline.name}, context, _look_back_s(pipeline, context))


def last_pushed(series: str, of: dict[str, str], context: Context, span_s: int = _SHORTEST_S) -> str:
    """Return PromQL that is true if the last value pushed within the span is nonzero."""
    own = {"namespace": context.namespace, **of}
    chosen = selector(own, one_of("system", (context.system.metadata.name, "")))
    return f"max(last_over_time({series}{chosen}[{duration(span_s)}])) > 0"


def _look_back_s(pipeline: Pipeline, context: Context) -> int:
    """Return for how many seconds a pushed value is valid, capped at the retention of our own Prometheus."""
    span = _PERIODS * max(period_s(pipeline.schedule) or 0, _SHORTEST_S)
    return span if "prometheus" in context.target.present else min(span, kept_s(context.system))


def _labels(resource: Resource[AlertRules], pipeline: Pipeline, context: Context) -> dict[str, Value]:
    return {**alert_labels(resource, "ticket", context), "pipeline": pipeline.name}


def _job(resource: Resource[AlertRules], context: Context) -> Resource[Job]:
    return context.jobs[resource.workload]
