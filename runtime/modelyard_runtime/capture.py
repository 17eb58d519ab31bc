"""Requests and predictions, kept in a store for monitors: buffered, and written outside of a request's path."""

from __future__ import annotations

import hashlib
import json
import logging
import threading
import uuid
from collections import deque
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import TYPE_CHECKING, Any

from modelyard_runtime.answers import Answer, plain
from modelyard_runtime.description import Section, integer, number, text
from modelyard_runtime.spool import SpoolMetrics, spool_of
from modelyard_runtime.storage import Place, listed, place, write_whole

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

REQUEST_ID = "request_id"
CAPTURED_AT = "captured_at"
PREDICTION = "prediction"
SCORE = "score"
MODEL_VERSION = "model_version"
OWN_COLUMNS = (REQUEST_ID, CAPTURED_AT, PREDICTION, SCORE, MODEL_VERSION)

_FLUSH_S = 30.0
_MOST_WAITING = 50_000  # rows; a store that is away must not fill the memory of a server
_EXPIRE_EVERY = timedelta(hours=1)
_log = logging.getLogger(__name__)


def chosen(request_id: str, fraction: float) -> bool:
    """Whether a request is kept: by the hash of its id, so that every place that sees it decides the same."""
    first = int.from_bytes(hashlib.sha256(request_id.encode()).digest()[:8], "big")
    return first < fraction * 2**64


class Captures:
    """What one replica keeps, below `<uri>/day=<day>/variant=<variant>/`."""

    def __init__(self, workload: Section, capture: Section, variant: str, flush_s: float = _FLUSH_S) -> None:
        self._place = place(workload, text(capture, "uri"), text(capture, "store"))
        self._fraction = number(capture, "fraction")
        self._retain_s = integer(capture, "retainSeconds")
        self._spool = spool_of(capture)
        self._told = SpoolMetrics(self._spool, variant) if self._spool is not None else None
        self._variant = variant
        self._replica = uuid.uuid4().hex[:12]
        self._waiting: deque[dict[str, Any]] = deque()
        self._lock = threading.Lock()
        self._dropped = 0
        self._written = 0
        self._expired_at = datetime.min.replace(tzinfo=UTC)
        self._flush_s = flush_s
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="captures", daemon=True)
        self._thread.start()

    def keep(self, request_id: str, rows: pd.DataFrame, said: Answer, version: str) -> None:
        """Remember the rows of a request, where it is one of the chosen. Cheap: nothing is written here."""
        if not chosen(request_id, self._fraction):
            return
        now = datetime.now(UTC)
        records = rows.to_dict(orient="records")
        with self._lock:
            if len(self._waiting) + len(records) > _MOST_WAITING:
                self._dropped += len(records)
                return
            for place_, record in enumerate(records):
                kept = {str(name): value for name, value in record.items() if name not in OWN_COLUMNS}
                score = None if said.scores is None else said.scores[place_].tolist()
                kept |= {REQUEST_ID: request_id, CAPTURED_AT: now, PREDICTION: plain(said.values[place_])}
                kept |= {SCORE: score, MODEL_VERSION: version}
                self._waiting.append(kept)

    def flush(self) -> None:
        """Write what waits; what cannot be written waits on: with a spool on the disk, else in memory."""
        with self._lock:
            records = list(self._waiting)
            dropped, self._dropped = self._dropped, 0
        if dropped:
            _log.warning("%d rows were not captured: the store of captures has been away for too long", dropped)
        if not records:
            return
        self._write_all(records)

    def _write_all(self, records: list[dict[str, Any]]) -> None:
        by_day: dict[str, list[dict[str, Any]]] = {}
        for record in records:
            by_day.setdefault(record[CAPTURED_AT].strftime("%Y-%m-%d"), []).append(record)
        for day, found in by_day.items():
            self._write(day, found)
            with self._lock:
                for _ in found:
                    self._waiting.popleft()

    def close(self) -> None:
        """Write what waits and end."""
        self._ended.set()
        self._thread.join(timeout=30)

    def _run(self) -> None:
        while not self._ended.wait(self._flush_s):
            self.attempt()
        self.attempt()

    def attempt(self) -> None:
        """Write and delete what is due; a store that is away is tried again."""
        try:
            self.flush()
            if self._spool is not None:
                self._spool.forward(self._place)
            self._expire(datetime.now(UTC))
        except (OSError, ValueError) as problem:
            _log.warning("captures cannot be written: %s", problem)
        if self._told is not None:
            self._told.tell()

    def _write(self, day: str, records: list[dict[str, Any]]) -> None:
        import pyarrow as pa
        import pyarrow.parquet as parquet

        self._written += 1
        name = f"{self._replica}-{self._written:08d}.parquet"
        stream = BytesIO()
        parquet.write_table(pa.table(_columns(records)), stream)
        if self._spool is not None:
            self._spool.keep(f"day={day}/variant={self._variant}/{name}", stream.getvalue(), len(records))
            return
        write_whole(self._place.below(f"day={day}", f"variant={self._variant}", name), stream.getvalue())

    def _expire(self, now: datetime) -> None:
        """Delete the days that are wholly older than what is retained."""
        if not self._retain_s or now - self._expired_at < _EXPIRE_EVERY:
            return
        self._expired_at = now
        for day in old_days(self._place, now - timedelta(seconds=self._retain_s)):
            self._place.filesystem.delete_dir(day)
            _log.info("deleted captures %s", day)


def old_days(captures: Place, before: datetime) -> list[str]:
    """Folders of days that ended before a moment."""
    limit = f"day={before.strftime('%Y-%m-%d')}"
    return [one.path for one in listed(captures) if one.base_name.startswith("day=") and one.base_name < limit]


def _columns(records: list[dict[str, Any]]) -> dict[str, Any]:
    """Columns of the records. What a file cannot hold is kept as JSON texts: no request may end the captures of others.

    So are values without a common type, numbers of any size, texts that are no Unicode, and mappings.
    """
    import pyarrow as pa

    columns: dict[str, Any] = {}
    for name in dict.fromkeys(name for record in records for name in record):
        values = [_known(record.get(name)) for record in records]
        try:
            found = pa.array(values)
        except (pa.ArrowException, OverflowError, UnicodeError):
            found = None
        if found is None or (pa.types.is_nested(found.type) and not _is_flat_list(found.type)):
            found = pa.array([None if value is None else _as_json(value) for value in values])
        columns[name] = found
    return columns


def _is_flat_list(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return pa.types.is_list(kind) and not pa.types.is_nested(kind.value_type)


def _as_json(value: Any) -> str:
    try:
        return json.dumps(value, default=str)
    except RecursionError:
        return '"nested too deeply to be kept"'


def _known(value: Any) -> Any:
    found = value.item() if hasattr(value, "item") else value
    return None if isinstance(found, float) and found != found else found
