"""Find the pipelines that start after runs of other pipelines."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.spec.pipelines import Pipeline
from modelyard.spec.system import System


def launched(pipeline: Pipeline, followers: Mapping[str, tuple[Pipeline, ...]]) -> bool:
    """Return whether a pipeline needs a launcher that starts its runs and waits for them.

    Pipelines that run only once don't need one, unless other pipelines follow them.
    """
    return pipeline.schedule.kind != "once" or pipeline.name in followers


def followers(system: System) -> Mapping[str, tuple[Pipeline, ...]]:
    """Map each pipeline to the pipelines on the same target that start after its successful runs."""
    followers_of: dict[str, tuple[Pipeline, ...]] = {}
    for pipeline in system.pipelines.values():
        followed = system.pipelines.get(pipeline.schedule.after)
        if followed is not None and followed.target == pipeline.target:
            followers_of[followed.name] = (*followers_of.get(followed.name, ()), pipeline)
    return followers_of
