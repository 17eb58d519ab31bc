"""Finds all runs of a pipeline, i.e. the Jobs owned by its CronJob, regardless of what created them.

A CronJob applies its concurrency policy only to Jobs that it created itself (pkg/controller/cronjob, v1.36.3). It
ignores runs started by a monitor or an upstream pipeline, so code that starts a run must check for other runs as well.
"""

from __future__ import annotations

from modelyard_runtime.jobs.cluster_api import ApiError, ClusterApi, Object

CRON_JOBS = "apis/batch/v1/cronjobs"
JOBS = "apis/batch/v1/jobs"

_LONGEST_NAME = 63
_KEPT_S = 7 * 86400
"""How long to keep a run that its CronJob did not start, unless the pipeline sets `ttlSecondsAfterFinished`."""


def under_way(api: ClusterApi, cron_job: str) -> list[Object]:
    """Return the active Jobs of the CronJob with the given UID, oldest first."""
    return sorted((job for job in api.list(JOBS, "") if cron_job in _owners(job) and not _ended(job)), key=_age)


def other_runs(api: ClusterApi, job: str) -> tuple[list[str], list[str]]:
    """Return the names of active runs started before the given Job, and of those started after it."""
    own = api.get(JOBS, job)
    active = [run for cron_job in _owners(own) for run in under_way(api, cron_job) if _name(run) != job]
    before = [_name(run) for run in active if _age(run) < _age(own)]
    return before, [_name(run) for run in active if _age(run) > _age(own)]


def forbidden(api: ClusterApi, cron_job: Object) -> bool:
    """Return whether an active run prevents a new one from starting."""
    if mapping(cron_job, "spec").get("concurrencyPolicy") != "Forbid":
        return False
    return bool(under_way(api, str(mapping(cron_job, "metadata").get("uid"))))


def exists(api: ClusterApi, job: str) -> bool:
    """Return whether a Job with the given name exists, including finished Jobs."""
    try:
        api.get(JOBS, job)
    except ApiError as problem:
        if problem.status != 404:
            raise
        return False
    return True


def job_named(cron_job: str, ending: str) -> str:
    """Return a Job name built from the CronJob's name, truncated if necessary, and a suffix."""
    return f"{cron_job[: _LONGEST_NAME - len(ending) - 1].rstrip('-')}-{ending}"


def job_of(cron_job: Object, ending: str, started_by: Object, kept_s: int) -> Object:
    """Return the Job the CronJob would create now, with a label recording what started it.

    The Job is the only record that the run was started, so it is kept for at least `kept_s` seconds after it ends. The
    CronJob owns the Job without being its controller, so the Job is deleted along with the CronJob but doesn't count
    toward history limits.
    """
    metadata, spec = mapping(cron_job, "metadata"), mapping(cron_job, "spec")
    template = mapping(spec, "jobTemplate")
    job_metadata, run = mapping(template, "metadata"), mapping(template, "spec")
    retention_s = run.get("ttlSecondsAfterFinished", _KEPT_S)
    owner = {"apiVersion": "batch/v1", "kind": "CronJob", "name": metadata["name"], "uid": metadata["uid"]}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_named(str(metadata["name"]), ending),
            "labels": mapping(metadata, "labels") | mapping(job_metadata, "labels") | started_by,
            "annotations": mapping(job_metadata, "annotations") | {"cronjob.kubernetes.io/instantiate": "manual"},
            "ownerReferences": [owner],
        },
        "spec": {**run, "ttlSecondsAfterFinished": max(retention_s if isinstance(retention_s, int) else 0, kept_s)},
    }


def mapping(document: Object, name: str) -> Object:
    """Return a nested object, or an empty object if the field is missing."""
    value = document.get(name)
    return value if isinstance(value, dict) else {}


def _owners(job: Object) -> list[str]:
    owners = mapping(job, "metadata").get("ownerReferences")
    references = [reference for reference in owners if isinstance(reference, dict)] if isinstance(owners, list) else []
    return [str(reference.get("uid")) for reference in references if reference.get("kind") == "CronJob"]


def _ended(job: Object) -> bool:
    conditions = mapping(job, "status").get("conditions")
    entries = (
        [condition for condition in conditions if isinstance(condition, dict)] if isinstance(conditions, list) else []
    )
    return any(
        condition.get("type") in {"Complete", "Failed"} and condition.get("status") == "True" for condition in entries
    )


def _age(job: Object) -> tuple[str, str]:
    """Return a sort key of creation time and name, so that all Pods order Jobs from the same second alike."""
    return str(mapping(job, "metadata").get("creationTimestamp", "")), _name(job)


def _name(job: Object) -> str:
    return str(mapping(job, "metadata").get("name"))
