"""Source files, spans, and documents that store values together with their spans."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TypeAlias

from modelyard.patterns import pattern
from modelyard.records import field, record, replace

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"
"""The content of a spec: JSON values whose numbers are integers and finite floats."""

Container: TypeAlias = "dict[str, Json] | list[Json]"

Path: TypeAlias = tuple[str | int, ...]
"""The path from a document's root to a value: keys and list positions."""

_LINE_BREAK = pattern("\r\n|\r|\n")
_SMALL = 16
_WIDTH = {dict: 6, list: 3}


@record
class Span:
    """A range within a line. Lines and columns are 1-based, and the end column is exclusive.

    A range that covers several lines is reduced to its first character.
    """

    file: str
    line: int
    column: int
    end_column: int


@record
class SourceFile:
    """A source file: the path as typed by the user, and the text."""

    path: str
    text: str = field(repr=False)

    @classmethod
    def read(cls, path: str, content: str | bytes) -> SourceFile:
        """Decode a file without its byte order mark. Invalid UTF-8 is replaced with replacement characters."""
        text = content if isinstance(content, str) else content.decode("utf-8", "replace")
        return cls(path, text.removeprefix("\ufeff"))

    def lines(self) -> Lines:
        """Return the lines of the text, split at YAML's line breaks."""
        return Lines(self.text)


class Lines:
    """The lines of a text, without line breaks.

    Lines are extracted on demand; until then, only an eight-byte offset is stored for each.
    """

    __slots__ = ("_starts", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = array("Q", [0])
        self._starts.extend(match.end() for match in _LINE_BREAK.finditer(text))

    def __len__(self) -> int:
        return len(self._starts)

    def __getitem__(self, at: int) -> str:
        """Return the line at a zero-based index, or "" if there is no such line."""
        if not 0 <= at < len(self._starts):
            return ""
        end = self._starts[at + 1] if at + 1 < len(self._starts) else len(self._text)
        line = self._text[self._starts[at] : end]
        return line if at + 1 == len(self._starts) else line.rstrip("\r\n")


class Spans:
    """The spans of all keys and values in a document, stored in a few bytes each.

    The numbers of all entries are in a single array, indexed by the identity of the container. For each entry, in
    order, these are the line, column and end column of the key (in mappings), followed by those of the value. Lines are
    counted across all files of a document.
    """

    __slots__ = ("_numbers", "_positions", "_starts")

    def __init__(self) -> None:
        self._starts: dict[int, int] = {}
        self._numbers = array("I")
        self._positions: dict[int, dict[str, int]] = {}

    def record(self, container: Container, numbers: list[int]) -> None:
        """Record the numbers of all entries in a completed container."""
        self._starts[id(container)] = len(self._numbers)
        self._numbers.extend(numbers)

    def copy(self) -> Spans:
        """Copy the spans so that more spans can be added."""
        result = Spans()
        result._starts = self._starts.copy()
        result._numbers = self._numbers[:]
        return result

    def move(self, container: Container, lines: int) -> None:
        """Move the spans of everything in a container down by a number of lines. The container must not be empty."""
        end = self._starts[id(container)] + _WIDTH[container.__class__] * len(container)
        start = self._starts[id(_first_recorded(container))]
        self._numbers[start:end:3] = array("I", map(lines.__add__, self._numbers[start:end:3]))

    def adopt(self, value: Json, other: Spans, lines: int) -> None:
        """Add the spans of everything in a value from another document, moved down by a number of lines."""
        _append(value, other, self, lines, set())

    def entries(self, container: Container) -> list[list[int]]:
        """Return the recorded numbers of each entry."""
        width = _WIDTH[container.__class__]
        start = self._starts.get(id(container), 0)
        return [self._numbers[at : at + width].tolist() for at in range(start, start + width * len(container), width)]

    def entry(self, container: Container, step: str | int) -> tuple[int, ...]:
        """Return the span numbers of the entry at a key or position, which must exist."""
        width = _WIDTH[container.__class__]
        at = self._starts[id(container)] + width * self._position(container, step)
        return tuple(self._numbers[at : at + width])

    def _position(self, container: Container, step: str | int) -> int:
        if isinstance(step, int):
            return step
        assert isinstance(container, dict)
        if len(container) <= _SMALL:
            return list(container).index(step)
        positions = self._positions.get(id(container))
        if positions is None:
            positions = self._positions[id(container)] = {key: at for at, key in enumerate(container)}
        return positions[step]


@record
class Repeat:
    """Where a repeated entry comes from: the key of its definition, and the list and row it was repeated for."""

    key: str
    list: str
    row: str
    place: Span  # of the row


@record(eq=False)
class Document:
    """A spec as JSON values, with the span of every key and value.

    `first_lines` holds the line number where each file of a merged document begins. `deleted` holds the locations where
    an environment deletes parts of the base, and `overlaid` holds the paths of values that the environment sets.
    `aside` holds the paths of entries that exist but were removed because of errors. `repeated` holds, by path, the
    entries created for a row of a list. `separable` is the number of values if the document is a single file without
    YAML anchors, so that another version of the file can reuse entries, and otherwise 0.
    """

    value: dict[str, Json]
    files: tuple[SourceFile, ...]
    spans: Spans = field(repr=False)
    root: tuple[int, int, int] = (1, 1, 2)
    first_lines: tuple[int, ...] = (0,)
    deleted: Mapping[Path, Span] = field(default_factory=dict[Path, Span])
    overlaid: AbstractSet[Path] = frozenset()
    aside: AbstractSet[Path] = frozenset()
    repeated: Mapping[Path, Repeat] = field(default_factory=dict[Path, Repeat])
    separable: int = 0

    def key_span(self, path: Path) -> Span:
        """Return the span of the last key in `path`, or of the value at that position for a list.

        If the path doesn't exist, returns the span of its nearest existing ancestor.
        """
        numbers = self._numbers(path)
        return self.span(numbers[:3])

    def value_span(self, path: Path) -> Span:
        """Return the span of the value at `path`, or of its nearest existing ancestor if there is no such path."""
        numbers = self._numbers(path)
        return self.span(numbers[-3:])

    def span(self, numbers: tuple[int, ...]) -> Span:
        """Convert a line, column and end column into a span in the right file."""
        line, column, end = numbers
        at = len(self.files) - 1
        while self.first_lines[at] >= line:
            at -= 1
        return Span(self.files[at].path, line - self.first_lines[at], column, end)

    def numbers(self, span: Span) -> tuple[int, int, int]:
        """Return the line, column and end column of a span in one of the files. This is the inverse of `span`."""
        at = next(at for at, file in enumerate(self.files) if file.path == span.file)
        return span.line + self.first_lines[at], span.column, span.end_column

    def _numbers(self, path: Path) -> tuple[int, ...]:
        value: Json = self.value
        deepest: tuple[Container, str | int] | None = None
        for step in path:
            if not isinstance(value, dict | list) or not _has(value, step):
                break
            deepest = (value, step)
            value = _child(value, step)
        return self.spans.entry(*deepest) if deepest else self.root


def _has(container: Container, step: str | int) -> bool:
    if isinstance(container, dict):
        return step in container
    return isinstance(step, int) and 0 <= step < len(container)


def _child(container: Container, step: str | int) -> Json:
    if isinstance(container, dict):
        assert isinstance(step, str)
        return container[step]
    assert isinstance(step, int)
    return container[step]


def _first_recorded(container: Container) -> Container:
    """Return the container that was completed first among those in a container, which may be the container itself."""
    for child in container.values() if isinstance(container, dict) else container:
        if isinstance(child, dict | list) and child:
            return _first_recorded(child)
    return container


def with_file(document: Document, file: SourceFile) -> Document:
    """Add a file that contains the sources of some of the document's values."""
    first_line = document.first_lines[-1] + len(document.files[-1].lines())
    return replace(document, files=(*document.files, file), first_lines=(*document.first_lines, first_line))


def appended(document: Document, extra: Document) -> Document:
    """Append another document's spans and files to this document.

    The value is unchanged, but parts of the other document's value can be inserted afterwards.
    """
    first_line = document.first_lines[-1] + len(document.files[-1].lines())
    spans = document.spans.copy()
    _append(extra.value, extra.spans, spans, first_line, set())
    files = (*document.files, *extra.files)
    first_lines = (*document.first_lines, *(first_line + line for line in extra.first_lines))
    return Document(document.value, files, spans, document.root, first_lines)


def _append(value: Json, spans: Spans, to: Spans, first_line: int, seen: set[int]) -> None:
    if not isinstance(value, dict | list) or not value or id(value) in seen:
        return
    seen.add(id(value))
    numbers = [number for entry in spans.entries(value) for number in entry]
    numbers[::3] = [line + first_line for line in numbers[::3]]
    to.record(value, numbers)
    for child in value.values() if isinstance(value, dict) else value:
        _append(child, spans, to, first_line, seen)
