"""`plan.json`, which defines what `modelyard run` starts on this machine, in the order implied by the spec."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.cron import parse
from modelyard.plan import Job, ModelServer, MonitorJob, Promoter, Resource, Route
from modelyard.source import Json
from modelyard.spec import Dataset, Pipeline, Schedule, Store
from modelyard.spec.scoring import models_of
from modelyard.stack import Value
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.serving.model_server import serve_applications
from modelyard_targets.kube.workload.describe import API_VERSION, application_name, describe_server
from modelyard_targets.kube.workload.describe_parts import describe_datasets, serve_prefix
from modelyard_targets.local.notes import notes_of
from modelyard_targets.local.placement import ENDPOINTS_PORT, REGISTRY, description_path


def plan_of(context: Context) -> dict[str, Value]:
    """Return the plan as plain data. The matching record types are in `modelyard_runtime.local.plan`."""
    plan, placement = context.plan, context.placement
    system = context.system
    registry = system.registry
    promoters = plan.of(Promoter, placement)
    return {
        "apiVersion": API_VERSION,
        "kind": "LocalPlan",
        "system": system.metadata.name,
        "environment": system.environment or "default",
        "target": placement,
        "registry": {
            "uri": context.registry_uri if registry is not None else "",
            "adopted": registry is not None and bool(registry.adopt),
        },
        "ports": {"registry": int(REGISTRY.rpartition(":")[2]), "endpoints": ENDPOINTS_PORT},
        "stores": {
            store.value.name: context.uri(store.value)
            for store in plan.of(Store, placement)
            if store.value.type == "object"
        },
        "data": {name: _dataset(dataset, context) for name, dataset in system.data.items()},
        "pipelines": {job.value.pipeline.name: _pipeline(job) for job in plan.of(Job, placement)},
        "promoter": description_path(promoters[0].name) if promoters else "",
        "servers": {server.name: _server(server, context) for server in plan.of(ModelServer, placement)},
        "endpoints": {
            route.value.inference.name: _endpoint(route.value, context) for route in plan.of(Route, placement)
        },
        "monitors": {
            monitor.value.monitor.name: {
                "description": description_path(monitor.name),
                "schedule": _schedule(monitor.value.monitor.schedule),
                "watch": monitor.value.monitor.watch,
            }
            for monitor in plan.of(MonitorJob, placement)
        },
        "notes": [{"field": note.field, "text": note.text} for note in notes_of(plan, placement)],
    }


def _schedule(schedule: Schedule) -> dict[str, Value]:
    described: dict[str, Value] = {"kind": schedule.kind, "overlap": schedule.overlap}
    if schedule.kind == "cron":
        cron = parse(schedule.cron)
        described["times"] = {
            "line": schedule.cron,
            "timeZone": schedule.time_zone,
            "minutes": sorted(cron.minutes),
            "hours": sorted(cron.hours),
            "days": sorted(cron.days),
            "months": sorted(cron.months),
            "weekdays": sorted(cron.weekdays),
            "anyDay": cron.any_day,
            "anyWeekday": cron.any_weekday,
        }
    if schedule.kind == "after":
        described["after"] = schedule.after
    return described


def _pipeline(job: Resource[Job]) -> dict[str, Value]:
    pipeline = job.value.pipeline
    return {
        "description": description_path(job.name),
        "type": pipeline.type,
        "schedule": _schedule(pipeline.schedule),
        "retries": pipeline.retries,
        "timeoutSeconds": pipeline.timeout_s,
        "trains": pipeline.model.model if pipeline.type == "training" and pipeline.model is not None else "",
        "uses": sorted({ref.model for ref in models_of(pipeline)}),
        "reads": list(dict.fromkeys(_read(pipeline))),
        "writes": list(dict.fromkeys(_written(pipeline))),
    }


def _read(pipeline: Pipeline) -> Iterator[str]:
    for step in pipeline.steps:
        yield from step.inputs


def _written(pipeline: Pipeline) -> Iterator[str]:
    for name in (pipeline.output, *(step.output for step in pipeline.steps)):
        if name:
            yield name


def _server(server: Resource[ModelServer], context: Context) -> dict[str, Value]:
    described = describe_server(server, context)
    return {
        "description": description_path(server.name),
        "applications": serve_applications(server.value, described, context),
    }


def _endpoint(route: Route, context: Context) -> dict[str, Value]:
    """Return the equivalent of this endpoint's HTTPRoute, using Serve applications instead of Services."""
    inference = route.inference
    endpoint = inference.endpoint
    applications = {
        application.variant.name: application
        for server in context.plan.of(ModelServer, context.placement)
        for application in server.value.applications
        if application.inference.name == inference.name
    }
    described: dict[str, Value] = {
        "path": endpoint.path,
        "timeoutSeconds": endpoint.timeout_s,
        "backends": [
            {"application": application_name(applications[backend.variant]), "weight": backend.percent}
            for backend in route.backends
        ],
        "callers": [caller.name for caller in endpoint.auth.callers],
        "prefix": serve_prefix(next(iter(applications.values()))),
        "models": list(dict.fromkeys(served.model.name for served in applications.values())),
    }
    if inference.generation is not None:
        described["generatesText"] = True
    if route.mirror is not None:
        mirrored = applications[route.mirror.variant]
        described["mirror"] = {"application": application_name(mirrored), "percent": route.mirror.percent}
    return described


def _dataset(dataset: Dataset, context: Context) -> Json:
    return describe_datasets([dataset.name], context)[dataset.name]
