"""Checks whether this runtime supports the description of a pipeline."""

from __future__ import annotations

from modelyard_runtime.capabilities import TEXT, metric_of, trainers
from modelyard_runtime.metrics.needs import check_needs
from modelyard_runtime.pipelines.dag import order
from modelyard_runtime.promotion.gate import check_gate
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.training.trainers import check_task
from modelyard_runtime.training.tuning import check_tuning
from modelyard_runtime.workload.records import Dataset, Pipeline, PipelineWorkload, Step, Workload

_WRITTEN = ("parquet", "csv")


def check_pipeline(workload: Workload) -> PipelineWorkload:
    """Return the pipeline, refusing it if this runtime doesn't support everything it requires."""
    if not isinstance(workload, PipelineWorkload):
        raise Refusal(f"'run' is only for pipelines, but this workload is of type {workload.type}")
    kind, pipeline = workload.type, workload.pipeline
    model, steps = pipeline.model, pipeline.steps
    if kind != "custom" and model is None:
        raise Refusal(f"a pipeline of type {kind} needs a model")
    order(steps)
    for name, step in steps.items():
        try:
            _check_step(kind, pipeline, step)
        except Refusal as refusal:
            raise Refusal(f"step {name!r}: {refusal}") from None
    if kind == "training":
        _check_training(pipeline, pipeline.task)
    return workload


def _check_step(kind: str, pipeline: Pipeline, step: Step) -> None:
    if step.entrypoint:
        return
    data = pipeline.data
    if kind == "custom" and step.model is not None and not step.inputs:
        raise Refusal("there is nothing to score: it has no inputs")
    if kind == "batch-inference" or (kind == "custom" and step.model is not None):
        output = step.output or pipeline.output
        if output not in data:
            raise Refusal("scoring needs an output dataset")
        if data[output].format not in _WRITTEN:
            raise Refusal(f"output {output!r} has format json, which can only be read; declare parquet or csv")
        return
    if kind == "custom" or not step.trainer:
        raise Refusal("it has neither an entrypoint nor a built-in trainer")
    trainer, task = step.trainer, pipeline.task
    check_task(trainer, task)
    if task == TEXT:
        _check_texts(pipeline, [data[name] for name in step.inputs])
    _check_inputs(pipeline, [data[name] for name in step.inputs], task)
    max_workers = step.workers.max
    if max_workers > 1 and pipeline.tuning is None and not trainers()[trainer].together:
        raise Refusal(
            f"{trainer} trains on one worker, but workers.max is {max_workers}; "
            "use one worker, a search, or an entrypoint that trains with Ray Train"
        )


def _check_inputs(pipeline: Pipeline, inputs: list[Dataset], task: str) -> None:
    """Check that a built-in trainer's inputs have exactly one label and the columns needed by a split or ranker."""
    labelled = sum(bool(dataset.label) for dataset in inputs)
    if labelled != 1:
        raise Refusal(f"exactly one of its inputs must have a label; {labelled} have one")
    if pipeline.split is not None and pipeline.split.by == "time" and not any(dataset.timestamp for dataset in inputs):
        raise Refusal("a split by time needs a dataset with a timestamp column")
    if task == "ranking" and not any(dataset.group for dataset in inputs):
        raise Refusal("a ranker needs the query of each row: set `group` on a dataset")


def _check_texts(pipeline: Pipeline, inputs: list[Dataset]) -> None:
    """Check that a language model has a base to train an adapter for, and that rows have at most one prompt."""
    if pipeline.trained_model.base is None:
        raise Refusal("a language model is trained as an adapter of a base model, but the model names none")
    if pipeline.tuning is not None:
        raise Refusal("a search cannot tune the parameters of a language model's trainer")
    prompts = list(dict.fromkeys(name for dataset in inputs for name in dataset.features))
    if len(prompts) > 1:
        raise Refusal(f"rows of text have one prompt at most, but the features are {', '.join(prompts)}")


def _check_training(pipeline: Pipeline, task: str) -> None:
    steps, data = pipeline.steps.values(), pipeline.data
    if pipeline.tuning is not None:
        check_tuning(pipeline.tuning, task, any(bool(step.trainer) for step in steps))
    check_gate(pipeline, task, any(bool(step.entrypoint) for step in steps))
    learned = [data[name] for step in steps for name in step.inputs]
    trained = [data[name] for step in steps if step.trainer for name in step.inputs]
    if trained and pipeline.tuning is not None:
        check_needs(metric_of(pipeline.tuning.metric), trained, trained)
    for line in pipeline.validation:
        judged = [data[line.data]] if line.data else learned
        try:
            check_needs(metric_of(line.metric), judged, learned)
        except Refusal as refusal:
            raise Refusal(f"gate {line.name!r}: {refusal}") from None
