"""Pipelines that run after others: which runs start which."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.spec.pipelines import Pipeline
from modelyard.spec.system import System


def launched(pipeline: Pipeline, followers: Mapping[str, tuple[Pipeline, ...]]) -> bool:
    """Whether a launcher waits for the end of each run. A single run needs none, unless others follow it."""
    return pipeline.schedule.kind != "once" or pipeline.name in followers


def followers(system: System) -> Mapping[str, tuple[Pipeline, ...]]:
    """By pipeline, those on the same target that start after a successful run of it."""
    followers_of: dict[str, tuple[Pipeline, ...]] = {}
    for pipeline in system.pipelines.values():
        followed = system.pipelines.get(pipeline.schedule.after)
        if followed is not None and followed.target == pipeline.target:
            followers_of[followed.name] = (*followers_of.get(followed.name, ()), pipeline)
    return followers_of
