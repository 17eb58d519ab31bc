"""Settings of workloads that do not fit how machines are added: timeouts and batches."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil

from modelyard.diagnostics import hardware as problems
from modelyard.diagnostics.base import Diagnostic
from modelyard.plan import Job, Plan
from modelyard_targets.cluster.job import GROUP_WAIT_S, longest_start_s


def check_timeouts(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Pipelines that time out before the last group of machines of a compute class is tried."""
    for resource in plan.on(placement):
        if not isinstance(resource.value, Job):
            continue
        pipeline = resource.value.pipeline
        tried = ceil(pipeline.timeout_s / GROUP_WAIT_S)
        late = [hardware for hardware in resource.value.hardware.values() if len(hardware.groups) > tried]
        if late:
            longest = max(late, key=lambda hardware: len(hardware.groups))
            groups, minutes = len(longest.groups), longest_start_s(late) // 60
            name, span = pipeline.name, plan.system.at("pipelines", pipeline.name, "timeout")
            yield problems.timeout_before_last_group(span, name, longest.compute, groups - tried, groups, minutes)
