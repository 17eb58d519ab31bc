"""What a description asks, held against what this runtime can do: before any work, and before machines are asked for.

No library of models is loaded here and nothing outside is asked, so whoever emits a description can do the same.
"""

from __future__ import annotations

from modelyard_runtime.jobs.checks import check_starter
from modelyard_runtime.monitoring.checks import check_monitor
from modelyard_runtime.pipelines.checks import check_pipeline
from modelyard_runtime.promotion.checks import check_promoter
from modelyard_runtime.serving.checks import check_server
from modelyard_runtime.workload.description import Section, text


def check_workload(workload: Section) -> None:
    """Refuse what the description of any workload asks and this runtime does not do."""
    kind = text(workload, "type")
    if kind == "server":
        check_server(workload)
    elif kind == "monitor":
        check_monitor(workload)
    elif kind == "promoter":
        check_promoter(workload)
    elif kind == "starter":
        check_starter(workload)
    else:
        check_pipeline(workload)
