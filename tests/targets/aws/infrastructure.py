"""Helpers for testing AWS infrastructure programs and the target's diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from modelyard.pipeline import InputFile, Inputs, understand
from modelyard.plan import Plan
from modelyard.program import Call, Literal, Program, Ref
from modelyard_targets import TARGETS
from modelyard_targets.aws.lower import lower
from modelyard_targets.components import wrong_arguments
from tests.diagnosing import Question, examine
from tests.examples import SYSTEMS

LEADS = (SYSTEMS / "leads" / "system.yaml").read_text(encoding="utf-8")
HYBRID = (SYSTEMS / "hybrid" / "system.yaml").read_text(encoding="utf-8")


def changed(*changes: tuple[str, str], text: str = LEADS) -> str:
    """Return the spec with the given replacements. Each old string must occur in the spec."""
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after, 1)
    return text


def plan_of(text: str = LEADS) -> Plan:
    """Return the plan for a valid spec."""
    outcome = understand(Inputs(InputFile("system.yaml", text)), TARGETS)
    assert outcome.plan is not None
    assert not outcome.failed, outcome.diagnostics
    return outcome.plan


def programs(text: str = LEADS, placement: str = "main") -> dict[str, Program]:
    """Return the infrastructure programs, keyed by project folder."""
    projects = lower(plan_of(text), placement).projects
    return {project.folder: project.program for project in projects if project.folder.startswith("infrastructure")}


def calls_by_name(text: str = LEADS, placement: str = "main") -> dict[str, Call]:
    """Return all component calls in all infrastructure programs, keyed by component and name, such as `NodePool
    system`.

    The component must accept each call's arguments.
    """
    calls = [call for program in programs(text, placement).values() for call in program.calls]
    assert [problem for call in calls for problem in wrong_arguments("aws", call)] == []
    return {f"{call.component} {call.name}": call for call in calls}


def arguments(call: Call) -> dict[str, Any]:
    """Return a call's arguments. Results of other calls are shown as `variable.attribute` or `variable[key]`."""
    return {name: _plain(value) for name, value in call.arguments}


def refused(text: str) -> list[str]:
    """Return each error and warning code, followed by the spec line it refers to."""
    lines = text.splitlines()
    return [
        f"{diagnostic.code} {lines[diagnostic.span.line - 1].strip()}"
        for diagnostic in examine(Question(text))
        if diagnostic.span is not None
    ]


def _plain(value: Literal) -> Any:
    if isinstance(value, Ref):
        return (
            value.variable
            + (f".{value.attribute}" if value.attribute else "")
            + (f"[{value.key}]" if value.key else "")
        )
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items()}
    return [_plain(entry) for entry in value] if isinstance(value, tuple) else value
