"""Find where a spec sets a value, even if it uses a short form or inherits the value from another field."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.review.values import Steps
from modelyard.source import Json, Path, Span
from modelyard.spec import System


def span_of(system: System, path: Steps) -> Span | None:
    """Return the span of the value at a path, falling back to the field it's inherited from or an ancestor."""
    document = system.document
    for candidate in _candidates(path):
        existing = _resolved_path(document.value, candidate)
        if existing is not None:
            return document.value_span(existing)
    nearest = _nearest(document.value, path)
    return document.key_span(nearest) if nearest else None


def is_written(system: System, path: Steps) -> bool:
    """Return whether the spec sets a value at this path or at the field it is inherited from."""
    return any(_resolved_path(system.document.value, candidate) is not None for candidate in _candidates(path))


def _candidates(path: Steps) -> Iterator[Steps]:
    """Yield the paths where a spec may set the value at the given path, most specific first."""
    yield path
    if path[:2] == ("deployment", "targets") and len(path) > 3:
        yield ("deployment", *path[3:])
    if len(path) > 4 and path[2] in {"variants", "steps"}:
        yield (*path[:2], *path[4:])
    if len(path) > 1 and path[-1] in {"min", "max"}:
        yield from _candidates(path[:-1])


def _resolved_path(value: Json, path: Steps) -> Path | None:
    """Return the path with list indices as integers, or None if it doesn't exist in the document."""
    steps: list[str | int] = []
    for step in path:
        if isinstance(value, dict) and step in value:
            value = value[step]
            steps.append(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
            steps.append(int(step))
        else:
            return None
    return tuple(steps)


def _nearest(value: Json, path: Steps) -> Path | None:
    for candidate in _ancestors(path):
        existing = _resolved_path(value, candidate)
        if existing is not None:
            return existing
    return None


def _ancestors(path: Steps) -> Iterator[Steps]:
    """Yield a path's ancestors, nearest first. A target in short form has its fields in `deployment`."""
    for length in range(len(path) - 1, 0, -1):
        yield path[:length]
        if path[:2] == ("deployment", "targets") and length > 3:
            yield ("deployment", *path[3:length])
