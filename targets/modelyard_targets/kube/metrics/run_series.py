"""PromQL for the results of pipeline runs.

Most runs, whether scheduled, manual, or started by monitors or other pipelines, are Jobs of a CronJob, as reported by
kube-state-metrics (github.com/kubernetes/kube-state-metrics, metrics of Jobs and CronJobs). A run that starts on
deployment is a single RayJob, as reported by the KubeRay operator
(ray-operator/controllers/ray/metrics/ray_job_metrics.go, v1.7.0). Read 2026-11-25.
"""

from __future__ import annotations

from typing import Final

from modelyard_targets.kube.metrics.promql import duration, selector
from modelyard_targets.kube.placement.context import Context

RAY_JOB_STATUS: Final = "kuberay_job_deployment_status"

_STARTED: Final = "kube_job_status_start_time"
_ENDED: Final = "kube_job_status_completion_time"
_SAME_JOB: Final = "on (namespace, job_name)"


def last_failed(cron_job: str, context: Context) -> str:
    """Return PromQL that is true if the most recently started of all finished runs has failed."""
    failed, complete = (_last_start(cron_job, condition, context) for condition in ("failed", "complete"))
    return f"{failed} > ({complete} or vector(0))"


def ray_job_failed(name: str, context: Context) -> str:
    """Return PromQL that is true if a RayJob has failed."""
    chosen = selector({"namespace": context.namespace, "name": name, "deployment_status": "Failed"})
    return f"max({RAY_JOB_STATUS}{chosen}) == 1"


def job_failed(name: str, context: Context) -> str:
    """Return PromQL that is true if a Job has failed."""
    chosen = selector({"namespace": context.namespace, "job_name": name, "condition": "true"})
    return f"max(kube_job_failed{chosen}) == 1"


def since_success_s(cron_job: str, context: Context) -> str:
    """Return PromQL for the seconds since the last successful scheduled run, or since the CronJob's creation."""
    chosen = selector({"namespace": context.namespace, "cronjob": cron_job})
    return f"time() - max(kube_cronjob_status_last_successful_time{chosen} or kube_cronjob_created{chosen})"


def since_any_success_s(cron_job: str, span_s: int, context: Context) -> str:
    """Return PromQL for the seconds since the last success of any run, scheduled or not.

    If no run has succeeded within the span, this is the time since the CronJob's creation.
    """
    owner = {"namespace": context.namespace, "owner_kind": "CronJob", "owner_name": cron_job}
    span = duration(span_s)
    ended = f"last_over_time({_ENDED}{selector({'namespace': context.namespace})}[{span}])"
    own = f"last_over_time(kube_job_owner{selector(owner)}[{span}])"
    created = f"kube_cronjob_created{selector({'namespace': context.namespace, 'cronjob': cron_job})}"
    return f"time() - max(({ended} and {_SAME_JOB} {own}) or {created})"


def paused(cron_job: str, within_s: int, context: Context) -> str:
    """Return PromQL that is true while a CronJob is suspended, and for `within_s` seconds after it's resumed.

    One sample every ten minutes is enough, and makes it cheap to look back over months.
    """
    chosen = selector({"namespace": context.namespace, "cronjob": cron_job})
    return f"max_over_time(kube_cronjob_spec_suspend{chosen}[{duration(within_s)}:10m]) == 1"


def unseen(cron_job: str, context: Context) -> str:
    """Return PromQL that is true if a CronJob has no metrics, because it or kube-state-metrics is missing."""
    return f"absent(kube_cronjob_created{selector({'namespace': context.namespace, 'cronjob': cron_job})})"


def longest_run_s(cron_job: str, window_s: int, context: Context) -> str:
    """Return PromQL for the longest run, in seconds, among those that are active or succeeded in the window."""
    here = selector({"namespace": context.namespace})
    recent = f"({_ENDED}{here} > time() - {window_s})"
    ended = f"({_ENDED}{here} - {_STARTED}{here}) and {_SAME_JOB} {recent}"
    under_way = f"(time() - {_STARTED}{here}) and {_SAME_JOB} (kube_job_status_active{here} > 0)"
    return f"max((({ended}) or ({under_way})) and {_own(cron_job, context)})"


def failed_runs(cron_job: str, window_s: int, context: Context) -> str:
    """Return PromQL for the number of failed runs that started within a window."""
    started = f"{_STARTED}{selector({'namespace': context.namespace})} > time() - {window_s}"
    failed = f"({started}) and {_SAME_JOB} ({_condition('failed', context)} == 1) and {_own(cron_job, context)}"
    return f"(count({failed}) or vector(0))"


def _last_start(cron_job: str, condition: str, context: Context) -> str:
    started = f"{_STARTED}{selector({'namespace': context.namespace})}"
    return f"max({started} and {_SAME_JOB} ({_condition(condition, context)} == 1) and {_own(cron_job, context)})"


def _condition(condition: str, context: Context) -> str:
    return f"kube_job_{condition}{selector({'namespace': context.namespace, 'condition': 'true'})}"


def _own(cron_job: str, context: Context) -> str:
    """Restrict a vector of Job metrics to a CronJob's Jobs, including those started by monitors."""
    owner = {"namespace": context.namespace, "owner_kind": "CronJob", "owner_name": cron_job}
    return f"{_SAME_JOB} kube_job_owner{selector(owner)}"
