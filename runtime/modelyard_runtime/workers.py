"""What a worker of a description asks of Ray."""

from __future__ import annotations

from typing import Any

from modelyard_runtime.description import Section, integer, number, section, text

_WHOLE = 0.99  # of a Pod's group resource: its CPUs keep a second worker away, the rest is for what coordinates


def worker_of(of: Section) -> dict[str, Any]:
    """What one worker of a step or monitor asks of Ray: a whole Pod of its group."""
    resources = section(of, "resources")
    group = text(resources, "group")
    return {
        "num_cpus": number(resources, "cpus"),
        "num_gpus": integer(resources, "gpus"),
        "resources": {group: _WHOLE} if group else {},
    }
