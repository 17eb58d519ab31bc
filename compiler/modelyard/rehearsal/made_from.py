"""Hash everything that a rehearsal is made from. Another hash is another rehearsal, which starts over."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from modelyard.rehearsal.layout import ENVIRONMENTS, copied_entries

_CHUNK: Final = 1 << 20


def made_from(source: Path, *plan: str) -> str:
    """Return a hash of a plan's texts, and of the files next to the spec that it runs with."""
    total = hashlib.sha256()
    for text in plan:
        total.update(hashlib.sha256(text.encode()).digest())
    for path in _files(source):
        total.update(f"{path.relative_to(source)}\0".encode("utf-8", "surrogateescape"))
        total.update(_digest(path))
    return total.hexdigest()


def _files(source: Path) -> Iterator[Path]:
    """Yield the files that are copied, and the Python code in folders that are linked."""
    for entry in copied_entries(source):
        if entry.is_file():
            yield entry
        elif entry.is_dir():
            suffix = "" if entry.name == ENVIRONMENTS else ".py"
            yield from (path for path in _below(entry) if path.name.endswith(suffix))


def _below(folder: Path) -> Iterator[Path]:
    """Yield the files below a folder, except those of hidden folders and virtual environments."""
    for root, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        yield from (path for name in sorted(files) if (path := Path(root, name)).is_file())


def _digest(path: Path) -> bytes:
    one = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(_CHUNK):
            one.update(chunk)
    return one.digest()
