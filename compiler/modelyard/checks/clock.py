"""Warn about schedules that run at unexpected times because of skipped hours, two day fields, or uneven steps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from modelyard import cron
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import clock as problems
from modelyard.patterns import pattern
from modelyard.provider import Rule
from modelyard.records import record
from modelyard.source import Path
from modelyard.spec import Schedule, System

_FILE = os.path.join(os.path.dirname(__file__), "clock_changes.txt")
_RULE = pattern(r"(\d+):(\d+)-(\d+):(\d+) ([A-Z]{3}) ([A-Z]{3}) (\d+)-(\d+): (.+)")
_STEP = pattern(r"(?:\*|0|0-23|0-59)/(\d+)")
_FIELDS: Final = (("minute", 60), ("hour", 24), ("day of the month", 0), ("month", 12), ("day of the week", 7))
_DAY = 24 * 60
_SELDOM = 12  # runs per day; a skipped hour does not matter for more frequent schedules


@record
class Jump:
    """A gap in local time: the minutes of the day that clocks skip, and the days on which this may happen."""

    start: int
    end: int
    month: int
    weekday: int
    first_day: int
    last_day: int

    @property
    def text(self) -> str:
        """The skipped time of day, such as 02:00 to 03:00."""
        return " to ".join(f"{at // 60:02}:{at % 60:02}" for at in (self.start, self.end % _DAY))


def schedules(system: System) -> Iterator[Diagnostic]:
    """Warn about schedules that run at unexpected times."""
    for section, entries in (("pipelines", system.pipelines), ("monitors", system.monitors)):
        for name, entry in entries.items():
            if entry.schedule.kind == "cron":
                yield from _schedule(system, entry.schedule, (section, name, "schedule"))


def _schedule(system: System, schedule: Schedule, path: Path) -> Iterator[Diagnostic]:
    try:
        times = cron.parse(schedule.cron)
    except cron.CronError:
        return
    span = system.at(*path, "cron")
    for jump in skipped_times().get(schedule.time_zone, ()):
        if _skipped(times, jump):
            yield problems.hour_skipped(span, jump.text, schedule.time_zone)
            break
    if not times.any_day and not times.any_weekday:
        yield problems.date_or_weekday(span)
    short = [month for month in sorted(times.months) if cron.MONTH_DAYS[month - 1] < min(times.days)]
    if times.any_weekday and short and len(times.months) > 1 and not times.never():
        yield problems.day_not_in_every_month(span, min(times.days), len(short))
    for (field, size), text in zip(_FIELDS, schedule.cron.split(), strict=True):
        uneven = _uneven(text, size)
        if uneven:
            yield problems.uneven_steps(span, field, uneven, size)


def _skipped(times: cron.Cron, jump: Jump) -> bool:
    """Return whether a run falls in the skipped hour on a day when clocks may go forward."""
    if jump.month not in times.months or len(times.hours) * len(times.minutes) > _SELDOM:
        return False
    due = (hour * 60 + minute for hour in times.hours for minute in times.minutes)
    if not any(jump.start <= at < jump.end for at in due):
        return False
    fits = (jump.weekday in times.weekdays, not times.days.isdisjoint(range(jump.first_day, jump.last_day + 1)))
    return all(fits) if times.any_day or times.any_weekday else any(fits)


def _uneven(text: str, size: int) -> int:
    """Return a cron field's step if it doesn't divide the range evenly, otherwise 0.

    No step divides the days of the month evenly.
    """
    for term in text.split(","):
        step = _STEP.fullmatch(term)
        if step and int(step[1]) > 1 and (not size or size % int(step[1])):
            return int(step[1])
    return 0


@lru_cache(maxsize=1)
def skipped_times() -> dict[str, tuple[Jump, ...]]:
    """Return the clock jumps of each time zone. The data file states the tz release and the years."""
    jumps: dict[str, tuple[Jump, ...]] = {}
    with open(_FILE, encoding="utf-8") as file:
        rules = [_RULE.fullmatch(line.rstrip()) for line in file if not line.startswith("#")]
    for rule in rules:
        assert rule is not None
        from_hour, from_minute, to_hour, to_minute, month, weekday, first, last, zones = rule.groups()
        start, end = int(from_hour) * 60 + int(from_minute), int(to_hour) * 60 + int(to_minute)
        end = end if end > start else end + _DAY
        jump = Jump(start, end, cron.MONTHS[month], cron.WEEKDAYS[weekday], int(first), int(last))
        for zone in zones.split():
            jumps[zone] = (*jumps.get(zone, ()), jump)
    return jumps


RULES: Final[tuple[Rule, ...]] = (schedules,)
