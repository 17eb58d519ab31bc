"""Tests that the component table matches the library, and that every call matches the table."""

from __future__ import annotations

import pytest

from modelyard.program import Call
from modelyard_targets.components import imports_of, modules_of, wrong_arguments
from tests.examples import Example, golden_examples, on_clouds, on_this_machine
from tests.narrowing import present
from tools.list_components import TABLE, table_text

WITH_PROGRAMS = tuple(example for example in (*golden_examples(), *on_clouds()) if example not in on_this_machine())
ACCOUNT = (("region", "eu-central-1"), ("tags", ""))


def test_the_table_is_up_to_date() -> None:
    """The table matches the library's sources. Otherwise, run `python tools/list_components.py`."""
    assert TABLE.read_text(encoding="utf-8") == table_text()


@pytest.mark.parametrize(
    "example", [each for each in (*golden_examples(), *on_clouds()) if each not in on_this_machine()], ids=str
)
def test_every_call_matches_its_component(example: Example) -> None:
    compiled = example.compiled()
    system = present(compiled.system)
    calls = [
        (system.target(stack.target).provider, call)
        for stack in compiled.stacks
        for project in stack.projects
        for call in project.program.calls
    ]

    assert calls
    assert [problem for provider, call in calls for problem in wrong_arguments(provider, call)] == []


@pytest.mark.parametrize(
    ("component", "arguments", "problems"),
    [
        ("Account", ACCOUNT, []),
        ("Account", (*ACCOUNT, ("account_id", "1")), []),
        ("Account", (*ACCOUNT, ("acount_id", "1")), ["Account takes no acount_id"]),
        ("Account", ACCOUNT[1:], ["Account lacks region"]),
        ("Account", (*ACCOUNT, ACCOUNT[0]), ["Account gets region twice"]),
        ("Acount", ACCOUNT, ["no component is called Acount"]),
        ("Namespace", (("cluster", ""),), ["no component is called Namespace"]),
        ("kubernetes.Namespace", (("cluster", ""),), []),
        ("kubernetes.Namespaces", (), ["no component is called kubernetes.Namespaces"]),
        ("Infrastructure", (), []),
    ],
)
def test_wrong_calls_are_reported(component: str, arguments: tuple[tuple[str, str], ...], problems: list[str]) -> None:
    assert list(wrong_arguments("aws", Call("a", component, "main", arguments))) == problems


def test_modules_include_their_imports() -> None:
    calls = (Call("account", "Account", "main"), Call("key", "Key", "main"))

    assert modules_of("aws", calls) == ("aws.account", "aws.key", "aws.policies")


def test_a_class_is_imported_once() -> None:
    pools = (Call("a", "NodePool", "a"), Call("b", "NodePool", "b"))

    assert [(imported.module, imported.name) for imported in imports_of("aws", pools)] == [
        ("modelyard_stacks.aws.nodes", "NodePool")
    ]
