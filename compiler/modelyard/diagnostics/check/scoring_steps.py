"""Diagnostics about steps that score with a registered model: E0924 to E0926."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def model_beside_code(span: Span, step: str, field: str) -> Diagnostic:
    """A step with a model uses built-in scoring, so it can have neither code nor parameters.

    To score with your own code, use a pipeline of type batch-inference.

    Wrong:

        steps: {score: {model: churn@champion, output: scores, source: {entrypoint: "churn.score:main"}}}

    Right:

        steps: {score: {model: churn@champion, output: scores}}
    """
    return Diagnostic(
        "E0924",
        Severity.ERROR,
        f"step {quote(step)} scores with a model, so it cannot have `{field}`",
        span,
        f"remove `{field}` or `model`",
    )


def model_of_step_beside_training(span: Span, step: str, pipeline: str) -> Diagnostic:
    """A training pipeline only trains the model that it names. Scoring steps need a pipeline of type custom.

    Wrong:

        pipelines:
          retrain: {type: training, steps: {fit: {…}, score: {model: churn@champion, output: scores}}, …}

    Right:

        pipelines:
          retrain: {type: training, …}
          report: {type: custom, steps: {score: {model: churn@champion, output: scores}}, …}
    """
    return Diagnostic(
        "E0925",
        Severity.ERROR,
        f"step {quote(step)} cannot score with a model, because pipeline {quote(pipeline)} is a training pipeline",
        span,
        f"move it to a pipeline of type custom, which may start after `pipelines.{pipeline}`",
    )


def nothing_to_score(span: Span, step: str) -> Diagnostic:
    """A step with a model has no inputs, and neither does its pipeline.

    Wrong:

        pipelines:
          report: {type: custom, steps: {score: {model: churn@champion, output: scores}}}

    Right:

        pipelines:
          report: {type: custom, inputs: [customers], steps: {score: {model: churn@champion, output: scores}}}
    """
    return Diagnostic(
        "E0926",
        Severity.ERROR,
        f"step {quote(step)} has nothing to score",
        span,
        "add `inputs` to the step or its pipeline",
    )
