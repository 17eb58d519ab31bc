"""Stores requests and predictions for monitors, buffering them so that requests never wait for the store."""

from __future__ import annotations

import logging
import os
import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from random import SystemRandom
from typing import TYPE_CHECKING, Any

from modelyard_runtime.captures.kept_rows import (
    CAPTURED_AT,
    MODEL_VERSION,
    OWN_COLUMNS,
    PREDICTION,
    REQUEST_ID,
    SCORE,
    CapturedRequest,
    Columns,
    Period,
    Selection,
    joined,
    parquet_of,
)
from modelyard_runtime.captures.segments import Segments, folder_of
from modelyard_runtime.models.answers import Answer
from modelyard_runtime.storage.filesystem import Place, listed, place, remove_folder, write_once
from modelyard_runtime.storage.spool import CaptureMetrics, spool_of
from modelyard_runtime.workload.records import Capture, Workload

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CAPTURED_AT", "MODEL_VERSION", "OWN_COLUMNS", "PREDICTION", "REQUEST_ID", "SCORE", "Captures", "old_days"]

_FLUSH_S = float(os.environ.get("MODELYARD_FLUSH_S", "30"))  # on one machine, monitors need not wait as long
_SAVE_S = 0.5  # a kill loses at most the captures within this period
_MOST_WAITING = 50_000  # number of rows, because an unreachable store must not fill a server's memory
_EXPIRE_EVERY = timedelta(hours=1)
_log = logging.getLogger(__name__)


class Captures:
    """The captures of one replica, stored in `<uri>/day=<day>/variant=<variant>/`.

    Rows are saved to the replica's disk twice a second, and flushed from memory to the store twice a minute. If a
    replica is killed, the next replica on the machine uploads the rows left on disk.
    """

    def __init__(self, workload: Workload, capture: Capture, variant: str, flush_s: float = _FLUSH_S) -> None:
        self.keys = capture.keys
        self._place = place(workload, capture.uri, capture.store)
        self._fraction = capture.fraction
        self._selection = Selection(frozenset(capture.columns), frozenset(capture.redact))
        self._retain_s = capture.retain_seconds
        self._spool = spool_of(capture)
        self._metrics = CaptureMetrics(self._spool, variant)
        self._variant = variant
        self._replica = uuid.uuid4().hex[:12]
        self._segments = _segments(f"{capture.uri} {variant}", self._replica)
        self._chance = SystemRandom()
        self._new: deque[CapturedRequest] = deque()
        self._open: list[Period] = []
        self._full: list[Period] = []
        self._lock = threading.Lock()  # protects state that requests change
        self._saving = threading.Lock()  # protects periods that are still receiving rows
        self._writing = threading.Lock()  # held while files are written to the store
        self._rows = 0
        self._dropped = 0
        self._begun = 0
        self._expired_at = datetime.min.replace(tzinfo=UTC)
        self._flush_s = flush_s
        self._ended = threading.Event()
        self._threads = [
            threading.Thread(target=run, name="captures", daemon=True) for run in (self._run, self._save_often)
        ]
        for thread in self._threads:
            thread.start()

    def keep(
        self,
        request_id: str,
        rows: pd.DataFrame,
        answer: Answer,
        version: str,
        keys: Mapping[str, Sequence[Any]] | None = None,
    ) -> None:
        """Keep a request's rows if it is sampled. Sampling is random and doesn't depend on the request's content.

        The call is cheap, as it writes nothing to disk or to the store.
        """
        if self._chance.random() >= self._fraction:
            return
        if len(answer.values) != len(rows):
            _log.warning(
                "request %s is not captured: %d predictions for %d rows", request_id, len(answer.values), len(rows)
            )
            return
        with self._lock:
            if self._rows + len(rows) > _MOST_WAITING:
                self._dropped += len(rows)
                return
            self._rows += len(rows)
            self._new.append(CapturedRequest(request_id, datetime.now(UTC), rows, keys or {}, answer, version))

    def save(self) -> None:
        """Save new rows to disk, waiting for any other thread that is saving so that a flush never misses rows."""
        with self._saving:
            with self._lock:
                new, self._new = self._new, deque()
            by_day: dict[str, list[CapturedRequest]] = {}
            for request in new:
                by_day.setdefault(request.at.strftime("%Y-%m-%d"), []).append(request)
            for day, requests in by_day.items():
                self._save(day, requests)

    def _save(self, day: str, requests: list[CapturedRequest]) -> None:
        part = self._columns(requests)
        if part is None:
            return
        period = self._period(day)
        period.parts.append(part)
        if self._segments is not None:
            self._attempt(partial(self._segments.save, period, part))

    def _columns(self, requests: list[CapturedRequest]) -> Columns | None:
        """Convert requests to columns, dropping any that can't be captured. Returns None if no columns are left."""
        try:
            return self._selection.of(requests)
        except Exception:  # noqa: BLE001 - values can have any type, so conversion can raise any error
            if len(requests) == 1:
                _log.exception("request %s cannot be captured", requests[0].request_id)
                self._drop(len(requests[0].rows))
                return None
        parts = [part for request in requests if (part := self._columns([request])) is not None]
        return joined(parts) if parts else None

    def flush(self) -> None:
        """Write pending rows to the store.

        On failure, they stay on disk if there is a spool, or in memory otherwise.
        """
        self.save()
        self._tell_dropped()
        with self._saving:
            self._full += self._open
            self._open = []
        with self._writing:
            while self._full:
                self._flush(self._full[0])
                del self._full[0]

    def _flush(self, period: Period) -> None:
        self._write(period)
        with self._lock:
            self._rows -= period.count
        if self._segments is not None:
            self._segments.forget(period)

    def close(self) -> None:
        """Write pending rows and stop."""
        self._ended.set()
        for thread in self._threads:
            thread.join(timeout=30)

    def _save_often(self) -> None:
        """Save from a separate thread, since the flushing thread may be waiting for a slow store."""
        while not self._ended.wait(_SAVE_S):
            self._attempt(self.save)

    def _run(self) -> None:
        self._attempt(self._bring)
        while not self._ended.wait(self._flush_s):
            self.attempt()
        self.attempt()
        if self._segments is not None:
            self._segments.close()

    def attempt(self) -> None:
        """Write pending rows and delete expired days. If the store is unreachable, this is retried later."""
        self._attempt(self._all)
        self._metrics.tell()

    def _attempt(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (OSError, ValueError) as problem:
            _log.warning("captures cannot be written: %s", problem)

    def _all(self) -> None:
        self.flush()
        self._bring()
        if self._spool is not None:
            self._spool.forward(self._place)
        self._expire(datetime.now(UTC))

    def _bring(self) -> None:
        """Upload rows left on this disk by killed replicas, skipping files that were already uploaded."""
        with self._writing:
            for period in self._segments.left() if self._segments is not None else ():
                self._write(period)
                _log.info("uploading %d captured rows of a replica that was killed", period.count)

    def _period(self, day: str) -> Period:
        period = next((candidate for candidate in self._open if candidate.day == day), None)
        if period is None:
            self._begun += 1
            period = Period(day, f"{self._replica}-{self._begun:08d}")
            self._open.append(period)
        return period

    def _write(self, period: Period) -> None:
        content, name = parquet_of(joined(period.parts)), f"{period.name}.parquet"
        if self._spool is not None:
            self._spool.keep(f"day={period.day}/variant={self._variant}/{name}", content, period.count)
            return
        write_once(self._place.below(f"day={period.day}", f"variant={self._variant}", name), content)

    def _drop(self, rows: int) -> None:
        with self._lock:
            self._dropped += rows
            self._rows -= rows

    def _tell_dropped(self) -> None:
        with self._lock:
            dropped, self._dropped = self._dropped, 0
        if dropped:
            self._metrics.dropped(dropped)
            _log.warning("%d rows were not captured: the store is unavailable, or they do not match", dropped)

    def _expire(self, now: datetime) -> None:
        """Delete the days that lie entirely outside the retention period."""
        if not self._retain_s or now - self._expired_at < _EXPIRE_EVERY:
            return
        self._expired_at = now
        for day in old_days(self._place, now - timedelta(seconds=self._retain_s)):
            try:
                remove_folder(self._place.at(day))
            except OSError as problem:  # another replica may be deleting the same days
                _log.warning("captures %s were not deleted: %s", day, problem)
            else:
                _log.info("deleted captures %s", day)


def old_days(captures: Place, before: datetime) -> list[str]:
    """Return the folders of the days that ended before the given time."""
    limit = f"day={before.strftime('%Y-%m-%d')}"
    return [entry.path for entry in listed(captures) if entry.base_name.startswith("day=") and entry.base_name < limit]


def _segments(destination: str, replica: str) -> Segments | None:
    try:
        return Segments(folder_of(destination), replica)
    except OSError as problem:
        _log.warning("if this replica is killed, half a minute of captures is lost: %s", problem)
        return None
