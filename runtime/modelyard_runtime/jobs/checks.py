"""Checks whether this runtime supports the description of a starter."""

from __future__ import annotations

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.records import StarterWorkload, Workload


def check_starter(workload: Workload) -> StarterWorkload:
    """Return the starter workload, refusing descriptions that allow requests it couldn't handle."""
    if not isinstance(workload, StarterWorkload):
        raise Refusal(f"'start' is only for starters, but this workload is of type {workload.type}")
    for request in workload.requests:
        fields = {
            "monitor": request.monitor,
            "pipeline": request.pipeline,
            "cronJob": request.cron_job,
            "asked": request.asked,
            "answered": request.answered,
        }
        missing = [name for name, value in fields.items() if not value]
        if missing:
            raise Refusal(f"an allowed request has no {missing[0]}")
    return workload
