"""Runs one pipeline step on a worker, which can be a built-in trainer, built-in scoring, or user code."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from modelyard_runtime.batch.run import score_datasets
from modelyard_runtime.capabilities import TEXT
from modelyard_runtime.context import Context
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.training.checkpoints import Checkpoints, state_of
from modelyard_runtime.training.data import TrainingData, training_data
from modelyard_runtime.training.language.tuned import fine_tuned
from modelyard_runtime.training.sharding import Shards, read_in_shards, reason_to_read_whole
from modelyard_runtime.training.together import goes_on, parts_of, train_together, trains_together
from modelyard_runtime.training.trained import Trained, finish
from modelyard_runtime.training.trainers import check_trainer, grow
from modelyard_runtime.training.trials import Nested, begin, failed
from modelyard_runtime.training.tuning import WHOLE, Trial, fixed_parameters, search, trial_of_trainer
from modelyard_runtime.user_code import entrypoint
from modelyard_runtime.workload.decode import decode
from modelyard_runtime.workload.description import Json
from modelyard_runtime.workload.records import Bounds, Pipeline, PipelineWorkload, Step, Tuning

_log = logging.getLogger(__name__)

_WHOLE = 0.99  # share of a group resource: the rest is for coordinators, and a Pod has CPUs for only one worker


@dataclass(frozen=True, slots=True)
class StepOutcome:
    """The outcome of a step, which is a model with its data and parameters, or just reported metrics.

    `result` is the return value of user code. `run_id` is the registry run created by a search. `checkpoints` are kept
    until the model is registered.
    """

    model: Any = None
    data: TrainingData | None = None
    result: Any = None
    reported: Mapping[str, float] = field(default_factory=dict)
    parameters: Mapping[str, Json] = field(default_factory=dict)
    run_id: str = ""
    checkpoints: Checkpoints | None = None


@dataclass(frozen=True, slots=True)
class Summary:
    """The part of a step's outcome needed by the driver. The full outcome may be large and stays on the worker."""

    has_model: bool
    reported: Mapping[str, float]
    checkpoints: Checkpoints | None = None


def worker_of(step: Step) -> dict[str, Any]:
    """Return the resource requests for one worker of a step, as Ray options."""
    resources = step.resources
    group = resources.group
    return {
        "num_cpus": resources.cpus,
        "num_gpus": resources.gpus,
        "resources": {group: _WHOLE} if group else {},
    }


def spread_out(workload: PipelineWorkload, step: Step) -> bool:
    """Return whether a step starts workers and merely coordinates them in its own process."""
    if workload.type == "training" and workload.pipeline.tuning is not None:
        return True
    if step.entrypoint:
        return step.workers.max > 1
    if step.trainer:
        return trains_together(step) or goes_on(workload, step)
    return scores(workload, step)


def scores(workload: PipelineWorkload, step: Step) -> bool:
    """Return whether a step is built-in scoring, in batch inference or in a custom pipeline that declares a model."""
    return not step.entrypoint and (step.model is not None or workload.type == "batch-inference")


def as_batch_inference(workload: PipelineWorkload, step: Step) -> PipelineWorkload:
    """Convert a scoring step of a custom pipeline to a batch inference workload."""
    if step.model is None:
        return workload
    overrides = {"model": step.source["model"], "batchSize": step.source["batchSize"], "reprocess": "none"}
    pipeline = {**workload.pipeline.source, **overrides}
    return decode(PipelineWorkload, {**workload.source, "type": "batch-inference", "pipeline": pipeline})


def perform(workload: PipelineWorkload, name: str, results: Mapping[str, Any], run: str) -> tuple[Summary, StepOutcome]:
    """Run one step. `results` contains references to the outcomes of earlier steps."""
    import ray

    _log_here()
    step = workload.pipeline.steps[name]
    outcomes: dict[str, StepOutcome] = {key: ray.get(reference) for key, reference in results.items()}
    before = {key: earlier.result if earlier.model is None else earlier.model for key, earlier in outcomes.items()}
    outcome = _perform(workload, name, step, before, run)
    return Summary(outcome.model is not None, outcome.reported, outcome.checkpoints), outcome


class StepActor:
    """The process in which one attempt of a step runs."""

    def perform(
        self, workload: PipelineWorkload, name: str, results: Mapping[str, Any], run: str
    ) -> tuple[Summary, StepOutcome]:
        """Run the step with the module's `perform` function."""
        return perform(workload, name, results, run)


def finish_step(
    workload: PipelineWorkload,
    name: str,
    outcome: StepOutcome,
    reported: Mapping[str, float],
    run: str,
    kept: Sequence[Checkpoints] = (),
) -> list[str]:
    """Evaluate, register and promote the trained model on a worker of the training step.

    Return each check of the gate, and the result. The driver logs them, because Ray forwards a worker's log late. The
    checkpoints of all steps are kept until then, so that a killed run never loses a finished training.
    """
    _log_here()
    assert outcome.data is not None
    training = "" if outcome.checkpoints is None else outcome.checkpoints.identity
    trained, lines = Trained(outcome.model, reported, outcome.parameters, outcome.run_id, training), list[str]()
    result = finish(workload, name, trained, outcome.data, run, lines.append)
    for checkpoints in kept:
        checkpoints.discard()
    return [*lines, result]


def _perform(workload: PipelineWorkload, name: str, step: Step, before: Mapping[str, Any], run: str) -> StepOutcome:
    pipeline = workload.pipeline
    if step.entrypoint:
        return _own_code(workload, name, before, run)
    inputs = tuple(step.inputs)
    if scores(workload, step):
        output, workers = step.output or pipeline.output, step.workers
        bounds = workers.min, workers.max
        counts = score_datasets(as_batch_inference(workload, step), inputs, output, worker_of(step), bounds)
        return StepOutcome(result=counts, reported={key: float(value) for key, value in counts.items()})
    return _built_in(workload, step, inputs, run)


def _built_in(workload: PipelineWorkload, step: Step, inputs: tuple[str, ...], run: str) -> StepOutcome:
    import ray

    pipeline = workload.pipeline
    trainer, task = step.trainer, pipeline.task
    parameters, tuning = fixed_parameters(step), pipeline.tuning
    check_trainer(trainer, task, parameters)
    if task == TEXT:
        return _fine_tuned(workload, step, inputs, parameters)
    checkpoints = Checkpoints.of(workload, step) if goes_on(workload, step) else None
    if tuning is None and trains_together(step):
        reason = reason_to_read_whole(workload, step, task)
        if not reason:
            shards = read_in_shards(
                workload, step, task, parts_of(step), worker_of(step), checkpoints.began if checkpoints else None
            )
            model = _fitted(step, task, parameters, shards, checkpoints)
            return StepOutcome(model, shards.data, parameters=parameters, checkpoints=checkpoints)
        _log.warning("one worker reads all rows into memory and shares them: %s", reason)
    data = training_data(workload, inputs, task, checkpoints.began if checkpoints else None)
    if tuning is None:
        model = _fitted(step, task, parameters, data, checkpoints)
        return StepOutcome(model, data, parameters=parameters, checkpoints=checkpoints)
    shared = ray.put(data)
    split, threshold = pipeline.effective_split, pipeline.trained_model.threshold
    trial = trial_of_trainer(trainer, task, parameters, shared, split, tuning.metric, threshold)
    best, run_id = _searched(workload, step, tuning, trial, run, reuse_workers=True)
    tuned = {**parameters, **best}
    one_worker = Bounds(min=1, max=1)  # the declared workers are for parallel trials
    final_step = replace(step, workers=one_worker, parameters=tuned)
    if checkpoints is not None and goes_on(workload, final_step):
        model = _fitted(final_step, task, tuned, data, checkpoints)
    else:
        train = ray.remote(_trained).options(max_retries=0, **worker_of(step))
        model = ray.get(train.remote(trainer, task, tuned, shared))
    return StepOutcome(model, data, parameters=tuned, run_id=run_id, checkpoints=checkpoints)


def _fine_tuned(
    workload: PipelineWorkload, step: Step, inputs: tuple[str, ...], parameters: Mapping[str, Json]
) -> StepOutcome:
    """Train an adapter for a language model."""
    checkpoints = Checkpoints.of(workload, step) if goes_on(workload, step) else None
    data = training_data(workload, inputs, TEXT, checkpoints.began if checkpoints else None)
    adapter = fine_tuned(workload, step, parameters, data, worker_of(step), checkpoints)
    return StepOutcome(adapter, data, parameters=parameters, checkpoints=checkpoints)


def _fitted(
    step: Step, task: str, parameters: Mapping[str, Json], data: TrainingData | Shards, checkpoints: Checkpoints | None
) -> Any:
    """Train the model in this process, or on workers if there are checkpoints or more than one worker."""
    if isinstance(data, TrainingData) and checkpoints is None and not trains_together(step):
        return _trained(step.trainer, task, parameters, data)
    return train_together(step, task, parameters, data, worker_of(step), checkpoints)


def _searched(
    workload: PipelineWorkload, step: Step, tuning: Tuning, trial: Trial, run: str, reuse_workers: bool = False
) -> tuple[dict[str, Json], str]:
    """Search for the best parameters, and return them along with the registry run containing the trials.

    If a search's driver was killed, the search is resumed, provided that the data and the step haven't changed.
    """
    parent = begin(workload, run, state_of(workload, step))
    max_workers = step.workers.max
    try:
        nested = Nested(workload, parent)
        return search(tuning, trial, worker_of(step), max_workers, parent, nested, reuse_workers), parent.run_id
    except (Refusal, RuntimeError):
        failed(parent)
        raise


def _trained(trainer: str, task: str, parameters: Mapping[str, Json], data: TrainingData) -> Any:
    *_, model = grow(trainer, task, parameters, data)
    return model


def _own_code(workload: PipelineWorkload, name: str, before: Mapping[str, Any], run: str) -> StepOutcome:
    """Run user code. If the pipeline declares a search and this is the training step, search its parameters first."""
    import ray

    pipeline = workload.pipeline
    step, tuning = pipeline.steps[name], pipeline.tuning
    parameters = fixed_parameters(step)
    if tuning is not None and searched(pipeline, name):

        def trial(drawn: Mapping[str, Json], tell: Any) -> None:
            context = _context(workload, name, before, run, {**parameters, **drawn}, tell)
            entrypoint(step.entrypoint)(context)
            if tuning.metric not in context.reported:
                raise Refusal(f"the code does not report {tuning.metric!r}, which the search optimizes")
            tell({**context.reported, WHOLE: 1.0})

        best, run_id = _searched(workload, step, tuning, trial, run)
        parameters |= best
        if step.workers.max <= 1:
            remote_call = ray.remote(_called).options(max_retries=0, **worker_of(step))
            result = ray.get(remote_call.remote(workload, name, before, run, parameters))
        else:
            result = _called(workload, name, before, run, parameters)
        return replace(_outcome(workload, step, *result, parameters), run_id=run_id)
    return _outcome(workload, step, *_called(workload, name, before, run, parameters), parameters)


def _called(
    workload: PipelineWorkload, name: str, before: Mapping[str, Any], run: str, parameters: Mapping[str, Json]
) -> tuple[Any, dict[str, float]]:
    step = workload.pipeline.steps[name]
    context = _context(workload, name, before, run, parameters, lambda _: None)
    return entrypoint(step.entrypoint)(context), dict(context.reported)


def _outcome(
    workload: PipelineWorkload, step: Step, result: Any, reported: Mapping[str, float], parameters: Mapping[str, Json]
) -> StepOutcome:
    """Use a returned model or its URI as the outcome of a step in a training pipeline."""
    if workload.type != "training" or result is None or not _is_model(result):
        return StepOutcome(result=result, reported=reported, parameters=parameters)
    task = workload.pipeline.task
    data = training_data(workload, tuple(step.inputs), task)
    return StepOutcome(result, data, reported=reported, parameters=parameters)


def _is_model(result: Any) -> bool:
    if isinstance(result, str):
        return result.startswith(("models:/", "runs:/"))
    kinds = {base.__module__.partition(".")[0] for base in type(result).__mro__}
    return bool(kinds & {"sklearn", "xgboost", "lightgbm", "torch", "mlflow"})


def searched(pipeline: Pipeline, name: str) -> bool:
    """Return whether a search tunes this user code step, which must be the last of the steps without dependents.

    In a pipeline with built-in trainers, only these are tuned, and later steps may report anything.
    """
    steps = pipeline.steps
    if any(step.trainer for step in steps.values()):
        return False
    needed = {other for step in steps.values() for other in step.needs}
    ends = [other for other in steps if other not in needed]
    return len(steps) == 1 or ends[-1] == name


def _context(
    workload: PipelineWorkload,
    name: str,
    before: Mapping[str, Any],
    run: str,
    parameters: Mapping[str, Json],
    tell: Any,
) -> Context:
    step = workload.pipeline.steps[name]
    workers = step.workers
    return Context(
        workload=workload,
        step=name,
        inputs=tuple(step.inputs),
        output=step.output,
        parameters=parameters,
        workers=(workers.min, workers.max),
        worker=worker_of(step),
        results=before,
        run=run,
        tell=tell,
    )


def _log_here() -> None:
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
