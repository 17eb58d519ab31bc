"""Machines for pipeline runs: how long a run waits for them, and which steps need several at once.

This is a separate module so that checks can use it without the code that builds objects.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from modelyard.plan import Hardware, Job
from modelyard.spec import Step

GROUP_WAIT_S: Final = 15 * 60
"""How long the cluster's autoscaler waits for a node from one machine group before it tries the next group."""

_START_S: Final = 15 * 60
"""Time from the last node to a ready Ray cluster: pulling images of 10 to 20 GiB, and starting Ray."""


def longest_start_s(waiting: Iterable[Hardware]) -> int:
    """Return how many seconds a Ray cluster may take to try every machine group and start its Pods.

    If a run has no machines by then, it fails so that someone notices. Compute classes wait in parallel.
    """
    chain = max((len(hardware.groups) for hardware in waiting), default=0)
    return max(1, chain) * GROUP_WAIT_S + _START_S


def trains_together(job: Job, step: Step) -> bool:
    """Return whether a step trains a single model on accelerators of several workers."""
    accelerated = job.hardware[step.name].accelerator is not None
    return job.pipeline.type == "training" and accelerated and step.workers.maximum > 1
