"""Check that each chain of pipelines has a start and runs on a single target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import following as problems
from modelyard.provider import Rule
from modelyard.spec import Pipeline, System


def following(system: System) -> Iterator[Diagnostic]:
    """Require pipelines to follow only pipelines on the same target, without cycles."""
    in_circles: set[str] = set()
    for pipeline in system.pipelines.values():
        followed = system.pipelines.get(pipeline.schedule.after)
        if followed is None or pipeline.name in in_circles:
            continue
        span = system.at("pipelines", pipeline.name, "schedule", "after")
        circle = _circle(pipeline, system.pipelines)
        if circle:
            in_circles |= {*circle}
            yield problems.pipelines_in_a_circle(span, circle)
        elif followed.target != pipeline.target:
            yield problems.follows_elsewhere(span, pipeline.name, pipeline.target, followed.name, followed.target)


def _circle(pipeline: Pipeline, pipelines: Mapping[str, Pipeline]) -> list[str]:
    """Return the cycle that contains this pipeline, in execution order, or an empty list if there is none."""
    walked: dict[str, None] = {}
    at: Pipeline | None = pipeline
    while at is not None and at.name not in walked:
        walked[at.name] = None
        at = pipelines.get(at.schedule.after)
    return list(reversed(walked)) if at is pipeline else []


RULES: Final[tuple[Rule, ...]] = (following,)
