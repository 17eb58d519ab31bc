"""Files to write, and the rules for their paths."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from unicodedata import normalize

from modelyard.records import field, record

_LONGEST_PART = 255


@record
class Merged:
    """Our text with others' additions, by name; `contradicts` means that they also changed something of ours."""

    data: bytes
    contradicts: bool
    added: tuple[str, ...] = ()


@record
class OutputFile:
    """One file: its path with forward slashes, and a function for its bytes, which always returns the same.

    A file that other tools write to as well has `merge`. It takes the text on disk and the text that we rendered last
    time (empty if unknown), and returns the text to write, or None if it cannot decide.
    """

    path: str
    render: Callable[[], bytes]
    merge: Callable[[bytes, bytes], Merged | None] | None = None


@record
class Tree:
    """All files of one target of one environment; the key identifies their inputs."""

    environment: str
    target: str
    files: Iterable[OutputFile]
    key: str


@record
class Report:
    """The sorted paths of a tree that were written and removed, and how many files were unchanged."""

    written: tuple[str, ...]
    unchanged: int
    removed: tuple[str, ...]

    @property
    def total(self) -> int:
        """The number of our files in the tree now."""
        return len(self.written) + self.unchanged


NO_REPORT = Report((), 0, ())


@record(frozen=False)
class Paths:
    """The paths of one tree so far; refuses those that would leave it or collide with another on some system."""

    _spelled: dict[str, str] = field(default_factory=dict[str, str])
    _files: set[str] = field(default_factory=set[str])
    _folders: set[str] = field(default_factory=set[str])

    def refuse(self, path: str) -> str:
        """Why a path cannot be written next to the earlier ones; empty if it can."""
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
    """Why the name of an environment or target cannot be a folder; empty if it can."""
    if "/" in name or name.startswith("."):
        return "it begins with a dot or contains a slash"
    return _part_refused(name)


def write_new(path: str, data: bytes) -> None:
    """Creates a file, which must not exist yet."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o666)
    try:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(file, rest) :]
    finally:
        os.close(file)
