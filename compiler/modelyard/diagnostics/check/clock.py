"""Diagnostics about times in schedules: W0840 to W0842 and W0848."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def hour_skipped(span: Span, skipped: str, zone: str) -> Diagnostic:
    """A run is scheduled at a local time that does not exist on the day when clocks go forward.

    Kubernetes skips the run on that day. In many zones, a run at the same time starts twice when clocks go back.
    Schedules with more than twelve runs a day are not reported: the next run makes up for the skipped one.

    Wrong:

        schedule: {cron: "30 2 * * *", timeZone: Europe/Berlin}

    Right:

        schedule: {cron: "30 3 * * *", timeZone: Europe/Berlin}
    """
    return Diagnostic(
        "W0840",
        Severity.WARNING,
        f"once a year, the time from {skipped} does not exist in {quote(zone)}, so the run is skipped",
        span,
        "choose another hour, or omit `timeZone` to use UTC",
    )


def date_or_weekday(span: Span) -> Diagnostic:
    """A cron expression restricts both the day of the month and the day of the week.

    It runs on days that match either field, not only both: `0 6 1 * 1` runs every Monday and on the first of every
    month.

    Wrong:

        schedule: {cron: "0 6 1-7 * 1"}

    Right:

        schedule: {cron: "0 6 * * 1"}
    """
    return Diagnostic(
        "W0841",
        Severity.WARNING,
        "this runs whenever the day of the month or the day of the week matches, not only when both do",
        span,
        "set one of the two fields to *",
    )


def uneven_steps(span: Span, field: str, step: int, size: int) -> Diagnostic:
    """A step does not divide its field evenly, so the last interval before the field wraps around is shorter.

    `*/45` in minutes runs at 0 and 45 of each hour: 45 minutes apart and then 15.

    Wrong:

        schedule: {cron: "*/45 * * * *"}

    Right:

        schedule: {cron: "*/30 * * * *"}
    """
    divided = f"{step} does not divide {size}" if size else "months differ in length"
    divisors = [str(divisor) for divisor in range(2, size) if size % divisor == 0]
    return Diagnostic(
        "W0842",
        Severity.WARNING,
        f"the steps for the {field} are uneven: {divided}",
        span,
        f"use a step that divides {size}: {', '.join(divisors)}" if divisors else "list the values, or use *",
    )


def day_not_in_every_month(span: Span, day: int, short: int) -> Diagnostic:
    """A cron expression names a day that some of its months do not have, so no run starts in those months.

    Wrong:

        schedule: {cron: "0 6 31 * *"}

    Right:

        schedule: {cron: "0 6 1 * *"}
    """
    months, those = "one of the scheduled months has", "that month"
    if short > 1:
        months, those = f"{short} of the scheduled months have", "those months"
    return Diagnostic(
        "W0848",
        Severity.WARNING,
        f"{months} no day {day}, so no run starts in {those}",
        span,
        "use day 28 or earlier",
    )
