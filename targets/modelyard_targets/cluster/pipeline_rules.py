"""Alerts about the runs of a pipeline, for the owner's on-call channel: a run that failed, and one that is missing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.plan import AlertRules, Job, Resource
from modelyard.spec import Pipeline
from modelyard.stack import Value
from modelyard_targets.cluster.alert_rules import alert, alert_labels, group, prometheus_rule, quiet_severity
from modelyard_targets.cluster.context import Context, Made
from modelyard_targets.cluster.job import once_name
from modelyard_targets.cluster.launcher import job_seconds
from modelyard_targets.cluster.monitor_rules import period_s
from modelyard_targets.cluster.promql import duration
from modelyard_targets.cluster.run_series import last_failed, ray_job_failed, since_success_s, unseen
from modelyard_targets.cluster.runbooks import runbook

_UNSEEN_S: Final = 3600
"""How long kube-state-metrics may be away, as while it moves to another machine."""


def lower_pipeline_rules(resource: Resource, context: Context) -> Iterator[Made]:
    """The rules of a pipeline; nothing for those of an SLO or a monitor."""
    value = resource.value
    assert isinstance(value, AlertRules)
    if value.pipeline is not None:
        rules = [_failed(resource, value.pipeline, context), *_missing(resource, value.pipeline, context)]
        yield prometheus_rule(resource, [group(resource.name, rules, 60)], context)


def due_s(pipeline: Pipeline) -> int | None:
    """How long after a success the next one is due at the latest: the longest gap of the schedule, a start that is as
    late as it may be, and a run that takes as long as it may. None where runs are not by time.
    """
    period = period_s(pipeline.schedule)
    return None if period is None else period + pipeline.schedule.starting_deadline_s + job_seconds(pipeline)


def _failed(resource: Resource, pipeline: Pipeline, context: Context) -> Value:
    once = pipeline.schedule.kind == "once"
    expression = (
        ray_job_failed(once_name(_job(resource, context), context), context)
        if once
        else last_failed(resource.name, context)
    )
    texts = {
        "summary": f"the last run of pipeline {pipeline.name} failed",
        "description": "Its output is as old as before. "
        + ("A changed spec runs it again." if once else "The alert ends with the next run that succeeds."),
        "runbook": runbook("failed-run"),
    }
    return alert("ModelyardPipelineFailed", expression, 0, _labels(resource, pipeline, context), texts)


def _missing(resource: Resource, pipeline: Pipeline, context: Context) -> Iterator[Value]:
    """A schedule that has not led to a success for too long, for whatever reason, or that nobody can see."""
    due = due_s(pipeline)
    if due is None:
        return
    labelled = _labels(resource, pipeline, context)
    texts = {
        "summary": f"pipeline {pipeline.name} has not succeeded for longer than its schedule allows",
        "description": f"It is due within {duration(due)}: the gap of the schedule, a late start, timeout and retries.",
        "runbook": runbook("missing-run"),
    }
    late = f"{since_success_s(resource.name, context)} > {due}"
    yield alert("ModelyardPipelineMissing", late, 0, labelled, texts)
    texts = {
        "summary": f"nothing is known about the runs of pipeline {pipeline.name}",
        "description": "Prometheus has no series of its CronJob, so a failed or missing run would go unnoticed.",
        "runbook": runbook("unseen-runs"),
    }
    yield alert("ModelyardPipelineUnseen", unseen(resource.name, context), _UNSEEN_S, labelled, texts)


def _labels(resource: Resource, pipeline: Pipeline, context: Context) -> dict[str, Value]:
    value = resource.value
    assert isinstance(value, AlertRules)
    labelled = alert_labels(resource, quiet_severity(value, context), context)
    return {**labelled, "pipeline": pipeline.name}


def _job(resource: Resource, context: Context) -> Resource:
    here = context.plan.on(context.placement)
    return next(one for one in here if isinstance(one.value, Job) and one.workload == resource.workload)
