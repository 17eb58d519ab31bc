"""The README's first steps, covering training runs, endpoint requests, and users' own images."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Final

from modelyard.indexes import index
from modelyard.inputs import BASE_FOLDER
from modelyard.plan import AlertRules, Application, ByType, Job, ModelServer, Promoter, Resource, Route
from modelyard.records import record, replace
from modelyard.source import Json
from modelyard.spec import Inference, Model, Source, System
from modelyard.spec.imports import stored_at
from modelyard.spec.training_input import training_input
from modelyard.spec.trainings import first_trainings
from modelyard_targets.kube.image.needed import needs_runtime_image
from modelyard_targets.kube.image.packages import packages
from modelyard_targets.kube.image.runtime_image import protocol_requirements
from modelyard_targets.kube.network.route import serve_service
from modelyard_targets.kube.pipelines.job import once_name
from modelyard_targets.kube.pipelines.launcher import ray_job_of
from modelyard_targets.kube.placement.context import RAY_VERSION, Context
from modelyard_targets.kube.placement.fixed import EVERY_MINUTES, SERVE_PORT
from modelyard_targets.kube.workload.describe_parts import serve_prefix
from modelyard_targets.kube.workload.describe_pipeline import promoted_here

PYTHON: Final = "3.11"
"""The Python version in the runtime image."""

_FIRST: Final = "first"
_COLUMN: Final = "COLUMN"
_NUMBER: Final = 1.5
_EXAMPLES: Final[dict[str, Json]] = {
    "string": "text",
    "integer": 1,
    "number": _NUMBER,
    "boolean": True,
    "timestamp": "2026-01-31T12:00:00Z",
}


@record
class FirstRun:
    """How to start a training pipeline, and the alias for the trained version.

    If there is no CronJob, the pipeline starts on deployment. An adapter's run needs a version of its base model.
    """

    pipeline: str
    cron_job: str
    scheduled: bool
    after: str
    job: str
    ray_job: str
    model: str
    alias: str
    base: str
    base_alias: str


_WITH_VLLM: Final = ("boto3", "mlflow-skinny")
"""Packages of the runtime that Ray's image for language models lacks, in addition to packages for storage protocols."""


@record
class FirstImport:
    """A model imported by the promoter, with its source and the alias of the imported version."""

    model: str
    source: str
    alias: str


@record
class NeededApproval:
    """An alias that moves to a version only after approvals."""

    model: str
    registered: str
    imported: bool
    alias: str
    minimum: int
    groups: tuple[str, ...]


@record
class FirstRequest:
    """A request to an endpoint via port forwarding. Both token fields are empty for endpoints without a token."""

    endpoint: str
    service: str
    url: str
    body: str
    token_secret: str
    token_key: str
    language: bool = False


@record
class StandIn:
    """A variant that has no version yet, the version for which it waits, and the variant that responds until then."""

    endpoint: str
    variant: str
    version: str
    stand_in: str


@record
class OwnImage:
    """An image in the spec, the workload using it, and the entrypoint it must contain."""

    image: str
    workload: str
    entrypoint: str
    has_vllm: bool = False


def first_steps(context: Context) -> dict[str, object]:
    """Return the section's template values, which are empty without trainings, endpoints or own images."""
    runs, imports = tuple(sorted(_runs(context), key=lambda run: run.base != "")), tuple(_imports(context))
    images = tuple(dict.fromkeys(_own_images(context)))
    requests = tuple(_requests(context))
    return {
        "first_runs": runs,
        "first_imports": imports,
        "approvals": tuple(dict.fromkeys(_needed_approvals(context))),
        "every_minutes": EVERY_MINUTES,
        "first_requests": requests,
        "objectives": any(
            rules.value.inference is not None for rules in context.plan.of(AlertRules, context.placement)
        ),
        "stand_ins": tuple(_stand_ins(context)),
        "no_features": any(request.body == _body({_COLUMN: _NUMBER}) for request in requests),
        "version_has_to_be": _has_to_be(context),
        "approving_environment": "" if context.system.environment == BASE_FOLDER else context.system.environment,
        "promoted_here": promoted_here(context),
        "change_times": _change_times(context.system),
        "at_any_time": any(stage.any_time for model in context.system.models.values() for stage in model.stages),
        "approval_effect": (
            f"The promoter checks every {EVERY_MINUTES} minutes, and moves an alias once its approvals are complete; "
            "its log says what else a version waits for."
            if promoted_here(context)
            else "The next run of the pipeline promotes the version before it trains."
        ),
        "registry_address": context.registry_uri,
        "own_images": images,
        "own_package": next((_package(image.entrypoint) for image in images if image.entrypoint), ""),
        "own_images_serve": any(
            source.image
            for server in context.plan.of(ModelServer, context.placement)
            for source in _sources_of_server(server)
        ),
        "language_packages": " ".join(_language_packages(context.system)),
        "extends_runtime": needs_runtime_image(context.plan, context.placement),
        "ray_version": RAY_VERSION,
        "python_version": PYTHON,
        "serve_port": SERVE_PORT,
    }


def _needed_approvals(context: Context) -> Iterator[NeededApproval]:
    """Yield the approvals needed by this placement's model versions, in stage order."""
    for job in (resource.value for resource in context.plan.of(Job, context.placement)):
        if job.pipeline.type == "training" and job.model is not None:
            yield from _on_the_way(job.model, job.pipeline.promote_to, context)
    for promoter in context.plan.of(Promoter, context.placement):
        for model in promoter.value.imported:
            assert model.imported is not None
            yield from _on_the_way(model, model.imported.promote_to, context)


def _stand_ins(context: Context) -> Iterator[StandIn]:
    for server in context.plan.of(ModelServer, context.placement):
        for application in server.value.applications:
            if application.stand_in is not None and application.variant.percent:
                variant, ref = application.variant, application.variant.model
                yield StandIn(
                    application.inference.name, variant.name, f"{ref.model}@{ref.alias}", application.stand_in.name
                )


def _change_times(system: System) -> str:
    """Return when aliases move according to `governance.changes`, or "" if they move at any time."""
    changes = system.governance.changes
    if changes is None:
        return ""
    if not changes.windows:
        return "at any time except during its freezes"
    return f"only within its change windows{' and not during its freezes' if changes.freezes else ''}"


def _has_to_be(context: Context) -> str:
    """Return what must happen first to the models served here, on any target: "trained", "imported", or both."""
    routes = (route.value for route in context.plan.of(Route, context.placement))
    served = {variant.model.model for route in routes for variant in route.inference.variants}
    imported = {context.system.models[model].imported is not None for model in served}
    return " or ".join([*(["trained"] if False in imported else []), *(["imported"] if True in imported else [])])


def _on_the_way(model: Model, first: str, context: Context) -> Iterator[NeededApproval]:
    for alias in dict.fromkeys((first, *(stage.alias for stage in model.stages))):
        approval = context.system.approval(model.name, alias)
        if approval is not None:
            imported = model.imported is not None
            yield NeededApproval(model.name, model.registered_name, imported, alias, approval.minimum, approval.groups)


def _package(entrypoint: str) -> str:
    module, _, _ = entrypoint.partition(":")
    return module.partition(".")[0]


def _runs(context: Context) -> Iterator[FirstRun]:
    for resource in context.plan.of(Job, context.placement):
        job = resource.value
        if job.pipeline.type != "training" or job.model is None:
            continue
        once = job.pipeline.schedule.kind == "once"
        base = job.model.base
        yield FirstRun(
            pipeline=job.pipeline.name,
            cron_job="" if once else resource.name,
            scheduled=job.pipeline.schedule.kind == "cron",
            after=job.pipeline.schedule.after,
            job=f"{resource.name}-{_FIRST}",
            ray_job=once_name(resource, context) if once else ray_job_of(resource.name, _FIRST),
            model=job.model.registered_name,
            alias=job.pipeline.promote_to,
            base=context.system.models[base.model].registered_name if base is not None else "",
            base_alias=base.alias if base is not None else "",
        )


def _imports(context: Context) -> Iterator[FirstImport]:
    for promoter in context.plan.of(Promoter, context.placement):
        for model in promoter.value.imported:
            assert model.imported is not None
            stored, alias = stored_at(context.system, model.imported), model.imported.promote_to
            uri = context.uri(context.system.stores[stored[0]], stored[1]) if stored else model.imported.uri
            yield FirstImport(model.registered_name, uri, alias)


def _requests(context: Context) -> Iterator[FirstRequest]:
    for resource in context.plan.of(Route, context.placement):
        server = max(resource.value.backends, key=lambda backend: backend.percent).server
        application = _application(server, resource.value.inference, context)
        callers = application.inference.endpoint.auth.callers
        secret = context.secret(callers[0].token) if callers else None
        request = FirstRequest(
            endpoint=resource.name,
            service=serve_service(server),
            url=f"http://127.0.0.1:{SERVE_PORT}{serve_prefix(application)}",
            body=_body(_row(application.model.name, context)),
            token_secret=secret.name if secret is not None else "",
            token_key=secret.key if secret is not None else "",
        )
        yield _chat_request(request) if application.model.generates_text else request


def _chat_request(request: FirstRequest) -> FirstRequest:
    """Return a chat request, which names the endpoint as its model."""
    messages: list[Json] = [{"role": "user", "content": "Hello"}]
    body = json.dumps({"model": request.endpoint, "messages": messages})
    return replace(request, url=f"{request.url.rstrip('/')}/v1/chat/completions", body=body, language=True)


def _application(server: str, inference: Inference, context: Context) -> Application:
    """Return an endpoint's application on a server that may be shared with other endpoints."""
    applications = _servers(context.plan.of(ModelServer, context.placement))[server].applications
    return next(application for application in applications if application.inference.name == inference.name)


@index
def _servers(servers: tuple[Resource[ModelServer], ...]) -> Mapping[str, ModelServer]:
    return {server.name: server.value for server in servers}


def _row(model: str, context: Context) -> dict[str, Json]:
    """Return an example row with the features of the model's first training pipeline.

    Without a schema, all features are numbers.
    """
    system = context.system
    pipeline = first_trainings(system.pipelines).get(model)
    if pipeline is None:
        return {_COLUMN: _NUMBER}
    trains = next((step for step in reversed(pipeline.steps) if step.trainer), pipeline.steps[-1])
    known = training_input([system.data[name] for name in trains.inputs], pipeline.split.key)
    row = {column: _EXAMPLES[known.types.get(column, "number")] for column in known.features}
    return row or {_COLUMN: _NUMBER}


def _body(row: dict[str, Json]) -> str:
    return json.dumps({"instances": [row]}, ensure_ascii=False)


def _own_images(context: Context) -> Iterator[OwnImage]:
    servers = context.plan.of(ModelServer, context.placement)
    language = {
        server.workload for server in servers if any(each.model.generates_text for each in server.value.applications)
    }
    for resource in context.plan.on(context.placement):
        for source in _sources(resource):
            if source.image:
                has_vllm = resource.workload in language
                yield OwnImage(context.image(source.image), resource.workload, source.entrypoint, has_vllm)


def _no_sources(resource: Resource) -> Iterator[Source]:
    yield from ()


def _sources_of_job(resource: Resource[Job]) -> Iterator[Source]:
    yield from (step.source for step in resource.value.pipeline.steps)


def _sources_of_server(resource: Resource[ModelServer]) -> Iterator[Source]:
    yield from (application.inference.source for application in resource.value.applications)


_sources: Final = ByType(_no_sources).case(Job, _sources_of_job).case(ModelServer, _sources_of_server)
"""Yields the sources of users' code that a workload runs."""


def _language_packages(system: System) -> Iterator[str]:
    """Yield the packages to install on top of Ray's own packages in an image for language models."""
    yield from (f"{name}=={packages('image')[name]['version']}" for name in _WITH_VLLM)
    yield from protocol_requirements(system)
