"""Decides when aliases may move, i.e. within change windows and outside freezes, in a single time zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.records import Changes, ChangeWindow

_DAY = timedelta(days=1)


def closed(changes: Changes | None, now: datetime) -> str:
    """Return why aliases may not move right now, or "" if they may."""
    if changes is None:
        return ""
    local_time = now.astimezone(_zone(changes.time_zone))
    for freeze in changes.freezes:
        first, last = freeze.from_, freeze.to
        if date.fromisoformat(first) <= local_time.date() <= date.fromisoformat(last):
            reason = freeze.reason
            return f"changes are frozen from {first} to {last}" + (f" ({reason})" if reason else "")
    windows = changes.windows
    if windows and not any(_open(window, local_time) for window in windows):
        return f"it is {local_time:%a %H:%M} in {changes.time_zone}, outside the change windows"
    return ""


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as problem:
        raise Refusal(f"the time zone {name!r} is unknown: {problem}") from None


def _open(window: ChangeWindow, local_time: datetime) -> bool:
    """Return whether a window is open at the given time, possibly since the previous evening."""
    first, last = window.from_minute, window.to_minute
    days, minute = window.days, local_time.hour * 60 + local_time.minute
    if first < last:
        return local_time.weekday() in days and first <= minute < last
    return (local_time.weekday() in days and minute >= first) or (
        (local_time - _DAY).weekday() in days and minute < last
    )
