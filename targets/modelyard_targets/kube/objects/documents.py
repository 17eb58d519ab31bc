"""Check overridden JSON documents in ConfigMaps, which an API server does not validate."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from modelyard.source import Json
from modelyard.stack import Manifest
from modelyard_targets.kube.objects.object_fields import problems


def broken_documents(before: Manifest, after: Manifest) -> Iterator[str]:
    """Yield each reason why a changed document would be rejected at run time, with the path."""
    if before.get("kind") != "ConfigMap":
        return
    changed = _data(after)
    for name, text in _data(before).items():
        if name.endswith(".json") and changed.get(name) != text:
            yield from _problems(f"/data/{name}", json.loads(text), changed.get(name))


def _problems(path: str, before: Json, text: str | None) -> Iterator[str]:
    if text is None:
        yield f"{path} is required"
        return
    try:
        after: Json = json.loads(text)
    except ValueError:
        yield f"{path} must be JSON"
        return
    if not isinstance(before, dict):
        return
    if not isinstance(after, dict):
        yield f"{path} must be a JSON object"
        return
    for field in ("apiVersion", "kind"):
        if field in before and after.get(field) != before[field]:
            yield f"{path} must have {field} {before[field]}"
            return
    yield from (f"{path}: {problem}" for problem in problems(after))


def _data(manifest: Manifest) -> dict[str, str]:
    data = manifest.get("data")
    entries = data.items() if isinstance(data, Mapping) else ()
    return {str(name): text for name, text in entries if isinstance(text, str)}
