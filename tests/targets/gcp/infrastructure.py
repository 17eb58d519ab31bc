"""Helpers that compile Google Cloud specs to programs and Kubernetes objects, or return diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

from modelyard.pipeline import InputFile, Inputs, understand
from modelyard.plan import Plan
from modelyard.program import Call, Literal, Program, Ref
from modelyard_targets import TARGETS
from modelyard_targets.components import wrong_arguments
from modelyard_targets.gcp.lower import lower, objects
from modelyard_targets.gcp.platform import context_of
from modelyard_targets.kube.placement.context import Context
from tests.diagnosing import Question, examine
from tests.examples import SYSTEMS
from tests.narrowing import present

Object: TypeAlias = dict[str, Any]


def changed(*changes: tuple[str, str], text: str) -> str:
    """Return the given spec with some text replaced. Each old string must occur in it."""
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after, 1)
    return text


LEADS = (SYSTEMS / "leads-on-google" / "system.yaml").read_text(encoding="utf-8")
"""The spec of the system that the AWS tests also use, but with Google Cloud as its provider and one of its regions."""


def without_database() -> tuple[tuple[str, str], ...]:
    """Return replacements that make the system use an existing registry and therefore no database."""
    imported = LEADS[LEADS.index("  propensity:\n") : LEADS.index("pipelines:\n")]
    registry = ("registry: {database: runs, artifacts: lake}", 'registry: {adopt: "https://mlflow.acme.example"}')
    return ("  runs: {type: database}\n", ""), registry, (imported, "")


def leads(*changes: tuple[str, str]) -> str:
    """Return the spec of the system `leads` with some text replaced."""
    return changed(*changes, text=LEADS)


def plan_of(text: str = LEADS) -> Plan:
    """Return the plan for a valid spec."""
    outcome = understand(Inputs(InputFile("system.yaml", text)), TARGETS)
    assert not outcome.failed, outcome.diagnostics
    return present(outcome.plan)


def context(text: str = LEADS) -> Context:
    """Return the context for lowering the target `main`."""
    return context_of(plan_of(text), "main")


def programs(text: str = LEADS, placement: str = "main") -> dict[str, Program]:
    """Return the infrastructure programs, keyed by project folder."""
    projects = lower(plan_of(text), placement).projects
    return {project.folder: project.program for project in projects if project.folder.startswith("infrastructure")}


def components(text: str = LEADS, placement: str = "main") -> dict[str, Call]:
    """Return all component calls in all infrastructure programs, keyed by component and name, such as `NodePool
    system`.

    The component must accept each call's arguments.
    """
    calls = [call for program in programs(text, placement).values() for call in program.calls]
    assert [problem for call in calls for problem in wrong_arguments("gcp", call)] == []
    return {f"{call.component} {call.name}": call for call in calls}


def workload_calls(text: str = LEADS) -> dict[str, Call]:
    """Return the component calls in the first workloads project, keyed by variable or, without one, by name."""
    (project,) = [project for project in lower(plan_of(text), "main").projects if project.folder == "workloads"]
    return {call.variable or call.name: call for call in project.program.calls}


def arguments(call: Call) -> dict[str, Any]:
    """Return a call's arguments. Results of other calls are shown as `variable.attribute` or `variable[key]`."""
    return {name: _plain(value) for name, value in call.arguments}


def emitted(text: str = LEADS, placement: str = "main") -> list[Object]:
    """Return all emitted Kubernetes objects in order."""
    return [cast("Object", emitted_object.manifest) for emitted_object in objects(plan_of(text), placement)]


def names(kind: str, text: str = LEADS) -> list[str]:
    """Return the names of all emitted objects of a given kind, in order."""
    return [each["metadata"]["name"] for each in emitted(text) if each["kind"] == kind]


def manifest(kind: str, name: str, text: str = LEADS) -> Object:
    """Return the only emitted object with the given kind and name."""
    (match,) = [each for each in emitted(text) if (each["kind"], each["metadata"]["name"]) == (kind, name)]
    return match


def readme(text: str = LEADS, placement: str = "main") -> str:
    """Return the README for a target."""
    return next(file.text() for file in lower(plan_of(text), placement).texts if file.path == "README.md")


def refused(text: str) -> list[str]:
    """Return each error and warning code, followed by the spec line it refers to."""
    lines = text.splitlines()
    diagnostics = examine(Question(text))
    return [f"{each.code} {lines[each.span.line - 1].strip()}" for each in diagnostics if each.span is not None]


def codes(text: str) -> set[str]:
    """Return the codes of all errors and warnings."""
    return {each.partition(" ")[0] for each in refused(text)}


def _plain(value: Literal) -> Any:
    if isinstance(value, Ref):
        attribute = f".{value.attribute}" if value.attribute else ""
        return value.variable + attribute + (f"[{value.key}]" if value.key else "")
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, tuple) else value
