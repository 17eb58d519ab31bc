"""Rules for how often a monitor runs, and how much data is never checked because it falls between windows."""

from __future__ import annotations

from modelyard.cron import CronError, parse
from modelyard.review.changes import Change
from modelyard.review.rules.base import DANGER, NOTE, REVIEW, Verdict, moves, was
from modelyard.review.sides import Sides
from modelyard.spec import RULES_ONLY, Monitor
from modelyard.units import duration_text


def longest_wait(line: str) -> int | None:
    """Return the longest interval between two runs of a cron expression, in seconds, or None if there is none."""
    try:
        gaps = parse(line).gaps_s()
    except CronError:
        return None
    return gaps[1] if gaps else None


def looks(change: Change, sides: Sides) -> Verdict:
    """Judge a change to a monitor's schedule or window.

    Fewer runs need a review, and more unchecked data is a danger.
    """
    if verdict := unseen(change, sides):
        return verdict
    before, after = (_interval(monitor) for monitor in _monitors(change, sides))
    if before is None or after is None:
        return "R215", REVIEW
    if before == after:
        return "R215", NOTE
    return ("R215", REVIEW) if after > before else ("R216", NOTE)


def looks_says(change: Change, sides: Sides) -> str:
    """Describe how often a monitor runs or, if that is unchanged, when it runs."""
    name = change.path[1]
    before, after = (_interval(monitor) for monitor in _monitors(change, sides))
    if before is None or after is None or before == after or change.path[-1] not in {"cron", "schedule"}:
        return f"{name} runs at different times: {'.'.join(change.path[2:])} is {moves(change)}"
    return f"{name} runs every {was(duration_text(after), duration_text(before))}: {change.path[-1]} is {moves(change)}"


def unseen(change: Change, sides: Sides) -> Verdict | None:
    """Judge a change in how much data falls between the windows of two runs. Returns None if there is no change."""
    before, after = (_gap(monitor) for monitor in _monitors(change, sides))
    if before == after:
        return None
    return ("R211", DANGER) if after > before else ("R212", NOTE)


def unseen_why(change: Change, sides: Sides) -> str:
    """Explain which data no run covers, or how late a breach would be noticed."""
    before, after = _monitors(change, sides)
    interval = _interval(after)
    if after is not None and interval is not None and _gap(after) > _gap(before):
        period = f"the last {duration_text(after.window_s)} every {duration_text(interval)}"
        return f"it checks {period}, so {duration_text(_gap(after))} of data between two runs is never checked"
    if change.path[2] == "schedule" and looks(change, sides) == ("R215", REVIEW) and interval is not None:
        return f"a breach is noticed up to {duration_text(interval)} later"
    return ""


def _monitors(change: Change, sides: Sides) -> tuple[Monitor | None, Monitor | None]:
    """Return the changed monitor in the old and in the new version, even if it was renamed."""
    name = change.path[1]
    old = (sides.after.moved or {}).get(f"monitors.{name}", f"monitors.{name}").partition(".")[2]
    return sides.before.monitors.get(old) or sides.before.monitors.get(name), sides.after.monitors.get(name)


def _interval(monitor: Monitor | None) -> int | None:
    is_timed = monitor is not None and monitor.schedule.kind == "cron" and monitor.type not in RULES_ONLY
    return longest_wait(monitor.schedule.cron) if monitor is not None and is_timed else None


def _gap(monitor: Monitor | None) -> int:
    """Return the gap between the time windows of two runs of a monitor, in seconds."""
    interval = _interval(monitor)
    return max(0, interval - monitor.window_s) if monitor is not None and interval is not None else 0
