"""Tests that all component parameters and results have types that don't contain `Any`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pkgutil import walk_packages
from typing import Any, TypedDict, TypeVar, cast, get_args, get_type_hints, is_typeddict

import pulumi
import pytest

import modelyard_stacks

# the SDK uses its own deprecated parts
pytestmark = pytest.mark.filterwarnings("ignore:.* has been deprecated in favor of:DeprecationWarning")

MODULES = [name for _, name, package in walk_packages(modelyard_stacks.__path__, "modelyard_stacks.") if not package]

_PULUMI = {"Output": pulumi.Output, "T": TypeVar("T")}
"""Names used in Pulumi's own type aliases, such as Input."""


def public(module: object) -> Iterator[tuple[str, Callable[..., object]]]:
    """Yield a module's public functions and its classes' public methods and properties."""
    for name, value in vars(module).items():
        if name.startswith("_") or getattr(value, "__module__", "") != getattr(module, "__name__", None):
            continue
        if inspect.isclass(value):
            for method, member in vars(value).items():
                called = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
                if inspect.isfunction(called) and (method in {"__init__", "__getitem__"} or not method.startswith("_")):
                    yield f"{name}.{method}", called
        elif inspect.isfunction(value):
            yield name, value


def untyped(function: Callable[..., object]) -> list[str]:
    """Return the parameters without a type or whose type contains `Any`. The result is listed as `return`."""
    hints = get_type_hints(function, localns=_PULUMI)
    parameters = [name for name in inspect.signature(function).parameters if name != "self"]
    return [name for name in (*parameters, "return") if name not in hints or _holds_any(hints[name], set())]


def _holds_any(kind: object, seen: set[int]) -> bool:
    if kind is Any:
        return True
    if id(kind) in seen:
        return False
    seen.add(id(kind))
    inside = list(get_args(kind))
    for each in tuple(inside):  # for example the list in Callable[[int], str]
        inside += cast("list[object]", each) if isinstance(each, list) else []
    if is_typeddict(kind):
        inside += get_type_hints(kind, localns=_PULUMI).values()
    return any(_holds_any(each, seen) for each in inside)


class Open(TypedDict):
    """A typed dictionary with an `Any` field."""

    name: str
    rest: Mapping[str, Sequence[Any]]


def anything(name: str, rest: Open, *, more: Callable[[Any], None], fine: Mapping[str, str]) -> list[Open] | None:
    """A signature that contains `Any`, to test the check itself."""


def test_nested_any_is_found() -> None:
    assert untyped(anything) == ["rest", "more", "return"]


@pytest.mark.parametrize("name", MODULES)
def test_signatures_contain_no_any(name: str) -> None:
    """Aliases and typed dictionaries in signatures are resolved before the check."""
    functions = dict(public(import_module(name)))

    assert {where: holes for where, function in functions.items() if (holes := untyped(function))} == {}


def test_all_components_are_checked() -> None:
    """The check covers the components called by emitted programs."""
    names = {where for name in MODULES for where, _ in public(import_module(name))}

    assert {
        "Network.__init__",
        "Cluster.__init__",
        "Database.__init__",
        "Object.__init__",
        "Infrastructure.__getitem__",
    } <= names
