"""Checks that this runtime supports a description before work starts or machines are requested.

No model library is loaded and no network call is made, so the compiler can run the same checks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from modelyard_runtime.jobs.checks import check_starter
from modelyard_runtime.monitoring.checks import check_monitor
from modelyard_runtime.pipelines.checks import check_pipeline
from modelyard_runtime.promotion.checks import check_promoter
from modelyard_runtime.serving.checks import check_server
from modelyard_runtime.workload.description import Section
from modelyard_runtime.workload.records import PromoterWorkload, Workload, workload_of


def check_workload(description: Section) -> None:
    """Refuse a workload description that requires anything unsupported by this runtime."""
    workload = workload_of(description)
    if isinstance(workload, PromoterWorkload):
        check_promoter(workload)
    else:
        _CHECKS[workload.type](workload)


_CHECKS: Mapping[str, Callable[[Workload], Workload]] = {
    "server": check_server,
    "monitor": check_monitor,
    "starter": check_starter,
    "training": check_pipeline,
    "batch-inference": check_pipeline,
    "custom": check_pipeline,
}
