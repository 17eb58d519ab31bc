"""Writes the list of local hours skipped by clocks: `python -m tests.clock_changes`.

The data comes from the tzdata package, which must be installed for this.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

from modelyard.checks.time_zones import time_zones
from modelyard.cron import MONTHS, WEEKDAYS

LIST = Path(__file__).parents[1] / "compiler/modelyard/checks/clock_changes.txt"
FIRST, LAST = 2027, 2038
_MONTHS = {number: name for name, number in MONTHS.items()}
_DAYS = {number: name for name, number in WEEKDAYS.items()}


def skipped(zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """Yield the start and end of each local time range that clocks skip."""
    day = datetime(FIRST, 1, 1, tzinfo=UTC)
    while day.year <= LAST:
        following = day + timedelta(days=1)
        low, high = day, following
        while _offset(zone, low) < _offset(zone, high) and high - low > timedelta(minutes=1):
            middle = low + (high - low) / 2
            low, high = (low, middle) if _offset(zone, middle) == _offset(zone, high) else (middle, high)
        if _offset(zone, low) < _offset(zone, high):
            change = high.replace(second=0, microsecond=0)
            yield (
                (change + _offset(zone, low)).replace(tzinfo=None),
                (change + _offset(zone, high)).replace(tzinfo=None),
            )
        day = following


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def written() -> str:
    """Return the list, with one line per clock change rule naming the time zones that follow it."""
    data = files("tzdata.zoneinfo")
    zones: defaultdict[str, list[str]] = defaultdict(list)
    for name in time_zones():
        with data.joinpath(*name.split("/")).open("rb") as file:
            zone = ZoneInfo.from_file(file, name)
        days_by_rule: defaultdict[str, set[int]] = defaultdict(set)
        for start, end in skipped(zone):
            days_by_rule[f"{start:%H:%M}-{end:%H:%M} {_MONTHS[start.month]} {_DAYS[start.isoweekday() % 7]}"].add(
                start.day
            )
        for rule, days in days_by_rule.items():
            zones[f"{rule} {min(days)}-{max(days)}"].append(name)
    lines = [f"{rule}: {' '.join(names)}" for rule, names in sorted(zones.items())]
    head = (
        f"# Local times that do not exist when clocks jump ahead, {FIRST}-{LAST}: time, month, weekday, days, zones.\n",
        f"# Source: IANA database (PyPI: tzdata {version('tzdata')}), by tests/clock_changes.py, 2026-11-25.\n",
    )
    return "".join(head) + "\n".join(lines) + "\n"


if __name__ == "__main__":
    LIST.write_text(written(), encoding="utf-8")
