"""Check which files batch inference scores again when the model version changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.checks.schedules import gaps_s
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import batches as problems
from modelyard.provider import Rule
from modelyard.spec import Pipeline, System


def reprocess(system: System) -> Iterator[Diagnostic]:
    """Check that `reprocess` has an effect.

    It needs built-in scoring, a model alias instead of a version number, and a time window that is at least as long as
    the schedule's longest gap but no longer than the store's retention period.
    """
    for pipeline in system.pipelines.values():
        if pipeline.reprocess.kind == "none":
            continue
        if any(step.source.entrypoint for step in pipeline.steps):
            yield problems.reprocess_of_own_code(system.key("pipelines", pipeline.name, "reprocess"), pipeline.name)
        elif pipeline.model is not None and pipeline.model.alias.isdecimal():
            span = system.key("pipelines", pipeline.name, "reprocess")
            yield problems.reprocess_of_fixed_version(span, pipeline.name, pipeline.model.alias)
        else:
            yield from _window(system, pipeline)


def _window(system: System, pipeline: Pipeline) -> Iterator[Diagnostic]:
    window_s = pipeline.reprocess.window_s
    gaps = gaps_s(pipeline.schedule)
    if gaps and window_s and window_s < gaps[1]:
        span = system.at("pipelines", pipeline.name, "reprocess", "window")
        yield problems.reprocess_before_next_run(span, pipeline.name, window_s, gaps[1])
    for name in pipeline.inputs:
        store = system.stores.get(system.data[name].store)
        if store is not None and not store.adopt and store.retention_s and window_s and store.retention_s < window_s:
            span = system.at("pipelines", pipeline.name, "reprocess", "window")
            yield problems.reprocess_beyond_retention(span, name, window_s, store.name, store.retention_s)
            return


RULES: Final[tuple[Rule, ...]] = (reprocess,)
