"""Lower a plan to the files `modelyard run` executes: a plan, descriptions, the runtime and a README."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from modelyard.plan import Job, ModelServer, MonitorJob, Plan, Promoter
from modelyard.source import Json
from modelyard.stack import Stack, TextFile
from modelyard.writers.json_text import json_text
from modelyard_targets.kube.image.runtime_image import runtime_files
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.workload.describe import (
    describe_job,
    describe_monitor,
    describe_promoter,
    describe_server,
)
from modelyard_targets.local.placement import context_of, description_path
from modelyard_targets.local.plan_file import plan_of
from modelyard_targets.local.readme import readme_of
from modelyard_targets.local.requirements import requirements_of


def lower(plan: Plan, placement: str) -> Stack:
    """Return the placement's stack on this machine, which has no Pulumi project since nothing is deployed."""
    if not plan.on(placement):
        return Stack(plan.system.environment, placement, ())
    context = context_of(plan, placement)
    return Stack(plan.system.environment, placement, (), tuple(_files(context)))


def _files(context: Context) -> Iterator[TextFile]:
    yield TextFile("README.md", lambda: readme_of(context))
    yield TextFile("plan.json", lambda: json_text(plan_of(context)))
    yield TextFile("graph.svg", lambda: _graph(context))
    yield TextFile("requirements.txt", lambda: "".join(f"{line}\n" for line in requirements_of(context.system)))
    for name, described in _descriptions(context):
        yield TextFile(description_path(name), partial(_as_text, described))
    for path, text in runtime_files().items():
        yield TextFile(f"runtime/{path}", partial(str, text))


def _graph(context: Context) -> str:
    """Draw the system for the run page now, since the process that serves this page has no access to the compiler."""
    from modelyard.drawing.ml import ml_view
    from modelyard.drawing.svg import svg

    return svg(ml_view(context.system))


def _as_text(described: Callable[[], dict[str, Json]]) -> str:
    return json_text(described())


def _descriptions(context: Context) -> Iterator[tuple[str, Callable[[], dict[str, Json]]]]:
    plan, placement = context.plan, context.placement
    for server in plan.of(ModelServer, placement):
        yield server.name, partial(describe_server, server, context)
    for job in plan.of(Job, placement):
        yield job.name, partial(describe_job, job, context)
    for monitor in plan.of(MonitorJob, placement):
        yield monitor.name, partial(describe_monitor, monitor, context)
    for promoter in plan.of(Promoter, placement):
        yield promoter.name, partial(describe_promoter, promoter, context)
