"""When aliases may move: within a change window, and not in a freeze, by the clock of one time zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.description import Section, integer, rows, text

_DAY = timedelta(days=1)


def closed(changes: Section, now: datetime) -> str:
    """Why no alias moves at this moment; empty where it may."""
    if not changes:
        return ""
    here = now.astimezone(_zone(text(changes, "timeZone")))
    for freeze in rows(changes, "freezes"):
        first, last = text(freeze, "from"), text(freeze, "to")
        if date.fromisoformat(first) <= here.date() <= date.fromisoformat(last):
            reason = text(freeze, "reason")
            return f"nothing changes from {first} to {last}" + (f" ({reason})" if reason else "")
    windows = rows(changes, "windows")
    if windows and not any(_open(one, here) for one in windows):
        return f"it is {here:%a %H:%M} in {text(changes, 'timeZone')}, outside of the windows for changes"
    return ""


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as problem:
        raise Refusal(f"the time zone {name!r} is not known here: {problem}") from None


def _open(window: Section, here: datetime) -> bool:
    """Whether a moment is in a window, that of its own day or that of the evening before."""
    first, last = integer(window, "fromMinute"), integer(window, "toMinute")
    days, minute = window.get("days"), here.hour * 60 + here.minute
    assert isinstance(days, list)
    if first < last:
        return here.weekday() in days and first <= minute < last
    return (here.weekday() in days and minute >= first) or ((here - _DAY).weekday() in days and minute < last)
