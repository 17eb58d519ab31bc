"""Features that this machine scales down or provides differently than a cluster, with their spec lines.

They are listed in the output and the README. Differences that would change a decision are rejected in check.py.
"""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.plan import Application, Job, ModelServer, Plan
from modelyard.records import record
from modelyard.spec import Inference, Pipeline, Step, Store, System


@record
class Note:
    """A spec location such as `inference.scorer.slo`, and how it differs from a cluster."""

    field: str
    text: str


def notes_of(plan: Plan, placement: str) -> tuple[Note, ...]:
    """Return all notes in the order of the spec's sections."""
    return tuple(
        dict.fromkeys(
            (
                *_of_stores(plan, placement),
                *_of_pipelines(plan, placement),
                *_of_endpoints(plan, placement),
                *_of_monitors(plan.system),
                *_of_governance(plan.system),
            )
        )
    )


def _of_stores(plan: Plan, placement: str) -> Iterator[Note]:
    for store in (resource.value for resource in plan.of(Store, placement)):
        here = f"stores.{store.name}"
        if store.type == "database":
            yield Note(here, "MLflow keeps its tables in an SQLite file instead")
            continue
        instead = f"the adopted bucket {store.adopt} is not opened; a folder takes its place" if store.adopt else ""
        if instead:
            yield Note(here, instead)
        for field in ("versioned", "retention", "objectLock"):
            if field in plan.system.written("stores", store.name):
                yield Note(f"{here}.{field}", "files stay until someone deletes them")


def _of_pipelines(plan: Plan, placement: str) -> Iterator[Note]:
    for pipeline in (resource.value.pipeline for resource in plan.of(Job, placement)):
        here = f"pipelines.{pipeline.name}"
        for step in pipeline.steps:
            yield from _of_step(step, here)
        yield from _of_machines(pipeline, plan.system, here)
        if pipeline.priority != "normal":
            yield Note(f"{here}.priority", "runs wait for free CPUs in the order in which they start")


def _of_step(step: Step, here: str) -> Iterator[Note]:
    if step.source.image:
        yield Note(
            f"{here}.source.image", f"{step.source.image} is not pulled; the code is imported from the spec's folder"
        )


def _of_machines(pipeline: Pipeline, system: System, here: str) -> Iterator[Note]:
    yield Note(f"{here}.compute", "workers and their CPUs are reduced to what this machine has; memory is not limited")
    if any(system.compute[step.compute].accelerators for step in pipeline.steps):
        yield Note(f"{here}.compute", "accelerators that this machine lacks are left out, so CPUs do the work")


def _of_endpoints(plan: Plan, placement: str) -> Iterator[Note]:
    by_endpoint: dict[str, Application] = {}
    for server in (resource.value for resource in plan.of(ModelServer, placement)):
        for application in server.applications:
            by_endpoint.setdefault(application.inference.name, application)
    for application in by_endpoint.values():
        yield from _of_endpoint(application.inference)


def _of_endpoint(inference: Inference) -> Iterator[Note]:
    here = f"inference.{inference.name}"
    endpoint = inference.endpoint
    yield Note(f"{here}.replicas", "each variant has one replica, without memory limits")
    if inference.source.image:
        yield Note(f"{here}.source.image", "it is not pulled; the code is imported from the spec's folder")
    if endpoint.exposure != "cluster" or endpoint.host or endpoint.clients:
        yield Note(f"{here}.endpoint", "it answers only on 127.0.0.1, without TLS, whatever the host name in a request")
    if endpoint.auth.type != "none":
        yield Note(
            f"{here}.endpoint.auth", "each caller gets a generated token in a file instead of the secret's value"
        )
    if inference.slo is not None:
        yield Note(f"{here}.slo", "no Prometheus evaluates objectives here")
    if inference.rollout.strategy != "blue-green":
        yield Note(f"{here}.rollout", "a changed spec replaces servers at the next run")


def _of_monitors(system: System) -> Iterator[Note]:
    for monitor in system.monitors.values():
        if monitor.type == "performance":
            yield Note(f"monitors.{monitor.name}", "no Prometheus evaluates it here")
    for channel in system.channels.values():
        yield Note(f"channels.{channel.name}", "nothing is sent; breaches are in the output and in the events")


def _of_governance(system: System) -> Iterator[Note]:
    if system.governance.budget is not None:
        yield Note("governance.budget", "this machine costs nothing")
    if system.governance.residency:
        yield Note("governance.residency", "data stays on this machine, wherever that is")
