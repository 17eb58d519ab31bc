"""The classes that a program imports and the modules that lie beside it: as the component library has them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import modelyard_stacks
from modelyard.program import Call
from modelyard_targets.aws.components import MODULES, NEEDS, imports_of, modules_of

STACKS = Path(next(iter(modelyard_stacks.__path__)))


def source(module: str) -> Path:
    return STACKS.joinpath(*module.split(".")).with_suffix(".py")


def beside(module: str) -> Iterator[str]:
    """The modules of the library that a module imports."""
    package = module.split(".")[:-1]
    for node in ast.walk(ast.parse(source(module).read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield ".".join([*package[: len(package) + 1 - node.level], node.module or node.names[0].name])


def test_every_class_is_where_it_is_said_to_be() -> None:
    for name, module in MODULES.items():
        classes = {node.name for node in ast.parse(source(module).read_text()).body if isinstance(node, ast.ClassDef)}
        assert name in classes, module


def test_every_module_brings_what_it_imports() -> None:
    known = set(MODULES.values()) | set(NEEDS) | {module for needed in NEEDS.values() for module in needed}

    assert {module: tuple(sorted(set(beside(module)))) for module in sorted(known) if set(beside(module))} == NEEDS


def test_modules_come_with_all_that_they_need_and_no_more() -> None:
    calls = (Call("account", "Account", "main"), Call("key", "Key", "main"))

    assert modules_of(calls) == ("aws.account", "aws.key", "aws.policies")


def test_a_class_is_imported_once() -> None:
    pools = (Call("a", "NodePool", "a"), Call("b", "NodePool", "b"))

    assert [(one.module, one.name) for one in imports_of(pools)] == [("modelyard_stacks.aws.nodes", "NodePool")]
