"""The machines of a run: how long it waits for them, and which of its steps need several at once.

Checks need this of pipelines and nothing else, so it stands apart from what makes objects.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from modelyard.plan import Hardware, Job
from modelyard.spec import Step

GROUP_WAIT_S: Final = 15 * 60
"""How long a group of machines may take to deliver a node before the cluster's autoscaler tries the next one."""

_START_S: Final = 15 * 60
"""From the last node to a Ray cluster that is ready: images of 10 to 20 GiB, and Ray itself."""


def longest_start_s(waiting: Iterable[Hardware]) -> int:
    """How long a Ray cluster that needs these machines may take to start: every group is tried, and then Pods start.

    A run that still lacks machines after that fails, and somebody notices. Compute classes wait side by side.
    """
    chain = max((len(hardware.groups) for hardware in waiting), default=0)
    return max(1, chain) * GROUP_WAIT_S + _START_S


def trains_together(job: Job, step: Step) -> bool:
    """Whether a step trains one model on the accelerators of several workers."""
    accelerated = job.hardware[step.name].accelerator is not None
    return job.pipeline.type == "training" and accelerated and step.workers.maximum > 1
