"""Files of this machine."""

from __future__ import annotations

import heapq
import os
import uuid
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import SplitResult, unquote

from modelyard_runtime.storage.protocols.driver import Driver, Entry
from modelyard_runtime.workload.records import Store


def opened(store: Store, uri: SplitResult) -> tuple[Driver, str]:
    """The disk, and the path of a URI on it."""
    return Disk(), unquote(uri.path).rstrip("/")


def variables(store: Store) -> dict[str, str]:
    """What MLflow opens artifacts with: nothing."""
    return {}


class Disk(Driver):
    """A disk of this machine."""

    local = True

    def __init__(self) -> None:
        from pyarrow import fs

        super().__init__(fs.LocalFileSystem())

    def first(self, path: str, most: int, after: str) -> list[Entry]:
        folder = Path(path)
        found: list[Entry] = []
        try:
            with os.scandir(folder) as entries:
                names = heapq.nsmallest(most, (one.name for one in entries if one.name > after))
        except FileNotFoundError:
            return []
        for name in names:
            file = folder / name
            if file.is_file():
                found.append(Entry(name, datetime.fromtimestamp(file.stat().st_mtime, UTC)))
        return found

    def write(self, path: str, content: bytes) -> None:
        """Written beside and renamed."""
        final = Path(path)
        final.parent.mkdir(parents=True, exist_ok=True)
        staged = final.with_name(f"_{uuid.uuid4().hex}")  # readers of datasets and captures pass over it
        try:
            write_durably(staged, content)
            staged.replace(final)
        finally:
            staged.unlink(missing_ok=True)


def write_durably(path: Path, content: bytes) -> None:
    """Write a file of a disk that may lose its power: it is on the disk before what follows says that it is there."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
