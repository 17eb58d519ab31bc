"""A spool, which keeps files on this disk until the store is reachable again.

Its size is limited. When it's full, the oldest files are dropped and their rows are counted. Another process on the
same disk may upload the files of a process that has ended. Uploading a file twice is harmless, since its name stays the
same.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from modelyard_runtime.storage.filesystem import Place, local, write_once, write_whole
from modelyard_runtime.workload.records import Capture

WAITING: Final = "modelyard_captures_waiting_bytes"
DROPPED: Final = "modelyard_captures_dropped_rows"

_log = logging.getLogger(__name__)


class Spool:
    """The spooled files in a folder. Each file's path is its path in the store plus its number of rows."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self._folder = folder
        self._most_bytes = most_bytes
        self.dropped_rows = 0

    def keep(self, path: str, content: bytes, rows: int) -> None:
        """Add a file for `path` in the store, dropping the oldest files to make room."""
        if len(content) > self._most_bytes:
            self._drop(rows, f"a file of {len(content)} bytes")
            return
        self._make_room(self._most_bytes - len(content))
        write_whole(local(self._folder / f"{path}.{rows}"), content)

    def forward(self, store: Place) -> int:
        """Upload the waiting files, oldest first, and return how many were uploaded.

        Raises OSError if the store is unreachable.
        """
        count = 0
        for waiting in self._waiting():
            target = store.below(*_path_of(waiting.relative_to(self._folder)))
            try:
                content = waiting.read_bytes()
            except FileNotFoundError:  # another process on this disk has already uploaded it
                continue
            write_once(target, content)
            waiting.unlink(missing_ok=True)
            count += 1
        return count

    def waiting_bytes(self) -> int:
        """Return the total size of the waiting files in bytes."""
        return sum(size for _, size in self._sizes())

    def _make_room(self, most_bytes: int) -> None:
        sizes = list(self._sizes())
        total = sum(size for _, size in sizes)
        for path, size in sizes:
            if total <= most_bytes:
                return
            path.unlink(missing_ok=True)
            self._drop(int(path.suffix[1:]), path.name)
            total -= size

    def _drop(self, rows: int, what: str) -> None:
        self.dropped_rows += rows
        _log.warning("dropping %s with %d captured rows: the spool for the store is full", what, rows)

    def _sizes(self) -> Iterator[tuple[Path, int]]:
        for path in self._waiting():
            try:
                yield path, path.stat().st_size
            except FileNotFoundError:
                continue

    def _waiting(self) -> list[Path]:
        """Return the waiting files, oldest first, sorted by the day in their path and then by modification time."""
        entries: list[tuple[str, int, Path]] = []
        for path in self._folder.rglob("*.*"):
            if path.name.startswith(".") or not path.suffix[1:].isdigit():
                continue
            try:
                entries.append((path.parent.parent.name, path.stat().st_mtime_ns, path))
            except FileNotFoundError:
                continue
        return [path for _, _, path in sorted(entries)]


class CaptureMetrics:
    """Ray metrics for waiting bytes and dropped rows, which are scraped with the prefix `ray_`."""

    def __init__(self, spool: Spool | None, variant: str) -> None:
        from ray.util.metrics import Counter, Gauge

        self._spool = spool
        self._counted = 0
        self._waiting: Any = None
        self._dropped: Any = Counter(DROPPED, description="Captured rows that were dropped.", tag_keys=("variant",))
        self._dropped.set_default_tags({"variant": variant})
        if spool is not None:
            self._waiting = Gauge(WAITING, description="Captures waiting for their store.", tag_keys=("variant",))
            self._waiting.set_default_tags({"variant": variant})

    def dropped(self, rows: int) -> None:
        """Count dropped rows."""
        self._dropped.inc(rows)

    def tell(self) -> None:
        """Set the metrics to the current state of the spool."""
        if self._spool is None:
            return
        self._waiting.set(self._spool.waiting_bytes())
        dropped, self._counted = self._spool.dropped_rows - self._counted, self._spool.dropped_rows
        if dropped:
            self._dropped.inc(dropped)


def spool_of(capture: Capture) -> Spool | None:
    """Create the spool described in `capture`, or return None if captures are written directly to their store."""
    described = capture.spool
    return Spool(Path(described.folder), described.max_bytes) if described is not None else None


def _path_of(waiting: Path) -> tuple[str, ...]:
    """Return a file's path in the store, i.e. its path in the spool without the number of rows."""
    return waiting.with_suffix("").parts
