"""Check custom pipeline steps that score with a registered model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import scoring_steps as problems
from modelyard.provider import Rule
from modelyard.spec import Step, System


def scoring_steps(system: System) -> Iterator[Diagnostic]:
    """Require scoring steps to be built in, to have inputs, and to be in pipelines without training."""
    for pipeline in system.pipelines.values():
        for step in pipeline.steps:
            if step.model is None:
                continue
            if pipeline.type != "custom":
                yield problems.model_of_step_beside_training(system.key(*step.path, "model"), step.name, pipeline.name)
                continue
            for field in _without_effect(step):
                yield problems.model_beside_code(system.key(*step.path, *field), step.name, field[-1])
            if not step.inputs:
                yield problems.nothing_to_score(system.key(*step.path), step.name)


def _without_effect(step: Step) -> Iterator[tuple[str, ...]]:
    """Yield a step's fields that have no effect alongside `model`.

    E0884 covers trainers in pipelines without training.
    """
    if step.source.entrypoint:
        yield "source", "entrypoint"
    if step.parameters:
        yield ("parameters",)


RULES: Final[tuple[Rule, ...]] = (scoring_steps,)
