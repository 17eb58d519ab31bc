"""Print a program as Python, formatted like `ruff format` with lines of 120 characters.

Only `literal` prints users' strings, and only `identifiers` converts users' names. Everything else is our own. If it
has an unexpected form, that is a bug in a target rather than in a spec, and ValueError is raised.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from math import isfinite
from typing import TypeAlias

from modelyard.program import Call, Export, Import, Literal, Program, Ref
from modelyard.records import record

LINE_LENGTH = 120

Variables: TypeAlias = Mapping[str, str]
"""The program's variables, keyed by the names that the target gives to the results of calls."""

_KEYWORDS = frozenset({
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def",
    "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
    "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
})  # fmt: skip
_BUILTINS = frozenset({
    "_", "case", "match", "type", "abs", "aiter", "all", "anext", "any", "ascii", "bin", "bool", "breakpoint",
    "bytearray", "bytes", "callable", "chr", "classmethod", "compile", "complex", "copyright", "credits",
    "delattr", "dict", "dir", "divmod", "enumerate", "eval", "exec", "exit", "filter", "float", "format",
    "frozenset", "getattr", "globals", "hasattr", "hash", "help", "hex", "id", "input", "int", "isinstance",
    "issubclass", "iter", "len", "license", "list", "locals", "map", "max", "memoryview", "min", "next",
    "object", "oct", "open", "ord", "pow", "print", "property", "quit", "range", "repr", "reversed", "round",
    "set", "setattr", "slice", "sorted", "staticmethod", "str", "sum", "super", "tuple", "vars", "zip",
})  # fmt: skip
"""Soft keywords, and all builtins that begin with a lower-case letter, in Python 3.11 to 3.14."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")
_TITLE = re.compile(r"[A-Z][ !#-\[\]-~]*[!#-\[\]-~]")
_NOT_IN_NAME = re.compile(r"[^A-Za-z0-9_]")
_ESCAPED = re.compile("[^ !#-&(-\\[\\]-~\u00a1-\u00ac\u00ae-\u024f\u0386-\u0481\u048a-\u052f]")
"""Characters to escape: all except single-width European characters. Other characters may be wide, combining or
invisible.
"""

_SHORT_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


@record
class Collision:
    """Two names, in order of appearance, that would become the same variable."""

    first: str
    second: str
    variable: str


def identifier(name: str) -> str:
    """Convert a name to an ASCII variable name that is not a keyword or builtin. Invalid characters become `_`."""
    variable = _NOT_IN_NAME.sub("_", name)
    if not variable or variable[0].isdigit() or variable == "_" or variable.startswith("__"):
        return f"v{variable}"
    return f"{variable}_" if variable in _KEYWORDS or variable in _BUILTINS else variable


def identifiers(names: Iterable[str], taken: Iterable[str] = ()) -> tuple[Variables, tuple[Collision, ...]]:
    """Choose a unique variable for each name, and return all pairs of names that would have collided.

    A name that occurs twice collides with itself.
    """
    unavailable = frozenset(taken)
    variables: dict[str, str] = {}
    owners: dict[str, str] = {}
    collisions: list[Collision] = []
    for name in names:
        variable = identifier(name)
        while variable in unavailable:
            variable += "_"
        if variable in owners:
            collisions.append(Collision(owners[variable], name, variable))
        owners.setdefault(variable, name)
        variables[name] = variable
    return variables, tuple(collisions)


def program_variables(program: Program) -> tuple[Variables, tuple[Collision, ...]]:
    """Choose variables for a program's calls that don't clash with each other or with imported names."""
    imported = [entry.name or entry.module.partition(".")[0] for entry in program.imports]
    return identifiers((call.variable for call in program.calls if call.variable), imported)


def literal(value: Literal, variables: Variables | None = None) -> str:
    """Render a value as a single-line Python expression.

    Strings are double-quoted unless single quotes need fewer escapes. A tuple becomes a list, and a Ref its variable,
    which must be known. Raises ValueError for NaN and infinity, and TypeError for anything else that isn't plain data.
    """
    if isinstance(value, str):
        return _string(value)
    if value is None or isinstance(value, bool):
        return str(value)
    if isinstance(value, int):
        return int.__repr__(value)
    if isinstance(value, float):
        if not isfinite(value):
            raise ValueError("nan and infinity are not plain data")
        return float.__repr__(value).replace("e+", "e")
    if isinstance(value, Ref):
        return _reference(value, variables or {})
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(literal(item, variables) for item in value) + "]"
    if isinstance(value, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] -- anything else raises below
        return "{" + ", ".join(f"{_string(key)}: {literal(item, variables)}" for key, item in value.items()) + "}"
    raise TypeError(f"{type(value).__name__} is not plain data")


def print_program(program: Program) -> str:
    """Render `__main__.py`. The same program always results in the same bytes.

    Raises ValueError if two calls would share a variable. `program_variables` lists these collisions.
    """
    variables, collisions = program_variables(program)
    if collisions:
        raise ValueError(f"two calls share the variable {collisions[0].variable}")
    blocks = [f'"""{_checked(_TITLE, program.title)}"""\n', *_imports(program.imports)]
    assigned: dict[str, str] = {}
    for _, calls in groupby(program.calls, key=lambda call: call.group):
        blocks.append("".join(_call(call, variables, assigned) for call in calls))
    if program.exports:
        blocks.append("".join(_export(export, assigned) for export in program.exports))
    return "\n".join(blocks)


def _string(text: object) -> str:
    if not isinstance(text, str):
        raise TypeError(f"a key is text, not {type(text).__name__}")
    quote = "'" if text.count('"') > text.count("'") else '"'
    body = _ESCAPED.sub(lambda match: _escape(match.group(), quote), text)
    return f"{quote}{body}{quote}"


def _escape(character: str, quote: str) -> str:
    if character in "'\"":
        return f"\\{character}" if character == quote else character
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _reference(value: Ref, variables: Variables) -> str:
    if value.variable not in variables:
        raise ValueError(f"{value.variable} is used before it is assigned")
    expression = variables[value.variable]
    if value.attribute:
        expression += f".{_checked(_DOTTED, value.attribute)}"
    return f"{expression}[{_string(value.key)}]" if value.key else expression


def _checked(form: re.Pattern[str], text: str) -> str:
    if not form.fullmatch(text) or text in _KEYWORDS:
        raise ValueError(f"{text!r} is not allowed in a program")
    return text


def _imports(imports: Iterable[Import]) -> list[str]:
    """Render imports as two sorted blocks, standard library first, each with `import` before `from`."""
    entries = sorted({(_checked(_DOTTED, entry.module), entry.name) for entry in imports})
    standard = [entry for entry in entries if entry[0].partition(".")[0] in sys.stdlib_module_names]
    installed = [entry for entry in entries if entry not in standard]
    return [_import_paragraph(paragraph) for paragraph in (standard, installed) if paragraph]


def _import_paragraph(entries: list[tuple[str, str]]) -> str:
    modules = [f"import {module}\n" for module, name in entries if not name]
    parts: dict[str, list[str]] = {}
    for module, name in entries:
        if name:
            parts.setdefault(module, []).append(_checked(_NAME, name))
    return "".join([*modules, *(_import_from(module, sorted(names, key=_member)) for module, names in parts.items())])


def _import_from(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= LINE_LENGTH:
        return f"{line}\n"
    return "".join([f"from {module} import (\n", *(f"    {name},\n" for name in names), ")\n"])


def _member(name: str) -> tuple[int, str, str]:
    """Return the sort key for imported names in isort's order: constants, then classes, then everything else."""
    rank = 0 if name.isupper() and len(name) > 1 else 1 if name[0].isupper() else 2
    return rank, name.lower(), name


def _call(call: Call, variables: Variables, assigned: dict[str, str]) -> str:
    """Render one call, and register its variable as assigned."""
    arguments = [("", call.name), *((f"{_checked(_NAME, key)}=", value) for key, value in call.arguments)]
    component = _checked(_DOTTED, call.component)
    if not call.variable:
        return _invocation(component, arguments, assigned)
    text = _invocation(f"{variables[call.variable]} = {component}", arguments, assigned)
    assigned[call.variable] = variables[call.variable]
    return text


def _export(export: Export, variables: Variables) -> str:
    return _invocation("pulumi.export", [("", export.name), ("", export.value)], variables)


def _invocation(head: str, arguments: Sequence[tuple[str, Literal]], variables: Variables) -> str:
    flat = f"{head}({', '.join(label + literal(value, variables) for label, value in arguments)})"
    if len(flat) <= LINE_LENGTH:
        return f"{flat}\n"
    lines = [f"{head}("]
    for label, value in arguments:
        _lay_out(lines, "    ", label, value, variables)
    return "\n".join([*lines, ")\n"])


def _lay_out(lines: list[str], indent: str, label: str, value: Literal, variables: Variables) -> None:
    """Lay out a bracketed element on one line if it fits, or else with each nested element on its own line."""
    flat = f"{indent}{label}{literal(value, variables)},"
    if len(flat) <= LINE_LENGTH or not value or not isinstance(value, (list, tuple, Mapping)):
        lines.append(flat)
        return
    deeper = indent + "    "
    opening, closing = "{}" if isinstance(value, Mapping) else "[]"
    lines.append(f"{indent}{label}{opening}")
    if isinstance(value, Mapping):
        for key, item in value.items():
            _lay_out(lines, deeper, f"{_string(key)}: ", item, variables)
    else:
        for item in value:
            _lay_out(lines, deeper, "", item, variables)
    lines.append(f"{indent}{closing},")
