"""The components in `stacks/` that generated programs call, with their modules, imports and arguments."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final, TypedDict

from modelyard.program import Call, Import

PACKAGE: Final = "modelyard_stacks"

_TABLE: Final = os.path.join(os.path.dirname(__file__), "components.json")
_OF_ALL: Final = "infrastructure"
"""The module whose components do not depend on the provider."""


class Arguments(TypedDict):
    """The keyword arguments of a component, in addition to its name."""

    required: list[str]
    optional: list[str]


class Module(TypedDict):
    """A module of the component library, with its components and the modules it imports."""

    imports: list[str]
    classes: dict[str, Arguments]


def imports_of(provider: str, calls: Iterable[Call]) -> tuple[Import, ...]:
    """Return an import such as `from modelyard_stacks.aws.network import Network` for each component in the calls."""
    classes = dict.fromkeys(call.component for call in calls)
    return tuple(Import(f"{PACKAGE}.{_places(provider)[name]}", name) for name in classes)


def modules_of(provider: str, calls: Iterable[Call]) -> tuple[str, ...]:
    """Return the modules to copy next to a program, i.e. those it imports, directly or indirectly."""
    return with_imports(_places(provider)[call.component] for call in calls)


def with_imports(names: Iterable[str]) -> tuple[str, ...]:
    """Return the given component library modules and all modules they import, sorted by name."""
    included: set[str] = set()
    waiting = list(names)
    while waiting:
        module = waiting.pop()
        if module not in included:
            included.add(module)
            waiting += modules()[module]["imports"]
    return tuple(sorted(included))


def wrong_arguments(provider: str, call: Call) -> Iterator[str]:
    """Yield the errors in a call, such as an unknown component or a missing argument."""
    module, _, name = call.component.rpartition(".")
    place = module or _places(provider).get(name, "")
    takes = modules()[place]["classes"].get(name) if place in modules() else None
    if takes is None:
        yield f"no component is called {call.component}"
        return
    arguments = [name for name, _ in call.arguments]
    yield from (
        f"{call.component} takes no {argument}"
        for argument in arguments
        if argument not in takes["required"] + takes["optional"]
    )
    yield from (f"{call.component} lacks {argument}" for argument in takes["required"] if argument not in arguments)
    yield from (
        f"{call.component} gets {argument} twice"
        for argument in dict.fromkeys(arguments)
        if arguments.count(argument) > 1
    )


@cache
def _places(provider: str) -> Mapping[str, str]:
    """Map each component that a provider's programs may call to its module."""
    return {
        name: module
        for module, content in modules().items()
        if module == _OF_ALL or module.startswith(f"{provider}.")
        for name in content["classes"]
    }


@cache
def modules() -> Mapping[str, Module]:
    """Return the component library's modules, read from the table written by tools/list_components.py."""
    with open(_TABLE, encoding="utf-8") as file:
        table: Mapping[str, Module] = json.load(file)["modules"]
    return table
