"""How long runs may take."""

from __future__ import annotations

from typing import Final

from modelyard.spec import Pipeline
from modelyard_targets.kube.pods.priorities import NORMAL

MONITOR_S: Final = 3600
"""The longest run of a monitor with all retries, in seconds."""


def try_seconds(pipeline: Pipeline) -> int:
    """Return the maximum seconds per attempt, including waiting for machines below normal priority."""
    return pipeline.timeout_s * (1 if pipeline.priority == NORMAL else 2)


def run_seconds(pipeline: Pipeline) -> int:
    """Return the longest duration of a run with all retries, in seconds."""
    return try_seconds(pipeline) * (pipeline.retries + 1)
