"""Check patched objects against the bundled field table, to find what an API server would reject."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, TypeAlias, cast

from modelyard.source import Json
from modelyard.stack import Manifest
from modelyard.writers.json_text import json_text

TABLE: Final = Path(__file__).with_name("object_fields.json")

Type: TypeAlias = "str | Mapping[str, Type]"

_WORDS: Final = {
    "text": "text",
    "integer": "a whole number",
    "number": "a number",
    "flag": "true or false",
    "scalar": "a number or text",
}


def problems(manifest: Manifest) -> list[str]:
    """Return an object's unknown and missing fields, nulls and wrong types, each with its path.

    Returns an empty list if the table doesn't contain the object's kind.
    """
    objects, types = _table()
    kind = objects.get(f"{manifest.get('apiVersion')} {manifest.get('kind')}")
    return [] if kind is None else list(_problems(json.loads(json_text(manifest)), kind, types, ""))


@lru_cache(maxsize=1)
def _table() -> tuple[Mapping[str, Type], Mapping[str, Type]]:
    data = json.loads(TABLE.read_text(encoding="utf-8"))
    return cast("Mapping[str, Type]", data["objects"]), cast("Mapping[str, Type]", data["types"])


def _problems(value: Json, kind: Type, types: Mapping[str, Type], path: str) -> Iterator[str]:
    if isinstance(kind, str):
        if kind.startswith("@"):
            yield from _problems(value, types[kind[1:]], types, path)
        elif not _fits(value, kind):
            yield f"{path} must be {_WORDS[kind]}"
    elif "list" in kind:
        if not isinstance(value, list):
            yield f"{path} must be a list"
            return
        for at, inner in enumerate(value):
            yield from _problems(inner, kind["list"], types, f"{path}/{at}")
    elif not isinstance(value, dict):
        yield f"{path} must be a mapping"
    else:
        fields = cast("Mapping[str, Type]", kind.get("fields", {}))
        required = cast("Sequence[str]", kind.get("required", ()))
        yield from (f"{path}/{name} is required" for name in required if value.get(name) is None)
        for name, inner in value.items():
            if "map" in kind:
                yield from _problems(inner, kind["map"], types, f"{path}/{name}")
            elif fields and name not in fields:
                yield f"{path}/{name} is unknown"
            elif fields and not (name in required and inner is None):
                yield from _problems(inner, fields[name], types, f"{path}/{name}")


def _fits(value: Json, kind: str) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "any": True,
        "text": isinstance(value, str),
        "integer": number and isinstance(value, int),
        "number": number,
        "flag": isinstance(value, bool),
        "scalar": number or isinstance(value, str),
    }[kind]
