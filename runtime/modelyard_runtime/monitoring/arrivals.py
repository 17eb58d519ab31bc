"""Which rows belong to which look: each to the one in whose window it happened, or to the next that finds it.

Rows reach a store after they happened: within half a minute as a rule, after days where a site had no network. A look
that is a minute early or late, or was missed, leaves no gap and sees no row twice, as it begins where the one before
ended. Windows that are longer than the time between two looks overlap as declared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from modelyard_runtime.workload.description import Json, Section, integer, section, text

LATEST = timedelta(days=7)
"""Rows that arrive later than this after their window are not looked for: their folders would have to be read again."""

_NUMBERED = re.compile(r"(?P<writer>[0-9a-f]{12})-(?P<number>[0-9]{8})\.parquet")


@dataclass(frozen=True, slots=True)
class Window:
    """The time that a look is about, and what the looks before have seen.

    Rows are in it after `since` and until `until`; those of a file that no look has seen also after `late`, up to the
    end of the window before.
    """

    since: datetime
    until: datetime
    before: datetime | None = None  # where the window before ended; None in a first look
    late: datetime | None = None
    seen: Section = field(default_factory=dict[str, Json])

    @property
    def earliest(self) -> datetime:
        """The time of the first row that may belong to the window."""
        return self.since if self.late is None else min(self.since, self.late)

    def is_new(self, file: str) -> bool:
        """Whether no look before has seen a file."""
        writer, count = _mark(file)
        return self.before is not None and integer(self.seen, writer) < count

    def to_json(self, files: Iterable[str]) -> dict[str, Json]:
        """The window for the next look, with the files that this one has seen."""
        marks: dict[str, int] = {}
        for writer, count in map(_mark, files):
            marks[writer] = max(marks.get(writer, 0), count)
        return {"since": self.since.isoformat(), "until": self.until.isoformat(), "files": {**marks}}


def window(kept: Section, until: datetime, span: timedelta, every: timedelta | None) -> Window:
    """The window of a look after one that has left this; `every` is the longest time between two looks."""
    since = until - span
    if "until" not in kept:
        return Window(since, until)
    first, before = (datetime.fromisoformat(text(kept, name)) for name in ("since", "until"))
    skipped = every is not None and every > span + span / 10  # what lies between two windows is declared not to be seen
    if abs(since - before) <= span / 10 or (before < since and not skipped):
        since = max(before, since - LATEST)
    late = first if skipped else since - LATEST
    return Window(since, until, min(before, until), late, section(kept, "files"))


def _mark(file: str) -> tuple[str, int]:
    """Who wrote a file of captures, and its how manieth that is; another file is the first of its own name."""
    name = file.rpartition("/")[2]
    found = _NUMBERED.fullmatch(name)
    return (found["writer"], int(found["number"])) if found else (file, 1)
