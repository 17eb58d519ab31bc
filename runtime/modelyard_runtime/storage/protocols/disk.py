"""The driver for files on this machine."""

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
    """Return the driver for local files, and the path in a URI."""
    return Disk(), unquote(uri.path).rstrip("/")


def variables(store: Store) -> dict[str, str]:
    """Return no environment variables for MLflow, because none are needed."""
    return {}


class Disk(Driver):
    """Files on this machine's disk."""

    local = True

    def __init__(self) -> None:
        from pyarrow import fs

        super().__init__(fs.LocalFileSystem())

    def first(self, path: str, most: int, after: str) -> list[Entry]:
        folder = Path(path)
        results: list[Entry] = []
        try:
            with os.scandir(folder) as entries:
                names = heapq.nsmallest(most, (entry.name for entry in entries if entry.name > after))
        except FileNotFoundError:
            return []
        for name in names:
            file = folder / name
            if file.is_file():
                results.append(Entry(name, datetime.fromtimestamp(file.stat().st_mtime, UTC)))
        return results

    def write(self, path: str, content: bytes) -> None:
        """Write to a temporary file in the same folder, and rename it."""
        final = Path(path)
        final.parent.mkdir(parents=True, exist_ok=True)
        staged = final.with_name(f"_{uuid.uuid4().hex}")  # readers of datasets and captures skip this name
        try:
            write_durably(staged, content)
            staged.replace(final)
        finally:
            staged.unlink(missing_ok=True)


def write_durably(path: Path, content: bytes) -> None:
    """Write a file and flush it to disk, so that it survives a power failure once the call has returned."""
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
