"""Runs of one pipeline: the Jobs that belong to its CronJob, whoever made them.

A CronJob counts only the Jobs that it made itself for its concurrency policy (pkg/controller/cronjob, v1.36.3):
a run that a monitor started is nothing to it, so that what starts a run looks for others by itself.
"""

from __future__ import annotations

from modelyard_runtime.cluster_api import ClusterApi, Object

JOBS = "apis/batch/v1/jobs"


def under_way(api: ClusterApi, cron_job: str) -> list[Object]:
    """The Jobs of the CronJob with this uid that have not ended, oldest first."""
    return sorted((job for job in api.list(JOBS, "") if cron_job in _owners(job) and not _ended(job)), key=_age)


def others(api: ClusterApi, job: str) -> tuple[list[str], list[str]]:
    """Names of the runs under way that began before a Job, and of those that began after it."""
    own = api.get(JOBS, job)
    found = [one for cron_job in _owners(own) for one in under_way(api, cron_job) if _name(one) != job]
    before = [_name(one) for one in found if _age(one) < _age(own)]
    return before, [_name(one) for one in found if _age(one) > _age(own)]


def mapping(of: Object, name: str) -> Object:
    """A field of an object that is an object itself; empty where it is not there."""
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def _owners(job: Object) -> list[str]:
    owners = mapping(job, "metadata").get("ownerReferences")
    found = [one for one in owners if isinstance(one, dict)] if isinstance(owners, list) else []
    return [str(one.get("uid")) for one in found if one.get("kind") == "CronJob"]


def _ended(job: Object) -> bool:
    conditions = mapping(job, "status").get("conditions")
    found = [one for one in conditions if isinstance(one, dict)] if isinstance(conditions, list) else []
    return any(one.get("type") in {"Complete", "Failed"} and one.get("status") == "True" for one in found)


def _age(job: Object) -> tuple[str, str]:
    """Jobs in the order in which they were made; those of one second by name, so that all agree about it."""
    return str(mapping(job, "metadata").get("creationTimestamp", "")), _name(job)


def _name(job: Object) -> str:
    return str(mapping(job, "metadata").get("name"))
