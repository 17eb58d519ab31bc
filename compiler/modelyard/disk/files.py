"""The files to write, and rules for their paths."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from unicodedata import normalize

from modelyard.records import field, record
from modelyard.stack import Facts

_LONGEST_PART = 255


@record
class Merged:
    """Our text merged with another tool's additions. `contradicts` means that some of our text was changed too."""

    data: bytes
    contradicts: bool
    added: tuple[str, ...] = ()


@record
class OutputFile:
    """An output file: its path with forward slashes, and a deterministic function that renders its bytes.

    If other tools also write to the file, `merge` takes the text on disk and our previously rendered text (empty if
    unknown). It returns the text to write, or None if it can't decide.

    If other files need facts about this file, rendering stores them in `facts`.
    """

    path: str
    render: Callable[[], bytes]
    merge: Callable[[bytes, bytes], Merged | None] | None = None
    facts: Facts | None = None


@record
class Tree:
    """All files for one target in one environment. `key` identifies the inputs that they were compiled from."""

    environment: str
    target: str
    files: Iterable[OutputFile]
    key: str


@record
class Report:
    """The sorted paths that were written to and removed from a tree, and the number of unchanged files."""

    written: tuple[str, ...]
    unchanged: int
    removed: tuple[str, ...]

    @property
    def total(self) -> int:
        """The number of our files that are now in the tree."""
        return len(self.written) + self.unchanged


NO_REPORT = Report((), 0, ())


@record(frozen=False)
class Paths:
    """The paths added to a tree. Rejects paths that leave the tree or would collide on any operating system."""

    _spelled: dict[str, str] = field(default_factory=dict[str, str])
    _files: set[str] = field(default_factory=set[str])
    _folders: set[str] = field(default_factory=set[str])

    def refuse(self, path: str) -> str:
        """Explain why a path conflicts with earlier paths, or return "" if it does not."""
        parts = path.split("/")
        for part in parts:
            if reason := _part_refused(part):
                return reason
        prefix = ""
        for position, part in enumerate(parts):
            prefix = f"{prefix}/{part}" if prefix else part
            if reason := self._met(prefix, is_file=position == len(parts) - 1):
                return reason
        return ""

    def _met(self, path: str, *, is_file: bool) -> str:
        folded = normalize("NFC", path).casefold()
        known = self._spelled.setdefault(folded, path)
        if known != path:
            return f"{known!r} differs from it only in spelling"
        if folded in self._files or (is_file and folded in self._folders):
            return "two files have this path, or one is a folder of the other"
        (self._files if is_file else self._folders).add(folded)
        return ""


def _part_refused(part: str) -> str:
    if part in {"", ".", ".."}:
        return "a part of it is empty, '.' or '..'"
    if "\\" in part or "\0" in part:
        return "it contains a backslash or a NUL character"
    try:
        encoded = part.encode("utf-8")
    except UnicodeEncodeError:
        return "it is not UTF-8 text"
    return "a part of it is longer than 255 bytes" if len(encoded) > _LONGEST_PART else ""


def name_refused(name: str) -> str:
    """Explain why an environment or target name cannot be used as a folder name, or return "" if it can."""
    if "/" in name or name.startswith("."):
        return "it begins with a dot or contains a slash"
    return _part_refused(name)


def write_new(path: str, data: bytes) -> None:
    """Create a file that must not exist yet."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)
