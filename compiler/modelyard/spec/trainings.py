"""Find the pipelines that train a model."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.indexes import index
from modelyard.spec.pipelines import Pipeline


@index
def first_trainings(pipelines: Mapping[str, Pipeline]) -> Mapping[str, Pipeline]:
    """Map each model to the first pipeline that trains it."""
    trainings: dict[str, Pipeline] = {}
    for pipeline in pipelines.values():
        if pipeline.type == "training" and pipeline.model is not None:
            trainings.setdefault(pipeline.model.model, pipeline)
    return trainings
