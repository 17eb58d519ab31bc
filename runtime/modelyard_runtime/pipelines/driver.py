"""`run` drives a pipeline in its Ray cluster, scheduling its steps on workers."""

from __future__ import annotations

import logging
import os
from typing import Any

from modelyard_runtime.batch.run import report_refused, scored_text
from modelyard_runtime.context import new_run
from modelyard_runtime.pipelines.checks import check_pipeline
from modelyard_runtime.pipelines.dag import Done, Driver, order
from modelyard_runtime.pipelines.logs import keep_logs
from modelyard_runtime.pipelines.steps import StepActor, finish_step, scores, spread_out, worker_of
from modelyard_runtime.promotion.look import Subject, promotes_itself
from modelyard_runtime.promotion.promoter import promote_waiting, report_standing
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.training.trainers import check_trainer
from modelyard_runtime.training.tuning import fixed_parameters, middle
from modelyard_runtime.workload.mounted import mounted_workload
from modelyard_runtime.workload.records import Pipeline, PipelineWorkload, Workload

_BESIDE = 0.001  # share of a Pod's group resource, for a task that runs next to a worker
_log = logging.getLogger(__name__)


def run() -> int:
    """Run the pipeline's steps, then evaluate and promote. Returns 0 if everything succeeds."""
    workload = check(mounted_workload())
    pipeline = workload.pipeline
    _start_ray(pipeline)
    if workload.type == "training":
        registry.connect(workload)
        registry.open_experiment(pipeline.trained_model)  # runs that user code starts also use this experiment
    if _is_delivered_or_approved(pipeline) and promotes_itself(workload):
        _log.info("before the run: %s", promote_waiting(Subject.of_training(workload)))
    run_name = new_run()
    try:
        return work(workload, run_name)
    finally:
        keep_logs(workload, run_name)


def _is_delivered_or_approved(pipeline: Pipeline) -> bool:
    """Return whether model versions need approval or delivery, so that an earlier one may still be waiting."""
    model = pipeline.model
    delivered = model is not None and (model.delivery is not None or model.other_deliveries)
    return pipeline.approvals is not None or bool(delivered)


def work(workload: PipelineWorkload, run_name: str) -> int:
    """Run a pipeline's steps on an initialized Ray instance, then evaluate, report and log the results."""
    pipeline = workload.pipeline
    driver = Driver(pipeline.steps, pipeline.timeout_seconds)
    done_steps = driver.run(lambda name, results: _submit(workload, name, results, run_name))
    if done_steps is None:
        return 1
    if workload.type == "training":
        code = _finish(workload, done_steps, run_name)
        report_standing(Subject.of_training(workload))
        return code
    scored = {
        name: step.summary.reported for name, step in done_steps.items() if scores(workload, pipeline.steps[name])
    }
    if scored:
        report_refused(workload, sum(counts["refused"] for counts in scored.values()))
    _log.info("run %s is done", run_name)
    for name, counts in scored.items():
        _log.info("step %s: %s", name, scored_text(counts))
    return 0


def check(description: Workload) -> PipelineWorkload:
    """Return the pipeline, refusing it before any work begins if it requires something unsupported."""
    workload = check_pipeline(description)
    pipeline = workload.pipeline
    task, tuning = pipeline.task, pipeline.tuning
    for name, step in pipeline.steps.items():
        if step.trainer:
            parameters = {**fixed_parameters(step), **(middle(tuning) if tuning else {})}
            try:
                check_trainer(step.trainer, task, parameters)
            except Refusal as refusal:
                raise Refusal(f"step {name!r}: {refusal}") from None
    return workload


def _start_ray(pipeline: Pipeline) -> None:
    """Join this Pod's Ray cluster, or else start a local Ray instance with the resources the steps request."""
    import ray

    if ray.is_initialized():
        return
    if os.environ.get("RAY_ADDRESS"):
        ray.init(log_to_driver=True)
        return
    steps = pipeline.steps.values()
    if any(step.resources.gpus for step in steps) and not os.environ.get("CUDA_VISIBLE_DEVICES"):
        _log.warning("steps request accelerators; on machines without one, they wait until they time out")
    groups: dict[str, float] = {}
    cpus = 1.0
    for step in steps:
        worker, max_workers = worker_of(step), max(step.workers.max, 1)
        cpus = max(cpus, worker["num_cpus"] * max_workers)
        for group in worker["resources"]:
            groups[group] = max(groups.get(group, 0.0), float(max_workers))
    ray.init(address="local", num_cpus=int(-(-cpus // 1)), resources=groups, include_dashboard=False)


def _submit(workload: PipelineWorkload, name: str, results: dict[str, Any], run_name: str) -> tuple[Any, Any, Any]:
    """Start a step on a worker in its group. The step has the worker to itself, or shares it with workers it starts."""
    import ray

    step = workload.pipeline.steps[name]
    worker = worker_of(step)
    if spread_out(workload, step):
        worker = {"num_cpus": 0, "resources": dict.fromkeys(worker["resources"], _BESIDE)}
    actor: Any = ray.remote(StepActor).options(max_restarts=0, **worker).remote()
    summary, result = actor.perform.options(num_returns=2).remote(workload, name, results, run_name)
    return actor, summary, result


def _finish(workload: PipelineWorkload, done_steps: dict[str, Done], run_name: str) -> int:
    import ray
    from ray.exceptions import RayError

    steps = workload.pipeline.steps
    modelled = [name for name in order(steps) if done_steps[name].summary.has_model]
    trained = [name for name in modelled if steps[name].trainer] or modelled
    if not trained:
        raise Refusal("no step returned a model; a training pipeline needs a step that returns one")
    name = trained[-1]
    reported = {key: value for step in done_steps.values() for key, value in step.summary.reported.items()}
    kept = [step.summary.checkpoints for step in done_steps.values() if step.summary.checkpoints is not None]
    group = dict.fromkeys(worker_of(steps[name])["resources"], _BESIDE)
    ending: Any = ray.remote(finish_step).options(num_cpus=0, max_retries=0, resources=group)
    try:
        for line in ray.get(ending.remote(workload, name, done_steps[name].result, reported, run_name, kept)):
            _log.info("%s", line)
    except RayError as problem:
        cause = getattr(problem, "cause", None)
        if isinstance(cause, Refusal):
            raise Refusal(str(cause)) from None
        _log.error("the model was trained, but could not be registered: %s", problem)
        return 1
    return 0
