"""Assigns each row to the monitor run whose window covers it, or to the first later run that reads it.

Rows usually reach a store within half a minute of their event, but may take days if a site had no network. Each window
begins where the previous one ended, so late, early or missed runs leave no gap and no row is read twice. Windows longer
than the interval between runs overlap as declared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from modelyard_runtime.workload.description import Json, Section, integer, section, text

LATEST = timedelta(days=7)
"""Rows that arrive later than this after their window are ignored so that old folders need not be read again."""

_NUMBERED = re.compile(r"(?P<writer>[0-9a-f]{12})-(?P<number>[0-9]{8})\.parquet")


@dataclass(frozen=True, slots=True)
class Window:
    """The period covered by a run, and the files read by earlier runs.

    The window contains the rows after `since` up to and including `until`. From files not read by any earlier run, it
    also contains rows after `late`, up to the end of the previous window.
    """

    since: datetime
    until: datetime
    before: datetime | None = None  # end of the previous window, or None in the first run
    late: datetime | None = None
    seen: Section = field(default_factory=dict[str, Json])

    @property
    def earliest(self) -> datetime:
        """Return the time after which a row may belong to the window."""
        return self.since if self.late is None else min(self.since, self.late)

    def is_new(self, file: str) -> bool:
        """Return whether no earlier run has read the file."""
        writer, count = _mark(file)
        return self.before is not None and integer(self.seen, writer) < count

    def to_json(self, files: Iterable[str]) -> dict[str, Json]:
        """Serialize the window and the files read by this run for the next run."""
        marks: dict[str, int] = {}
        for writer, count in map(_mark, files):
            marks[writer] = max(marks.get(writer, 0), count)
        return {"since": self.since.isoformat(), "until": self.until.isoformat(), "files": {**marks}}


def window(state: Section, until: datetime, span: timedelta, interval: timedelta | None) -> Window:
    """Return the window following the run that saved `state`. `interval` is the longest gap between two runs."""
    since = until - span
    if "until" not in state:
        return Window(since, until)
    first, before = (datetime.fromisoformat(text(state, name)) for name in ("since", "until"))
    skipped = interval is not None and interval > span + span / 10  # the spec leaves gaps between windows
    if abs(since - before) <= span / 10 or (before < since and not skipped):
        since = max(before, since - LATEST)
    late = first if skipped else since - LATEST
    return Window(since, until, min(before, until), late, section(state, "files"))


def _mark(file: str) -> tuple[str, int]:
    """Return the writer and sequence number of a capture file. Other files count as the first by their own writer."""
    name = file.rpartition("/")[2]
    match = _NUMBERED.fullmatch(name)
    return (match["writer"], int(match["number"])) if match else (file, 1)
