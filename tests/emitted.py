"""Compiles specs for a cluster in tests, and returns one target's objects, files and diagnostics."""

from __future__ import annotations

from typing import Any, TypeAlias, cast

from modelyard.emit import stack_files
from modelyard.program import Call
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kubernetes.check import check
from modelyard_targets.kubernetes.lower import lower, objects
from modelyard_targets.kubernetes.platform import context_of
from tests.plans import plan_of

Object: TypeAlias = dict[str, Any]


def context(text: str, placement: str = "main") -> Context:
    """Return the context for lowering a placement of the given spec."""
    return context_of(plan_of(text), placement)


def emitted(text: str, placement: str = "main") -> list[Object]:
    """Return a placement's objects in the order in which they are applied."""
    return [cast("Object", obj.manifest) for obj in objects(plan_of(text), placement)]


def emitted_object(text: str, kind: str, name: str, placement: str = "main", namespace: str = "") -> Object:
    """Return the only object of the given kind and name, in the given namespace if any."""
    (match,) = [
        each
        for each in emitted(text, placement)
        if (each["kind"], each["metadata"]["name"]) == (kind, name)
        and namespace in ("", each["metadata"].get("namespace"))
    ]
    return match


def names(text: str, kind: str, placement: str = "main") -> list[str]:
    """Return the names of all objects of a kind, in order."""
    return [each["metadata"]["name"] for each in emitted(text, placement) if each["kind"] == kind]


def calls(text: str, placement: str = "main") -> dict[str, Call]:
    """Return the calls in a placement's first program, by name."""
    (project, *_) = lower(plan_of(text), placement).projects
    return {call.name: call for call in project.program.calls}


def argument(call: Call, name: str) -> Any:
    """Return the value of a call's argument."""
    return dict(call.arguments)[name]


def files(text: str, placement: str = "main") -> dict[str, str]:
    """Return a target's files, by their path in the target's folder."""
    return {file.path: file.render().decode() for file in stack_files(lower(plan_of(text), placement))}


def refused(text: str, placement: str = "main") -> list[str]:
    """Return the code of each diagnostic from the target's checks, with the spec text it marks."""
    lines = text.splitlines()
    diagnostics = tuple(check(plan_of(text), placement))
    return [
        f"{each.code} {lines[each.span.line - 1][each.span.column - 1 : each.span.end_column - 1]}"
        for each in diagnostics
        if each.span is not None
    ]
