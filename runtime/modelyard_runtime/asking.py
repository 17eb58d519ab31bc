"""A run on another target is asked for: a request in a store, which the starter beside the pipeline reads.

A request is data. It names its monitor and a pipeline, and the starter starts nothing but what its own description
lists for that monitor.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from modelyard_runtime.description import API_VERSION, Section, integer, section, text
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage import place, write_whole

KIND = "RunRequest"

MOST_REASONS = 10
LONGEST_REASON = 300
"""Characters of a sentence that says why."""

_ID_LENGTH = 32


def ask(workload: Section, run: Section, now: datetime, why: Sequence[str]) -> str:
    """Write a request for a run of a pipeline, one a look: another try of the same look writes the same one."""
    request, pipeline = section(run, "request"), text(run, "pipeline")
    body = request_of(workload, run, now, why)
    where = place(workload, text(request, "uri"), text(request, "store")).below(f"{body['id']}.json")
    try:
        write_whole(where, json.dumps(body, ensure_ascii=False).encode())
    except OSError as problem:
        raise Refusal(
            f"a run of pipeline {pipeline} on {text(request, 'target')} is not asked for, since the request cannot be "
            f"written: {problem}; the next look tries again"
        ) from None
    return f"a run of pipeline {pipeline} on {text(request, 'target')} is asked for by request {body['id']}"


def request_of(workload: Section, run: Section, now: datetime, why: Sequence[str]) -> dict[str, object]:
    """What a request says: who asks for what, and which breach it is about."""
    window = timedelta(seconds=integer(section(workload, "monitor"), "windowSeconds"))
    return {
        "apiVersion": API_VERSION,
        "kind": KIND,
        "id": _id(workload),
        "system": text(workload, "system"),
        "environment": text(workload, "environment"),
        "target": text(workload, "target"),
        "monitor": text(workload, "address").partition(".")[2],
        "pipeline": text(run, "pipeline"),
        "at": now.isoformat(timespec="seconds"),
        "window": {"from": (now - window).isoformat(timespec="seconds"), "to": now.isoformat(timespec="seconds")},
        "reason": [one[:LONGEST_REASON] for one in why[:MOST_REASONS]],
    }


def _id(workload: Section) -> str:
    look = os.environ.get("MODELYARD_JOB_UID") or uuid.uuid4().hex
    return hashlib.sha256(f"{text(workload, 'address')}/{look}".encode()).hexdigest()[:_ID_LENGTH]
