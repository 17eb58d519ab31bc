"""Load a file that resembles one that is already loaded, by parsing only the entries with different text.

Two versions of a spec usually differ in a few entries, and parsing takes a quarter of the time of `validate`. Files are
divided at lines that begin with a key of the root, and sections at lines that begin with the name of an entry, indented
by two spaces. In the loaded file, such a line is known to begin a key. In the other file it does so, too: the text
before it is the same in both files or has been parsed by itself, so no string, bracket or comment is open. Files for
which this may not hold are not divided, and so have to be parsed as a whole.
"""

from __future__ import annotations

from itertools import pairwise
from re import Pattern
from typing import Final

from modelyard.load.builder import Builder, Limits
from modelyard.patterns import pattern
from modelyard.records import record
from modelyard.source import Document, Json, SourceFile

_KEY: Final = pattern(r"\n(?=[A-Za-z])")
_ENTRY: Final = pattern(r"\n(?=  [A-Za-z])")
_MARKER: Final = pattern(r"\n(?:---|\.\.\.|%)")
_EXPLICIT_KEY: Final = pattern(r"\n[ :?-]*\?[ \n]")
_SECTION: Final = "section:\n"


@record
class _Block:
    """The text of a key and its value, and the line where it begins, counted from 1."""

    text: str
    line: int


@record
class _Known:
    """A key in the loaded file with the numbers of its spans (see `Spans`)."""

    block: _Block
    key: str
    value: Json
    numbers: list[int]


class _Parts:
    """The entries of a new container, and the numbers of their spans."""

    def __init__(self) -> None:
        self.value: dict[str, Json] = {}
        self.numbers: list[int] = []

    def add(self, key: str, value: Json, numbers: list[int], lines: int) -> bool:
        """Add an entry whose spans move by a number of lines. Returns False if the key already exists."""
        if key in self.value:
            return False
        self.value[key] = value
        line, column, end, value_line, value_column, value_end = numbers
        self.numbers += (line + lines, column, end, value_line + lines, value_column, value_end)
        return True


def reused(source: SourceFile, like: Document, limits: Limits) -> Document | None:
    """Load a file using the values of equal entries in a loaded file. Returns None if it has to be parsed."""
    if not like.separable or len(like.files) != 1 or any(_is_unusual(file.text) for file in (source, *like.files)):
        return None
    (old_head, *old), (head, *new) = _divided(like.files[0].text, _KEY), _divided(source.text, _KEY)
    known = _known(like.value, old, like, 1)
    if len(known) < 2 or len(new) < 2 or head.text != old_head.text or known[0].numbers[:2] != list(like.root[:2]):
        return None
    reuse = _Reuse(source.path, like, limits)
    root = _Parts()
    first_lines = {_first_line(item.block): item for item in known}
    if not all(reuse.add_key(root, block, first_lines.get(_first_line(block))) for block in new):
        return None
    reuse.spans.record(root.value, root.numbers)
    return Document(root.value, (source,), reuse.spans, like.root, separable=reuse.values)


class _Reuse:
    """The spans and the number of values of the new document. The methods return whether reuse is still possible."""

    def __init__(self, path: str, like: Document, limits: Limits) -> None:
        self.spans = like.spans.copy()
        self.values = like.separable
        self._path = path
        self._like = like
        self._limits = limits

    def add_key(self, root: _Parts, block: _Block, known: _Known | None) -> bool:
        """Add a key of the root. `known` is the loaded file's key with the same first line, if there is one."""
        if known is None:
            return self._parsed(root, block, "")
        if known.block.text == block.text:
            return self._moved(root, block, known)
        (old_head, *old), (head, *new) = (_divided(each.text, _ENTRY, each.line) for each in (known.block, block))
        entries = _known(known.value, old, self._like, 3)
        if not entries or not new or head.text != old_head.text or known.numbers[3:5] != entries[0].numbers[:2]:
            return self._parsed(root, block, "")
        texts = {entry.block.text: entry for entry in entries}
        section = _Parts()
        if not all(self._add_entry(section, entry, texts.get(entry.text)) for entry in new):
            return False
        self.spans.record(section.value, section.numbers)
        return root.add(known.key, section.value, known.numbers, block.line - known.block.line)

    def _add_entry(self, section: _Parts, block: _Block, known: _Known | None) -> bool:
        return self._parsed(section, block, _SECTION) if known is None else self._moved(section, block, known)

    def _moved(self, parts: _Parts, block: _Block, known: _Known) -> bool:
        """Add a key with its value in the loaded file."""
        lines = block.line - known.block.line
        if lines and isinstance(known.value, dict | list) and known.value:
            self.spans.move(known.value, lines)
        return parts.add(known.key, known.value, known.numbers, lines)

    def _parsed(self, parts: _Parts, block: _Block, above: str) -> bool:
        """Parse the text of a single key by itself, below the given line, and add it."""
        builder = Builder(SourceFile(self._path, above + block.text), self._limits)
        value = builder.document()
        if above and isinstance(value, dict):
            value = value.get(above.rstrip(":\n"))
        self.values += builder.separable
        if not builder.separable or builder.diagnostics or self.values > self._limits.values:
            return False
        if not isinstance(value, dict) or len(value) != 1:
            return False
        ((key, child),), (numbers,) = value.items(), builder.spans.entries(value)
        if numbers[:2] != ([2, 3] if above else [1, 1]):
            return False
        lines = block.line - numbers[0]
        self.spans.adopt(child, builder.spans, lines)
        return parts.add(key, child, numbers, lines)


def _is_unusual(text: str) -> bool:
    """Return whether a file may contain several documents, or text whose end depends on what follows."""
    if "\r" in text or not text.endswith("\n") or text.startswith("%") or _MARKER.search(text):
        return True
    return "?" in text and _EXPLICIT_KEY.search(text) is not None


def _divided(text: str, boundary: Pattern[str], line: int = 1) -> list[_Block]:
    """Divide text that begins at the given line. The first block is the text before the first boundary."""
    starts = [match.end() for match in boundary.finditer(text)]
    if boundary is _KEY and text[:1].isascii() and text[:1].isalpha():
        starts.insert(0, 0)
    blocks: list[_Block] = []
    for begin, end in pairwise((0, *starts, len(text))):
        blocks.append(_Block(text[begin:end], line))
        line += blocks[-1].text.count("\n")
    return blocks


def _known(value: Json, blocks: list[_Block], like: Document, column: int) -> list[_Known]:
    """Return a container's entries if each block begins with the key of one of them, otherwise an empty list."""
    if not isinstance(value, dict) or len(value) != len(blocks):
        return []
    numbers = like.spans.entries(value)
    if any([block.line, column] != entry[:2] for block, entry in zip(blocks, numbers, strict=True)):
        return []
    return [_Known(*parts) for parts in zip(blocks, value.keys(), value.values(), numbers, strict=True)]


def _first_line(block: _Block) -> str:
    return block.text.partition("\n")[0]
