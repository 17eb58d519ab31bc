"""Workload descriptions for the runtime, as defined by workload.schema.json in modelyard_schemas.

They contain the ML-specific parts of the spec that have no equivalent in Kubernetes objects.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.cron import parse
from modelyard.plan import (
    Application,
    Job,
    ModelServer,
    MonitorJob,
    Promoter,
    Resource,
    RunRequest,
    Starter,
    bucket_expires,
    reports,
)
from modelyard.source import Json
from modelyard.spec import Capture, Inference, Model, ModelRef, Store
from modelyard.spec.captures import capture_keys
from modelyard.spec.watched import soaked, state_folder, watched_dataset, watched_model, watched_pipeline
from modelyard_targets.kube.data.bundles import bundle, delivery, describe_approvals, history_name, loaded
from modelyard_targets.kube.data.disk import disk_folder
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.pods.sizes import EDGE_SPOOL_BYTES
from modelyard_targets.kube.workload.describe_parts import (
    capture_place,
    describe_check,
    describe_datasets,
    describe_generation,
    describe_model,
    describe_registry,
    describe_store,
    with_revision,
)
from modelyard_targets.kube.workload.describe_pipeline import (
    describe_import,
    describe_pipeline,
    describe_promotion,
    ray_cpus,
)

API_VERSION = "modelyard.dev/v1alpha1"
DESCRIPTION_FOLDER = "/etc/modelyard"
TOKEN_FOLDER = "/etc/modelyard-tokens"

_OTLP_PATH = "/api/v1/otlp/v1/metrics"


def describe_server(resource: Resource[ModelServer], context: Context) -> dict[str, Json]:
    """Describe a model server with its Serve applications by name."""
    server = resource.value
    described = _header(resource, "server", context)
    described["applications"] = {
        application_name(application): describe_application(application, resource, context)
        for application in server.applications
    }
    return described


def describe_job(resource: Resource[Job], context: Context) -> dict[str, Json]:
    """Describe a pipeline of any type: steps, data, tuning and gate."""
    job = resource.value
    described = _header(resource, job.pipeline.type, context)
    if reports(job, context.system):
        described.update(_metrics(context))
    described["pipeline"] = describe_pipeline(resource, context)
    return described


def describe_monitor(resource: Resource[MonitorJob], context: Context) -> dict[str, Json]:
    """Describe a monitor with its checks and its actions on a breach."""
    job = resource.value
    described = _header(resource, "monitor", context)
    described.update(_metrics(context))
    described["monitor"] = _monitor(resource, job, context)
    return described


def describe_promoter(resource: Resource[Promoter], context: Context) -> dict[str, Json]:
    """Describe the promoter, including what a model version must satisfy before an alias moves to it."""
    promoter = resource.value
    described = _header(resource, "promoter", context)
    if promoter.reports(context.system):
        described.update(_metrics(context))
    models = context.system.models
    promotions: dict[str, Json] = {
        pipeline.name: describe_promotion(models[pipeline.model.model], pipeline.promote_to, context)
        for pipeline in promoter.pipelines
        if pipeline.model is not None
    }
    imports: dict[str, Json] = {model.name: describe_import(model, context) for model in promoter.imported}
    described |= {"promotions": promotions} if promotions else {}
    described |= {"imports": imports} if imports else {}
    staged: dict[str, Json] = {
        f"{model.name}.{stage.alias}": describe_promotion(model, stage.alias, context)
        for model in promoter.models(context.system)
        for stage in model.stages
        if stage.after
    }
    if staged:
        described["stages"] = staged
    return described


def describe_starter(resource: Resource[Starter], context: Context) -> dict[str, Json]:
    """Describe the starter, including the runs that monitors on other targets may request."""
    starter = resource.value
    described = _header(resource, "starter", context)
    described["requests"] = [
        {
            "monitor": request.monitor.name,
            "target": request.monitor.target,
            "startedBy": request.name,
            "pipeline": request.pipeline.name,
            "cronJob": context.cron_jobs[request.pipeline.name],
            "cooldownSeconds": request.monitor.on_breach.cooldown_s,
            "store": request.store,
            "asked": context.uri(context.system.stores[request.store], request.asked),
            "answered": context.uri(context.system.stores[request.store], request.answered),
        }
        for request in starter.requests
    ]
    return described


def _metrics(context: Context) -> dict[str, Json]:
    """Return the address to push metrics to, or {} without a Prometheus."""
    if not context.prometheus_uri:
        return {}
    return {"metrics": {"otlp": context.prometheus_uri + _OTLP_PATH, "namespace": context.namespace}}


def application_name(application: Application) -> str:
    """Return a variant's Serve application name, `<endpoint>-<variant>`, which is also used as a metric label."""
    return f"{application.inference.name}-{application.variant.name}"


def _facts(resource: Resource, type_: str, context: Context) -> dict[str, Json]:
    system = context.system
    governance = system.governance
    owner: dict[str, Json] = {"team": governance.owner.team, "email": governance.owner.email}
    if governance.owner.oncall:
        owner["oncall"] = governance.owner.oncall
    return {
        "apiVersion": API_VERSION,
        "kind": "Workload",
        "type": type_,
        "name": resource.name,
        "address": resource.workload,
        "system": system.metadata.name,
        "environment": system.environment or "default",
        "target": context.placement,
        "governance": {
            "owner": owner,
            "risk": governance.risk,
            "dataClasses": list(governance.data_classes),
            "lineage": governance.lineage,
        },
    }


def _header(resource: Resource, type_: str, context: Context) -> dict[str, Json]:
    described = _facts(resource, type_, context)
    if uses_registry(resource, context):
        described["registry"] = describe_registry(context)
    stores = stores_of(resource.workload, context)
    if stores:
        described["stores"] = {store.name: describe_store(store, context) for store in stores}
    return described


def uses_registry(resource: Resource, context: Context) -> bool:
    """Return whether a workload trains, loads or looks up models."""
    return any(link.what == "registry" for link in context.links.get(resource.place, ()))


def stores_of(workload: str, context: Context) -> tuple[Store, ...]:
    """Return the object stores that a workload's identity can access."""
    identity = context.identity(workload)
    if identity is None:
        return ()
    names = dict.fromkeys(access.store for access in identity.value.access)
    return tuple(context.system.stores[name] for name in names)


def describe_application(
    application: Application, resource: Resource[ModelServer], context: Context
) -> dict[str, Json]:
    """Describe a variant of an endpoint."""
    inference = application.inference
    described: dict[str, Json] = {
        "variant": application.variant.name,
        "model": _loaded_model(application.variant.model, resource, context),
    }
    if application.stand_in is not None:
        described["standIn"] = {
            "variant": application.stand_in.name,
            "model": _loaded_model(application.stand_in.model, resource, context),
        }
    if inference.source.entrypoint:
        described["entrypoint"] = inference.source.entrypoint
    described["batching"] = {
        "maxSize": inference.batching.max_size,
        "maxWaitMilliseconds": inference.batching.max_wait_ms,
    }
    if inference.generation is not None:
        described["generation"] = describe_generation(application, inference.generation, context.system)
    if inference.adapters:
        described["adapters"] = {
            adapter.name: _loaded_model(adapter.model, resource, context) for adapter in inference.adapters
        }
    described["timeoutSeconds"] = inference.endpoint.timeout_s
    described["maxBodyBytes"] = inference.endpoint.max_body_bytes
    if inference.capture is not None:
        spool: dict[str, Json] = {"spool": _spool(application, resource, context)} if context.target.edge else {}
        described["capture"] = {**_capture(inference, inference.capture, context), **spool}
    if inference.endpoint.access_log:
        described["accessLog"] = {"endpoint": inference.name}
    if inference.endpoint.auth.type != "none":
        described["auth"] = {"type": inference.endpoint.auth.type, "tokenFiles": token_files(inference)}
    return with_revision(described, context)


def _loaded_model(ref: ModelRef, resource: Resource[ModelServer], context: Context) -> dict[str, Json]:
    model = context.system.models[ref.model]
    return {**describe_model(model, ref), **loaded(model, ref, resource, context)}


def token_files(inference: Inference) -> dict[str, Json]:
    """Return the paths of an endpoint's token files by caller."""
    return {caller.name: f"{TOKEN_FOLDER}/{inference.name}/{caller.name}" for caller in inference.endpoint.auth.callers}


def _capture(inference: Inference, capture: Capture, context: Context) -> dict[str, Json]:
    described = capture_place(capture, context)
    described["fraction"] = capture.fraction
    if capture.columns:
        described["columns"] = list(capture.columns)
    keys = capture_keys(context.system, inference)
    if keys:
        described["keys"] = list(keys)
    if capture.retain_s is not None and not bucket_expires(context.system, capture):
        described["retainSeconds"] = capture.retain_s
    return described


def _spool(application: Application, resource: Resource[ModelServer], context: Context) -> dict[str, Json]:
    """Return the folder and size limit for captures waiting for a network connection.

    Applications on a shared server share the limit.
    """
    scratch = application.hardware.disk_bytes or 4 * EDGE_SPOOL_BYTES
    most = min(EDGE_SPOOL_BYTES, scratch // 4) // len(resource.value.applications)
    return {"folder": f"{disk_folder(resource, context)}/captures/{application_name(application)}", "maxBytes": most}


def _monitor(resource: Resource, job: MonitorJob, context: Context) -> dict[str, Json]:
    monitor = job.monitor
    reference = monitor.reference
    current = _current(job, context)
    watched = current.get("data")
    datasets = [str(watched) if watched else "", reference.data if reference else "", monitor.labels]
    described: dict[str, Json] = {
        "type": monitor.type,
        "watch": monitor.watch,
        "checks": [describe_check(check, monitor=True) for check in monitor.checks],
        "windowSeconds": monitor.window_s,
        "threads": ray_cpus(job.hardware.cpu_millis),
        "data": describe_datasets(datasets, context),
        "models": _watched_models(resource, job, context),
        "current": current,
    }
    if reference is not None:
        compared: dict[str, Json] = {"data": reference.data} if reference.data else {}
        if reference.window_s is not None:
            compared["windowSeconds"] = reference.window_s
        described["reference"] = compared
    if monitor.labels:
        described["labels"] = monitor.labels
    if monitor.key:
        described["key"] = list(monitor.key)
    state = state_folder(context.system, monitor)
    if state is not None:
        gaps = parse(monitor.schedule.cron).gaps_s() if monitor.schedule.kind == "cron" else None
        described.update({"everySeconds": gaps[1]} if gaps is not None else {})
        described["state"] = {"uri": context.uri(context.system.stores[state[0]], state[1]), "store": state[0]}
    soaks = [name for model, ref, name in _watched(job, context) if ref and ref.alias in soaked(model, monitor)]
    if soaks:
        described["soaks"] = [*soaks]
    described["onBreach"] = _on_breach(job, context)
    return described


def _current(job: MonitorJob, context: Context) -> dict[str, Json]:
    if job.inference is not None and job.inference.capture is not None:
        return {"capture": capture_place(job.inference.capture, context)}
    watched = watched_dataset(context.system, job.monitor)
    assert watched is not None
    return {"data": watched.name}


def _watched_models(resource: Resource, job: MonitorJob, context: Context) -> list[Json]:
    return [
        _watched_model(model, ref, variant, resource, job, context) for model, ref, variant in _watched(job, context)
    ]


def _watched(job: MonitorJob, context: Context) -> Iterator[tuple[Model, ModelRef | None, str]]:
    """Yield each model of the watched resource with its version and the variant that serves it."""
    models = context.system.models
    if job.inference is not None:
        for variant in job.inference.variants:
            yield models[variant.model.model], variant.model, variant.name
        return
    pipeline, watched_ref = watched_pipeline(context.system, job.monitor), watched_model(context.system, job.monitor)
    if pipeline is None or watched_ref is None:
        for model in job.models:
            yield model, None, ""
        return
    ref = ModelRef(watched_ref.model, pipeline.promote_to) if pipeline.type == "training" else watched_ref
    yield models[ref.model], ref, ""


def _watched_model(
    model: Model, ref: ModelRef | None, variant: str, resource: Resource, job: MonitorJob, context: Context
) -> Json:
    described = {**describe_model(model, ref), **bundle(model, ref, resource, context)}
    if ref is not None and job.monitor.on_breach.rollback:
        described |= {**delivery(model, ref.alias, context), "history": history_name(model, context)}
        described |= describe_approvals(context, ref)
    elif ref is not None and ref.alias in soaked(model, job.monitor):
        described["history"] = history_name(model, context)
    if variant:
        described["variant"] = variant
    return described


def _request(request: RunRequest, context: Context) -> dict[str, Json]:
    """Return where a monitor stores its run requests, and the target of the starter that reads them."""
    uri = context.uri(context.system.stores[request.store], request.asked)
    return {"uri": uri, "store": request.store, "target": request.pipeline.target}


def _on_breach(job: MonitorJob, context: Context) -> dict[str, Json]:
    action = job.monitor.on_breach
    described: dict[str, Json] = {"notify": list(action.notify)}
    if job.request is not None:
        described["run"] = {"pipeline": action.run, "request": _request(job.request, context)}
    elif action.run:
        described["run"] = {
            "pipeline": action.run,
            "cronJob": context.cron_jobs[action.run],
        }
    described["rollback"] = action.rollback
    described["cooldownSeconds"] = action.cooldown_s
    return described
