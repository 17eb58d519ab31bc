"""A target's program, as values that `emit` prints as Python."""

from __future__ import annotations

from typing import TypeAlias

from modelyard import __version__
from modelyard.records import record
from modelyard.source import Path

WRITTEN_BY = f"Written by modelyard {__version__}; change the spec, not this file."
"""The title of every program, and the first line of every file that supports comments."""

Literal: TypeAlias = "None | bool | int | float | str | tuple[Literal, ...] | dict[str, Literal] | Ref"
"""An argument of a call: plain data, or a reference to an earlier call's result. A tuple is printed as a list."""


@record
class Import:
    """`from module import name`, or `import module` if the name is empty."""

    module: str
    name: str = ""


@record
class Ref:
    """The result of an earlier call, or part of it: `variable`, `variable.attribute` or `variable["key"]`.

    If both are set, the attribute comes first: `variable.attribute["key"]`. A key may be any string.
    """

    variable: str
    attribute: str = ""
    key: str = ""


@record
class Call:
    """`variable = component(name, **arguments)`. `variable` is the name before `identifier()` converts it.

    `component` is a dotted path from an imported name, such as `kubernetes.Cluster`. If the variable is empty, only the
    call is printed. A blank line is printed where `group` changes. `origin` is the spec line that requested the call;
    it is used by `explain` and never printed.
    """

    variable: str
    component: str
    name: str
    arguments: tuple[tuple[str, Literal], ...] = ()
    group: str = ""
    origin: Path = ()


@record
class Export:
    """`pulumi.export(name, value)`."""

    name: str
    value: Ref


@record
class Program:
    """A `__main__.py` with imports, calls in order, and exports. The title is our own string, such as WRITTEN_BY."""

    title: str
    imports: tuple[Import, ...]
    calls: tuple[Call, ...]
    exports: tuple[Export, ...] = ()
