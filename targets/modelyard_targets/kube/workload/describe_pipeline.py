"""Pipelines and promotions in workload descriptions."""

from __future__ import annotations

from modelyard.plan import Job, Resource
from modelyard.source import Json
from modelyard.spec import Changes, Model, ModelRef, Split, Stage, Step, Tuning
from modelyard.spec.imports import stored_at
from modelyard_targets.kube.data.bundles import (
    delivery,
    describe_approvals,
    experiment,
    history_name,
    loaded,
    other_deliveries,
)
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.workload.describe_parts import (
    describe_check,
    describe_datasets,
    describe_made_model,
    describe_model,
)


def group_resource(group: str) -> str:
    """Return the name of the Ray resource that pins work to a worker group."""
    return f"group-{group}"


def ray_cpus(cpu_millis: int) -> int:
    """Return the number of CPUs Ray sees in a Pod, as KubeRay rounds the limit up."""
    return -(-cpu_millis // 1000)


def describe_pipeline(resource: Resource[Job], context: Context) -> dict[str, Json]:
    """Describe the steps, data, tuning and gate of a pipeline of any type."""
    job = resource.value
    pipeline, model = job.pipeline, job.model
    training = pipeline.type == "training"
    validation = model.validation if model is not None and training else ()
    datasets = [*pipeline.inputs, pipeline.output, *(check.data for check in validation)]
    for step in pipeline.steps:
        datasets += [*step.inputs, step.output]
    described: dict[str, Json] = {}
    if model is not None and training:
        bundles = {} if promoted_here(context) else _deliveries(pipeline.promote_to, model, context)
        base = describe_base(model, resource, context)
        described["model"] = {**describe_made_model(model), **base, **experiment(model, context), **bundles}
    elif model is not None:
        described["model"] = {
            **describe_model(model, pipeline.model),
            **loaded(model, pipeline.model, resource, context),
        }
    described["steps"] = {step.name: _step(step, resource, context) for step in pipeline.steps}
    described["data"] = describe_datasets(datasets, context)
    if pipeline.output:
        described["output"] = pipeline.output
    if job.checkpoints is not None:
        store, path = job.checkpoints
        described["checkpoints"] = {"uri": context.uri(context.system.stores[store], path), "store": store}
    described["timeoutSeconds"] = pipeline.timeout_s
    if job.logs is not None:
        store, path = job.logs
        described["logs"] = {"uri": context.uri(context.system.stores[store], f"{path}/"), "store": store}
    if training:
        described.update(_training(job, context))
    if pipeline.type == "batch-inference":
        described["batchSize"] = pipeline.batch_size
        described["reprocess"] = pipeline.reprocess.kind
        if pipeline.reprocess.window_s is not None:
            described["reprocessSeconds"] = pipeline.reprocess.window_s
    return described


def describe_base(model: Model, resource: Resource[Job], context: Context) -> dict[str, Json]:
    """Describe an adapter's base language model, including how its version is found and verified."""
    if model.base is None:
        return {}
    base = context.system.models[model.base.model]
    return {"base": {**describe_model(base, model.base), **loaded(base, model.base, resource, context)}}


def _training(job: Job, context: Context) -> dict[str, Json]:
    pipeline = job.pipeline
    described: dict[str, Json] = {"split": _split(pipeline.split)}
    if pipeline.tuning is not None:
        described["tuning"] = _tuning(pipeline.tuning)
    if job.model is not None and job.model.validation:
        described["validation"] = [describe_check(check, monitor=False) for check in job.model.validation]
    if pipeline.model is not None:
        described |= describe_approvals(context, pipeline.model)
    described["promoteTo"] = pipeline.promote_to
    for stage in job.model.stages if job.model is not None else ():
        if stage.alias == pipeline.promote_to and stage.checks is not None:
            described["checks"] = list(stage.checks)
    if promoted_here(context):
        described["promotedBy"] = "promoter"
    return described


def promoted_here(context: Context) -> bool:
    """Return whether the promoter moves aliases, rather than the training run."""
    registry = context.system.registry
    return registry is not None and not registry.adopt


def describe_promotion(model: Model, alias: str, context: Context) -> dict[str, Json]:
    """Describe what a version must satisfy before an alias moves to it, and where its bundle is delivered."""
    described: dict[str, Json] = {
        "model": {
            **describe_model(model),
            "history": history_name(model, context),
            **_deliveries(alias, model, context),
        },
        "promoteTo": alias,
    }
    if model.validation:
        described["validation"] = [describe_check(check, monitor=False) for check in model.validation]
    stage = next((entry for entry in model.stages if entry.alias == alias), Stage(alias))
    described |= _describe_stage(stage)
    changes = context.system.governance.changes
    if changes is not None and not stage.any_time:
        described["changes"] = _describe_changes(changes)
    approvals = describe_approvals(context, ModelRef(model.name, alias))
    evidence = [
        entry.evidence
        for entry in context.system.signed
        if (entry.model, entry.alias) == (model.registered_name, alias)
    ]
    if evidence and approvals:
        approvals["approvals"] = {**approvals["approvals"], "given": [*evidence]}
    return {**described, **approvals}


def describe_import(model: Model, context: Context) -> dict[str, Json]:
    """Describe an imported model's source, digest and the requirements for moving an alias to its version."""
    imported = model.imported
    assert imported is not None
    deliveries = _deliveries(imported.promote_to, model, context)
    described: dict[str, Json] = {**describe_made_model(model), **experiment(model, context), **deliveries}
    source: dict[str, Json] = {"uri": imported.uri, "digest": imported.digest}
    stored = stored_at(context.system, imported)
    if stored is not None:
        store, folder = stored
        source |= {"uri": context.uri(context.system.stores[store], folder), "store": store}
    return {**describe_promotion(model, imported.promote_to, context), "model": described, "import": source}


def _describe_stage(stage: Stage) -> dict[str, Json]:
    """Describe a stage: the preceding stage, the required checks, and the soak."""
    described: dict[str, Json] = {"after": stage.after} if stage.after else {}
    if stage.checks is not None:
        described["checks"] = list(stage.checks)
    if stage.soak is not None:
        soak: dict[str, Json] = {"seconds": stage.soak.for_s}
        if stage.soak.monitor:
            take_back = stage.soak.on_failure == "take-back"
            soak |= {"monitor": stage.soak.monitor, "minRows": stage.soak.min_rows, "takeBack": take_back}
        described["soak"] = soak
    return described


def _describe_changes(changes: Changes) -> dict[str, Json]:
    described: dict[str, Json] = {"timeZone": changes.time_zone}
    if changes.windows:
        described["windows"] = [
            {"days": list(period.days), "fromMinute": period.from_minute, "toMinute": period.to_minute}
            for period in changes.windows
        ]
    if changes.freezes:
        described["freezes"] = [
            {"from": period.first, "to": period.last, **({"reason": period.reason} if period.reason else {})}
            for period in changes.freezes
        ]
    return described


def _deliveries(alias: str, model: Model, context: Context) -> dict[str, Json]:
    return {**delivery(model, alias, context), **other_deliveries(model, alias, context)}


def _step(step: Step, resource: Resource[Job], context: Context) -> dict[str, Json]:
    job = resource.value
    hardware = job.hardware[step.name]
    described: dict[str, Json] = {"needs": list(step.needs)}
    if step.source.entrypoint:
        described["entrypoint"] = step.source.entrypoint
    if step.trainer:
        described["trainer"] = step.trainer
    if step.model is not None:
        model = context.system.models[step.model.model]
        loading = loaded(model, step.model, resource, context)
        described["model"] = {**describe_model(model, step.model), **loading}
        described["batchSize"] = step.batch_size
    described["image"] = context.image(step.source.image)
    described["inputs"] = list(step.inputs)
    if step.output:
        described["output"] = step.output
    described["workers"] = {"min": step.workers.minimum, "max": step.workers.maximum}
    described["resources"] = {
        "cpus": ray_cpus(hardware.cpu_millis),
        "gpus": hardware.accelerator.count if hardware.accelerator else 0,
        "group": group_resource(step_group(job, step)),
    }
    described["parameters"] = dict(step.parameters)
    described["retries"] = step.retries
    described["timeoutSeconds"] = step.timeout_s
    return described


def step_group(job: Job, step: Step) -> str:
    """Return the name of a step's worker group: the first step with the same hardware and image."""
    key = (job.hardware[step.name], step.source.image)
    return next(
        candidate.name
        for candidate in job.pipeline.steps
        if (job.hardware[candidate.name], candidate.source.image) == key
    )


def _split(split: Split) -> dict[str, Json]:
    described: dict[str, Json] = {"fraction": split.fraction, "by": split.by, "seed": split.seed}
    return {**described, "key": list(split.key)} if split.key else described


def _tuning(tuning: Tuning) -> dict[str, Json]:
    space: dict[str, Json] = {}
    for parameter in tuning.space:
        entry: dict[str, Json] = {"kind": parameter.kind}
        if parameter.kind == "choice":
            entry["choices"] = list(parameter.choices)
        else:
            is_integer = parameter.kind == "int"
            for bound, number in (("low", parameter.low), ("high", parameter.high)):
                entry[bound] = int(number) if is_integer and number is not None else number
        space[parameter.name] = entry
    described: dict[str, Json] = {
        "metric": tuning.metric,
        "goal": tuning.goal,
        "trials": tuning.trials,
        "parallel": tuning.parallel,
        "earlyStopping": tuning.early_stopping,
    }
    if tuning.seed is not None:
        described["seed"] = tuning.seed
    described["space"] = space
    return described
