"""The description of a pipeline, held against what this runtime can do."""

from __future__ import annotations

from modelyard_runtime.capabilities import metric_of, trainers
from modelyard_runtime.metrics.needs import any_has, check_needs
from modelyard_runtime.pipelines.dag import order
from modelyard_runtime.promotion.gate import check_gate
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.training.trainers import check_task
from modelyard_runtime.training.tuning import check_tuning
from modelyard_runtime.workload.description import Section, integer, names, rows, section, sections, text

_WRITTEN = ("parquet", "csv")
_PIPELINES = frozenset({"training", "batch-inference", "custom"})


def check_pipeline(workload: Section) -> None:
    """The same of a pipeline."""
    kind, pipeline = text(workload, "type"), section(workload, "pipeline")
    if kind not in _PIPELINES:
        raise Refusal(f"'run' is for pipelines, and this workload is of type {kind}")
    model, steps = section(pipeline, "model"), sections(pipeline, "steps")
    if kind != "custom" and not model:
        raise Refusal(f"a pipeline of type {kind} needs a model")
    order(steps)
    for name, step in steps.items():
        try:
            _check_step(kind, pipeline, step)
        except Refusal as refusal:
            raise Refusal(f"step {name!r}: {refusal}") from None
    if kind == "training":
        _check_training(pipeline, text(model, "task"))


def _check_step(kind: str, pipeline: Section, step: Section) -> None:
    if "entrypoint" in step:
        return
    data = sections(pipeline, "data")
    if kind == "custom" and "model" in step and not names(step, "inputs"):
        raise Refusal("there is nothing to score: it has no inputs")
    if kind == "batch-inference" or (kind == "custom" and "model" in step):
        output = text(step, "output") or text(pipeline, "output")
        if output not in data:
            raise Refusal("scoring needs an output dataset")
        if text(data[output], "format") not in _WRITTEN:
            raise Refusal(f"output {output!r} is of format json, which is read only; declare parquet or csv")
        return
    if kind == "custom" or not text(step, "trainer"):
        raise Refusal("it has neither an entrypoint nor a built-in trainer")
    trainer, task = text(step, "trainer"), text(section(pipeline, "model"), "task")
    check_task(trainer, task)
    _check_inputs(pipeline, [data[name] for name in names(step, "inputs")], task)
    most = integer(section(step, "workers"), "max")
    if most > 1 and "tuning" not in pipeline and not trainers()[trainer].together:
        raise Refusal(
            f"{trainer} trains on one worker, and workers.max is {most}; "
            "use one worker, a search, or an entrypoint that trains with Ray Train"
        )


def _check_inputs(pipeline: Section, inputs: list[Section], task: str) -> None:
    """What a built-in trainer reads has one label, and what the split and a ranker go by."""
    labelled = sum(bool(text(one, "label")) for one in inputs)
    if labelled != 1:
        raise Refusal(f"one of its inputs must have a label; {labelled} have")
    if text(section(pipeline, "split"), "by") == "time" and not any_has(inputs, "timestamp"):
        raise Refusal("a split by time needs a dataset with a timestamp column")
    if task == "ranking" and not any_has(inputs, "group"):
        raise Refusal("a ranker needs to know which rows are of one query: `group` of a dataset")


def _check_training(pipeline: Section, task: str) -> None:
    steps, data = sections(pipeline, "steps").values(), sections(pipeline, "data")
    if "tuning" in pipeline:
        check_tuning(section(pipeline, "tuning"), task, any(text(step, "trainer") for step in steps))
    check_gate(pipeline, task, any("entrypoint" in step for step in steps))
    learned = [data[name] for step in steps for name in names(step, "inputs")]
    trained = [data[name] for step in steps if text(step, "trainer") for name in names(step, "inputs")]
    if trained and "tuning" in pipeline:
        check_needs(metric_of(text(section(pipeline, "tuning"), "metric")), trained, trained)
    for line in rows(pipeline, "validation"):
        judged = [data[text(line, "data")]] if text(line, "data") else learned
        try:
            check_needs(metric_of(text(line, "metric")), judged, learned)
        except Refusal as refusal:
            raise Refusal(f"gate {text(line, 'name')!r}: {refusal}") from None
