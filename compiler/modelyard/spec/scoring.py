"""Find where registered models are used for scoring, in batch inference or in steps of custom pipelines."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.records import record
from modelyard.source import Path
from modelyard.spec.pipelines import Pipeline, Step
from modelyard.spec.references import ModelRef
from modelyard.spec.system import System


@record
class Scoring:
    """A use of a model for scoring. `path` is where the spec declares the model and the output."""

    name: str
    path: Path
    pipeline: Pipeline
    model: ModelRef
    inputs: tuple[str, ...]
    output: str
    steps: tuple[Step, ...]


def scorings(system: System) -> Iterator[Scoring]:
    """Yield all uses of models for scoring, in the order of the pipelines."""
    for pipeline in system.pipelines.values():
        yield from scorings_of(pipeline)


def scorings_of(pipeline: Pipeline) -> Iterator[Scoring]:
    """Yield a pipeline's uses of models for scoring.

    For batch inference, this is the whole pipeline. Otherwise, it's each step that has a model.
    """
    if pipeline.type == "batch-inference" and pipeline.model is not None:
        path: Path = ("pipelines", pipeline.name)
        yield Scoring(pipeline.name, path, pipeline, pipeline.model, pipeline.inputs, pipeline.output, pipeline.steps)
    for step in pipeline.steps:
        if step.model is not None:
            name = f"{pipeline.name}.{step.name}"
            yield Scoring(name, step.path, pipeline, step.model, step.inputs, step.output, (step,))


def models_of(pipeline: Pipeline) -> tuple[ModelRef, ...]:
    """Return the distinct model versions that a pipeline uses for scoring."""
    return tuple(dict.fromkeys(scoring.model for scoring in scorings_of(pipeline)))
