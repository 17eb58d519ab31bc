"""Compare times that are written differently: change windows and freezes, and the starts of schedules."""

from __future__ import annotations

from typing import Final

from modelyard.cron import CronError, parse
from modelyard.spec import Changes, ChangeWindow

_DAY: Final = 24 * 60
_WEEK: Final = 7 * _DAY


def opens_other_times(old: Changes, new: Changes) -> bool:
    """Return whether a new time zone opens times that used to be closed.

    The offset between two time zones varies over the year, so adjusting the windows can't compensate for it. Only
    always-open windows without freezes mean the same in every time zone.
    """
    has_windows = all(changes.windows and not _is_always_open(changes.windows) for changes in (old, new))
    return has_windows or (bool(old.freezes) and bool(new.freezes))


def starts_at_same_times(old: str, new: str) -> bool:
    """Return whether two cron lines match the same times, such as lines with `0` and with `SUN` as the weekday."""
    try:
        return parse(old) == parse(new)
    except CronError:
        return False


def _is_always_open(windows: tuple[ChangeWindow, ...]) -> bool:
    minutes: set[int] = set()
    for window in windows:
        length = (window.to_minute - window.from_minute - 1) % _DAY + 1
        for day in window.days:
            first = day * _DAY + window.from_minute
            minutes.update(minute % _WEEK for minute in range(first, first + length))
    return len(minutes) == _WEEK
