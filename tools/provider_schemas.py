"""Writes the providers' fields into the spec's schema: `python tools/provider_schemas.py`.

A provider declares its own fields next to the code that reads them. Its `options.schema.json` contains a target's
`properties` and the `$defs` that they refer to. The spec's schema remains a single file so that editors can use it
directly. Only this script may write the provider-specific parts of that file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
SCHEMA: Final = ROOT / "schemas" / "modelyard_schemas" / "v1alpha1" / "system.schema.json"

_CHAIN: Final = '            "if": { "required": ["provider"], "properties": { "provider": { "const": '
_END_OF_CLOUDS: Final = "          }"
_TARGET: Final = '    "targetFields": {'
_END_OF_TARGET: Final = "    },"
_AFTER_DEFINITIONS: Final = '    "machines": {'


def fragments() -> dict[str, str]:
    """Return the text of each provider's fragment, sorted by provider."""
    files = sorted((ROOT / "targets" / "modelyard_targets").glob("*/options.schema.json"))
    return {file.parent.name: file.read_text(encoding="utf-8") for file in files}


def with_providers(schema: str, own: Mapping[str, str]) -> str:
    """Return the schema text with the previous fragments replaced by `own`."""
    lines = schema.split("\n")
    first = next(at for at, line in enumerate(lines) if line.startswith(_CHAIN))
    last = lines.index(_END_OF_CLOUDS, first)
    lines[first:last] = _chain(list(own.items()), 12)
    first = lines.index(_END_OF_TARGET, lines.index(_TARGET)) + 1
    last = lines.index(_AFTER_DEFINITIONS)
    lines[first:last] = [line for text in own.values() for line in _definitions(text)]
    return "\n".join(lines)


def _chain(own: list[tuple[str, str]], indent: int) -> Iterator[str]:
    """Yield the lines of an `if` for the first provider's fields and an `else` for the others' fields."""
    (name, text), *others = own
    space = " " * indent
    yield f'{space}"if": {{ "required": ["provider"], "properties": {{ "provider": {{ "const": "{name}" }} }} }},'
    yield f'{space}"then": {{'
    yield f'{space}  "properties": {{'
    yield from (f"{space}{line}" for line in _entries(text, "properties"))
    yield f"{space}  }}"
    yield f"{space}}}{',' if others else ''}"
    if others:
        yield f'{space}"else": {{'
        yield from _chain(others, indent + 2)
        yield f"{space}}}"


def _definitions(text: str) -> list[str]:
    lines = _entries(text, "$defs")
    return [*lines[:-1], f"{lines[-1]},"] if lines else []


def _entries(text: str, section: str) -> list[str]:
    """Return the lines of a fragment's section with four spaces before each entry."""
    if section not in json.loads(text):
        return []
    opening = f'  "{section}": {{\n'
    start = text.index(opening) + len(opening)
    return text[start : text.index("\n  }", start)].split("\n")


if __name__ == "__main__":
    SCHEMA.write_text(with_providers(SCHEMA.read_text(encoding="utf-8"), fragments()), encoding="utf-8")
