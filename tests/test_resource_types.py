"""Tests that only the plan package checks the type of a resource's value."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from modelyard.plan import Payload

ROOT = Path(__file__).resolve().parents[1]
PLAN = ROOT / "compiler" / "modelyard" / "plan"
MODULES = [
    path
    for folder in ("compiler", "targets", "tools", "testbed")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if PLAN not in path.parents
]
TYPES = frozenset(kind.__name__ for kind in get_args(Payload))


def names_in(node: ast.expr) -> set[str]:
    """Return the last component of each name in an expression, e.g. `Job` for `plan.Job`."""
    return {
        child.attr if isinstance(child, ast.Attribute) else child.id
        for child in ast.walk(node)
        if isinstance(child, ast.Attribute | ast.Name)
    }


def type_tests(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Return the lines that test whether a value is of a resource type, along with the type's name."""
    for node in ast.walk(tree):
        tested: set[str] = set()
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id in {"isinstance", "issubclass"}
        ):
            tested = names_in(node.args[1])
        elif isinstance(node, ast.MatchClass):
            tested = names_in(node.cls)
        elif isinstance(node, ast.Compare) and any(
            isinstance(operator, ast.Is | ast.IsNot | ast.Eq) for operator in node.ops
        ):
            sides = (node.left, *node.comparators)
            asks = any("__class__" in names_in(side) or _calls(side, "type") for side in sides)
            tested = {name for side in sides for name in names_in(side)} if asks else set()
        yield from ((node.lineno, name) for name in sorted(tested & TYPES))  # type: ignore[attr-defined]


def _calls(node: ast.expr, *functions: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in functions


def test_no_module_tests_the_type_of_a_resource() -> None:
    """No module tests resource types directly.

    Modules use `Plan.of`, `Plan.at`, `of_type` and `ByType` instead, which have typed results.
    """
    violations = [
        f"{path.relative_to(ROOT)}:{line} {name}"
        for path in MODULES
        for line, name in type_tests(ast.parse(path.read_text(encoding="utf-8")))
    ]

    assert len(MODULES) > 400
    assert violations == []


@pytest.mark.parametrize(
    "code",
    [
        "isinstance(resource.value, Job)",
        "isinstance(value, (Store, int))",
        "isinstance(value, Store | int)",
        "isinstance(value, plan.Job)",
        "type(value) is Job",
        "value.__class__ is not Job",
        "match value:\n    case Job(): pass",
    ],
)
def test_each_form_of_type_test_is_found(code: str) -> None:
    assert list(type_tests(ast.parse(code)))


@pytest.mark.parametrize("code", ["isinstance(value, str)", "plan.of(Job)", "resource.kind is Kind.DATABASE"])
def test_other_expressions_are_not_found(code: str) -> None:
    assert list(type_tests(ast.parse(code))) == []
