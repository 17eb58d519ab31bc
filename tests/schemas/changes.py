"""Specs that differ from another spec in a single value."""

from __future__ import annotations

import copy
import json

from modelyard.source import Json
from tests.schemas.walk import Schema, schema_of

REMOVED = object()


def with_value(spec: Schema, path: tuple[str | int, ...], value: object) -> Schema:
    """Return a copy of the spec with one value set or removed."""
    changed = copy.deepcopy(spec)
    owner: Json = changed
    for step in path[:-1]:
        owner = _child(owner, step)
    if isinstance(owner, list):
        owner[int(path[-1])] = json.loads(json.dumps(value))
    elif value is REMOVED:
        del schema_of(owner)[str(path[-1])]
    else:
        schema_of(owner)[str(path[-1])] = json.loads(json.dumps(value))
    return changed


def _child(owner: Json, step: str | int) -> Json:
    if isinstance(owner, list):
        return owner[int(step)]
    return schema_of(owner)[str(step)]


def path_of(text: str) -> tuple[str | int, ...]:
    """Return the path for a string such as `stores/lake/type`."""
    return tuple(int(step) if step.isdigit() else step for step in text.split("/"))
