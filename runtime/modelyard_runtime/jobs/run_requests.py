"""Run requests across targets, written to a store by a monitor and read by the starter next to the pipeline.

A request is plain data naming a monitor and a pipeline. The starter only starts pipelines that its own description
lists for that monitor.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.filesystem import place, write_once
from modelyard_runtime.workload.description import API_VERSION
from modelyard_runtime.workload.records import BreachRun, MonitorWorkload, RunRequest

KIND = "RunRequest"

MOST_REASONS = 10
LONGEST_REASON = 300
"""The maximum length of a reason, in characters."""

_ID_LENGTH = 32


def ask(workload: MonitorWorkload, run: BreachRun, request: RunRequest, now: datetime, reasons: Sequence[str]) -> str:
    """Write a request for a pipeline run.

    The request ID is derived from the UID of the monitor's Job, so a retry writes the same request.
    """
    description = f"a run of pipeline {run.pipeline} on {request.target}"
    body = request_of(workload, run, now, reasons)
    where = place(workload, request.uri, request.store).below(f"{body['id']}.json")
    try:
        write_once(where, json.dumps(body, ensure_ascii=False).encode())
    except OSError as problem:
        raise Refusal(
            f"cannot request {description}: writing the request failed: {problem}; the monitor's next run tries again"
        ) from None
    return f"requested {description} (request {body['id']})"


def request_of(workload: MonitorWorkload, run: BreachRun, now: datetime, reasons: Sequence[str]) -> dict[str, object]:
    """Create a request containing its origin, the pipeline to run, and the breach that caused it."""
    window = timedelta(seconds=workload.monitor.window_seconds)
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "id": _id(workload),
        "system": workload.system,
        "environment": workload.environment,
        "target": workload.target,
        "monitor": workload.address.partition(".")[2],
        "pipeline": run.pipeline,
        "at": now.isoformat(timespec="seconds"),
        "window": {"from": (now - window).isoformat(timespec="seconds"), "to": now.isoformat(timespec="seconds")},
        "reason": [reason[:LONGEST_REASON] for reason in reasons[:MOST_REASONS]],
    }


def _id(workload: MonitorWorkload) -> str:
    job_uid = os.environ.get("MODELYARD_JOB_UID") or uuid.uuid4().hex
    return hashlib.sha256(f"{workload.address}/{job_uid}".encode()).hexdigest()[:_ID_LENGTH]
