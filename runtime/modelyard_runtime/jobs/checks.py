"""The description of a starter, held against what this runtime can do."""

from __future__ import annotations

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.description import Section, rows, text


def check_starter(workload: Section) -> None:
    """The same of what starts runs that other targets ask for."""
    if text(workload, "type") != "starter":
        raise Refusal(f"'start' is for starters, and this workload is of type {text(workload, 'type')}")
    for request in rows(workload, "requests"):
        lacking = [name for name in ("monitor", "pipeline", "cronJob", "asked", "answered") if not text(request, name)]
        if lacking:
            raise Refusal(f"a request that may be answered has no {lacking[0]}")
