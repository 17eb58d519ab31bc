"""The files next to the spec: which ones a rehearsal copies or links, and a hash to detect changes."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.files import unreadable
from modelyard.migration.records import BUILD
from modelyard.source import Span

PLAN: Final = "migration"
"""The migration plan's folder in the copy of the spec's folder."""

_ENVIRONMENTS: Final = "environments"
_CHUNK: Final = 1 << 20


class Unreadable(Exception):
    """Raised if a file or folder next to the spec cannot be read. The diagnostics explain the reason."""

    def __init__(self, path: Path, problem: OSError) -> None:
        reason = problem.strerror or "it cannot be read"
        self.problems: tuple[Diagnostic, ...] = (unreadable(Span(str(path), 1, 1, 1), reason, no_spec=False),)
        super().__init__(self.problems[0].message)


def made_from(source: Path, *plan: str) -> str:
    """Return a hash of a migration plan and of the files next to the spec that its commands use."""
    total = hashlib.sha256()
    for text in plan:
        total.update(hashlib.sha256(text.encode()).digest())
    for path in _files(source):
        total.update(f"{path.relative_to(source)}\0".encode("utf-8", "surrogateescape"))
        total.update(_digest(path))
    return total.hexdigest()


def copy_system(source: Path, into: Path) -> None:
    """Copy the files next to the spec. Folders are linked, except `environments`, which commands change."""
    if into.exists():
        return
    staged = into.with_name(f".{into.name}")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    for entry in _entries(source):
        if entry.name == _ENVIRONMENTS and entry.is_dir():
            _copy_folder(entry, staged / entry.name)
        elif entry.is_file():
            shutil.copy(entry, staged / entry.name)
        else:
            (staged / entry.name).symlink_to(entry.resolve())
    staged.rename(into)


def _copy_folder(source: Path, into: Path) -> None:
    """Copy the files in a folder that are part of the hash."""
    into.mkdir()
    for path in _below(source):
        copied = into / path.relative_to(source)
        copied.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, copied)


def _files(source: Path) -> Iterator[Path]:
    """Yield the copied files, and the Python files in linked folders."""
    for entry in _entries(source):
        if entry.is_file():
            yield entry
        elif entry.is_dir() and entry.name == _ENVIRONMENTS:
            yield from _below(entry)
        elif entry.is_dir():
            yield from (path for path in _below(entry, is_copied=False) if path.name.endswith(".py"))


def _entries(source: Path) -> Iterator[Path]:
    """Yield the files and folders next to the spec that a rehearsal copies or links, in order."""
    with _reading(source):
        entries = sorted(source.iterdir())
    for entry in entries:
        if not entry.name.startswith(".") and entry.name not in {BUILD, PLAN}:
            yield entry


def _below(folder: Path, is_copied: bool = True) -> Iterator[Path]:
    """Yield the files below a folder, except those in hidden folders and virtual environments.

    Folders that are only linked may contain subfolders that the current user cannot read.
    """
    for root, folders, files in os.walk(folder, onerror=_refuse if is_copied else None):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (path for name in sorted(files) if (path := Path(root, name)).is_file())


def _refuse(problem: OSError) -> None:
    raise Unreadable(Path(problem.filename), problem)


def _digest(path: Path) -> bytes:
    digest = hashlib.sha256()
    with _reading(path), path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            digest.update(chunk)
    return digest.digest()


@contextmanager
def _reading(path: Path) -> Generator[None]:
    """Raise the operating system's errors as Unreadable, with the given path."""
    try:
        yield
    except OSError as problem:
        raise Unreadable(path, problem) from problem
