"""Find the keys and values in a document that a diagnostic points at."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from modelyard.source import Document, Json, Path, Span


def paths_at(document: Document, spans: Collection[Span]) -> Mapping[Span, tuple[Path, ...]]:
    """Map each span to the paths of its key or value: several for YAML aliases, none outside the document."""
    columns = {(span.column, span.end_column) for span in spans}
    paths: dict[Span, list[Path]] = {span: [] for span in spans}
    for path, numbers in _entries(document, document.value, ()):
        for at in range(0, len(numbers), 3):
            line, column, end = numbers[at : at + 3]
            if (column, end) in columns:
                paths.get(document.span((line, column, end)), []).append(path)
    root = document.span(document.root)
    if root in paths and not paths[root]:
        paths[root].append(())
    return {span: tuple(dict.fromkeys(at_span)) for span, at_span in paths.items()}


def _entries(document: Document, value: Json, path: Path) -> Iterator[tuple[Path, list[int]]]:
    """Yield every entry within a value, with the numbers of its spans."""
    if not isinstance(value, dict | list):
        return
    steps: list[str | int] = [*value] if isinstance(value, dict) else [*range(len(value))]
    children = value.values() if isinstance(value, dict) else value
    for step, child, numbers in zip(steps, children, document.spans.entries(value), strict=True):
        yield (*path, step), numbers
        yield from _entries(document, child, (*path, step))
