"""Plan pipelines. Each pipeline has one job, which runs on the hardware of its steps."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.plan import AlertRules, Hardware, Job, Kind, Link, bundled_on, log_place, model_path
from modelyard.planner.draft import Draft, Needs
from modelyard.source import Path
from modelyard.spec import ModelRef, Pipeline
from modelyard.spec.following import launched
from modelyard.spec.scoring import models_of

KINDS = {"training": Kind.TRAINING_JOB, "batch-inference": Kind.BATCH_JOB, "custom": Kind.CUSTOM_JOB}
_TRAIN_BYTES = 2 * 2**30
"""Memory per worker for Ray Train's own processes, which use 0.6 GB in addition to the worker (Ray 2.60)."""


def plan_pipeline(draft: Draft, pipeline: Pipeline) -> None:
    """Plan a pipeline's identities, its job, and alerts for its runs."""
    hardware: dict[str, Hardware] = {}
    for step in pipeline.steps:
        choice = draft.hardware(step.compute, pipeline.target)
        if choice is not None:
            hardware[step.name] = choice
    if len(hardware) < len(pipeline.steps):
        return
    workload, origin = f"pipelines.{pipeline.name}", ("pipelines", pipeline.name)
    name, placement = draft.called("pipelines", pipeline.name), pipeline.target
    model = draft.system.models[pipeline.model.model] if pipeline.model is not None else None
    needs = _needs(draft, pipeline)
    checkpoints = _checkpoints(draft, pipeline, hardware)
    if checkpoints is not None and not needs.writes(*checkpoints):
        needs.store(*checkpoints, "write", "data")
        draft.wants_credentials(needs, checkpoints[0])
    logs = log_place(draft.system, pipeline) if draft.artifacts is not None else None
    if logs is not None:
        needs.store(*logs, "append", "artifacts")
        draft.wants_credentials(needs, logs[0])
    scales = any(step.workers.minimum < step.workers.maximum for step in pipeline.steps)
    draft.identity(name, placement, origin, workload, needs, "autoscaler" if scales else "")
    if launched(pipeline, draft.followers):
        starts: Path = (*origin, "schedule")
        draft.identity(f"{name}-launcher", placement, starts, workload, Needs(workload), "launcher")
    bundles = draft.bundles.get(pipeline.model.model, ()) if pipeline.model and pipeline.type == "training" else ()
    value = Job(pipeline, model, hardware, bundles, checkpoints, logs)
    job = draft.add(KINDS[pipeline.type], name, placement, origin, value, workload)
    scored = models_of(pipeline)
    bundled = bool(scored) and bundled_on(draft.system, placement)
    draft.connect(job, needs, registry=(model is not None or bool(scored)) and not bundled)
    draft.metrics.append(job)
    for follower in draft.followers.get(pipeline.name, ()):
        draft.links.append(Link(job.place, place_of(draft, follower), "trigger", "https", 443))
    if draft.alerts_owner(placement):
        draft.add(Kind.ALERT_RULES, name, placement, origin, AlertRules(pipeline=pipeline), workload)


def place_of(draft: Draft, pipeline: Pipeline) -> str:
    """Return the `Resource.place` of a pipeline's job, even if the job has not been planned yet."""
    return f"{pipeline.target}:{KINDS[pipeline.type]}/{draft.called('pipelines', pipeline.name)}"


def _needs(draft: Draft, pipeline: Pipeline) -> Needs:
    """Collect a pipeline's access: read for inputs and gate datasets, write for outputs and artifacts."""
    system, needs = draft.system, Needs(f"pipelines.{pipeline.name}")
    for step in pipeline.steps:
        for name in step.inputs:
            draft.wants_dataset(needs, system.data[name], "read")
        if step.output:
            draft.wants_dataset(needs, system.data[step.output], "write")
    for name in pipeline.inputs:
        draft.wants_dataset(needs, system.data[name], "read")
    if pipeline.output:
        draft.wants_dataset(needs, system.data[pipeline.output], "write")
    if scored := models_of(pipeline):
        draft.wants_models(needs, pipeline.target, scored)
    if pipeline.model is not None:
        if pipeline.type != "batch-inference":
            draft.wants_artifacts(needs, "write" if pipeline.type == "training" else "read", (pipeline.model.model,))
        base = system.models[pipeline.model.model].base
        if pipeline.type == "training" and base is not None:
            draft.wants_artifacts(needs, "read", (base.model,))
        if pipeline.type == "training":
            adopted = system.registry is not None and bool(system.registry.adopt)
            aliases = draft.bundles.get(pipeline.model.model, ()) if adopted else ()  # else the promoter delivers them
            draft.wants_deliveries(needs, (ModelRef(pipeline.model.model, alias) for alias in aliases))
            for check in system.models[pipeline.model.model].validation:
                if check.data:
                    draft.wants_dataset(needs, system.data[check.data], "read")
    return needs


def _checkpoints(draft: Draft, pipeline: Pipeline, hardware: Mapping[str, Hardware]) -> tuple[str, str] | None:
    """Return the store and folder for checkpoints of training and user code, or None if there are none.

    Checkpoints are stored next to the model, or where user code writes. With an adopted registry, training with user
    code writes to no store, so its checkpoints are stored next to its inputs. Built-in training may not write there, so
    it stores none in that case. It also stores none if runs may overlap or if workers have too little memory for Ray
    Train's processes.
    """
    has_user_code = any(step.source.entrypoint for step in pipeline.steps)
    alone = pipeline.schedule.overlap != "allow"  # overlapping runs would remove each other's checkpoints
    trains = [hardware[step.name].memory_bytes >= _TRAIN_BYTES for step in pipeline.steps if step.trainer]
    if not has_user_code and not (alone and draft.artifacts is not None and trains and all(trains)):
        return None
    folder = f"checkpoints/{draft.called('pipelines', pipeline.name)}/"
    if pipeline.type == "training" and pipeline.model is not None and draft.artifacts is not None:
        store, prefix = draft.artifacts
        return store, model_path(prefix, draft.system.models[pipeline.model.model].registered_name) + folder
    steps = pipeline.steps
    outputs = [pipeline.output, *(step.output for step in steps)]
    inputs = [*pipeline.inputs, *(name for step in steps for name in step.inputs)]
    datasets = [*outputs, *inputs] if pipeline.type == "training" else outputs
    stores = [draft.system.data[name].store for name in datasets if name]
    return next(((store, folder) for store in stores if store), None)
