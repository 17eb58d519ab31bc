"""Captures still on a replica's disk. If a replica is killed, the next one on the machine uploads them.

Files are at `<folder>/<replica>/<day>/<file name in the store>/<number>.parquet`. A running replica holds a lock on
`<replica>.lock`, which the kernel releases when the process ends.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from modelyard_runtime.captures.kept_rows import Columns, Period, columns_of, parquet_of

_log = logging.getLogger(__name__)


def folder_of(destination: str) -> Path:
    """Return the folder where replicas on this machine store captures for a destination."""
    digest = hashlib.sha256(destination.encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"modelyard-captures-{os.getuid()}" / digest


class Segments:
    """The segments of this replica and those left by earlier replicas."""

    def __init__(self, folder: Path, replica: str) -> None:
        self._folder = folder
        self._replica = replica
        self._saved = 0
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path_of_lock(replica)
        self._lock = path.open("w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        if not path.exists():  # another replica treated it as abandoned and deleted it before we locked it
            raise FileNotFoundError(path)

    def save(self, period: Period, part: Columns) -> None:
        """Write part of a period to disk, where it survives a kill."""
        self._saved += 1
        folder = self._folder / self._replica / period.day / period.name
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        staged = folder / f"_{self._saved:08d}"
        staged.write_bytes(parquet_of(part))
        staged.replace(folder / f"{self._saved:08d}.parquet")

    def forget(self, period: Period) -> None:
        """Remove the segments of a period that has been written to the store."""
        shutil.rmtree(self._folder / self._replica / period.day / period.name, ignore_errors=True)

    def left(self) -> Iterator[Period]:
        """Yield the periods left behind by ended replicas. Each one is deleted when the next is requested."""
        for path in sorted(self._folder.glob("*.lock")):
            if path.stem == self._replica:
                continue
            with _locked(path) as ended:
                if ended:
                    yield from self._of(self._folder / path.stem)
                    shutil.rmtree(self._folder / path.stem, ignore_errors=True)
                    path.unlink(missing_ok=True)

    def close(self) -> None:
        """Stop, and leave any remaining segments for another replica to upload."""
        folder = self._folder / self._replica
        if not any(folder.rglob("*.parquet")):
            shutil.rmtree(folder, ignore_errors=True)
            self._path_of_lock(self._replica).unlink(missing_ok=True)
        self._lock.close()

    def _of(self, folder: Path) -> Iterator[Period]:
        for path in sorted(folder.glob("*/*")):
            parts = [part for file in sorted(path.glob("*.parquet")) if (part := _read(file)) is not None]
            if parts:
                yield Period(path.parent.name, path.name, parts)
            shutil.rmtree(path, ignore_errors=True)

    def _path_of_lock(self, replica: str) -> Path:
        return self._folder / f"{replica}.lock"


def _read(file: Path) -> Columns | None:
    try:
        return columns_of(file.read_bytes())
    except (OSError, ValueError) as problem:
        _log.warning("captures in %s cannot be read: %s", file, problem)
        return None


@contextmanager
def _locked(path: Path) -> Generator[bool]:
    """Yield whether the process holding a lock has ended. If so, this process holds the lock within the context."""
    with suppress(FileNotFoundError), path.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield path.exists()
        return
    yield False
