"""README.md in the output for this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from modelyard.plan import Job, MonitorJob, Route
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.readme.prose import render
from modelyard_targets.local.notes import notes_of

_TEMPLATES: Final = Path(__file__).parent / "templates"


def readme_of(context: Context) -> str:
    """Render the README: its contents, how to start the system, and how the system differs from a cluster."""
    plan, placement = context.plan, context.placement
    return render(
        "local.md.j2",
        {
            "system": context.system,
            "environment": context.system.environment,
            "pipelines": [job.value.pipeline for job in plan.of(Job, placement)],
            "endpoints": [route.value.inference for route in plan.of(Route, placement)],
            "monitors": [monitor.value.monitor for monitor in plan.of(MonitorJob, placement)],
            "notes": notes_of(plan, placement),
        },
        _TEMPLATES,
    )
