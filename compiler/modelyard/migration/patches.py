"""JSON Merge Patches (RFC 7396) between documents, which the new side uses as overlays."""

from __future__ import annotations

from collections.abc import Mapping

from modelyard.source import Json, Path


def merged(base: Json, patch: Json) -> Json:
    """Return a document with a patch applied. Neither argument is changed."""
    if not isinstance(patch, dict):
        return patch
    result = dict(base) if isinstance(base, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result


def difference(base: Mapping[str, Json], target: Mapping[str, Json]) -> dict[str, Json]:
    """Return the smallest patch from one document to another. The target must not contain null."""
    patch: dict[str, Json] = {key: None for key in base if key not in target}
    for key, value in target.items():
        before = base.get(key)
        if key in base and value == before and _same_type(value, before):
            continue
        is_nested = isinstance(value, dict) and isinstance(before, dict)
        patch[key] = difference(before, value) if is_nested else value  # type: ignore[arg-type] # both are mappings
    return patch


def with_value(document: Mapping[str, Json], path: Path, value: Json) -> dict[str, Json]:
    """Return a document with the value at a path set, or removed if it is None. The path's parents must exist."""
    patch: Json = value
    for step in reversed(path):
        patch = {str(step): patch}
    result = merged(dict(document), patch)
    assert isinstance(result, dict)
    return result


def _same_type(value: Json, other: Json) -> bool:
    return isinstance(value, bool) == isinstance(other, bool)
