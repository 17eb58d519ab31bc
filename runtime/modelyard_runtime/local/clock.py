"""Determines when scheduled runs are due."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from modelyard_runtime.local.plan import Times

_MINUTE = timedelta(minutes=1)


def is_due(times: Times, at: datetime) -> bool:
    """Return whether a schedule includes the minute of `at`, which must be timezone-aware."""
    local = at.astimezone(ZoneInfo(times.time_zone))
    if local.minute not in times.minutes or local.hour not in times.hours or local.month not in times.months:
        return False
    by_day, by_weekday = local.day in times.days, local.isoweekday() % 7 in times.weekdays
    if times.any_day or times.any_weekday:  # if one of the two fields is `*`, only the other counts
        return by_day and by_weekday
    return by_day or by_weekday


def due_between(times: Times, after: datetime, until: datetime) -> bool:
    """Return whether a run was due after `after` and up to `until`, looking back at most one day."""
    minute = max(after, until - timedelta(days=1)).replace(second=0, microsecond=0) + _MINUTE
    while minute <= until:
        if is_due(times, minute):
            return True
        minute += _MINUTE
    return False


@dataclass(slots=True)
class Starts:
    """The last check of each workload, so that every scheduled time only counts once."""

    begun: datetime
    _since: dict[str, datetime] = field(default_factory=dict[str, datetime])

    def due(self, address: str, times: Times, now: datetime) -> bool:
        """Return whether a start has become due since the last check, starting over if the clock was set back."""
        after = self._since.get(address, self.begun)
        due = due_between(times, after, now)
        if due or now < after:
            self._since[address] = now
        return due
