"""Diagnostics about schedules: E0444 to E0446."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.patterns import pattern
from modelyard.source import Span


def cron_unreadable(span: Span, reason: str, better: str = "") -> Diagnostic:
    """Kubernetes does not accept this cron expression.

    A cron expression has five fields: minute (0 to 59), hour (0 to 23), day of the month (1 to 31), month (1 to 12 or
    JAN to DEC), day of the week (0 to 6 or SUN to SAT; Sunday is 0).

    Wrong:

        schedule: {cron: "0 25 * * *"}

    Right:

        schedule: {cron: "0 2 * * *"}
    """
    return Diagnostic("E0444", Severity.ERROR, reason, span, f"did you mean {quote(better)}?" if better else "")


def cron_never(span: Span) -> Diagnostic:
    """The cron expression names a day that does not exist, so no run would ever start.

    Wrong:

        schedule: {cron: "0 2 31 2 *"}

    Right:

        schedule: {cron: "0 2 28 2 *"}
    """
    return Diagnostic("E0445", Severity.ERROR, "this day does not exist, so no run would ever start", span)


def time_zone_unknown(span: Span, zone: str, known: Iterable[str]) -> Diagnostic:
    """Time zones must have names from the IANA database.

    Wrong:

        schedule: {cron: "0 2 * * *", timeZone: Europe/Berlyn}

    Right:

        schedule: {cron: "0 2 * * *", timeZone: Europe/Berlin}
    """
    hint = _fixed_offset(zone) or nearest(zone, known, "did you mean {}?") or "use an IANA name such as Europe/Berlin"
    return Diagnostic("E0446", Severity.ERROR, f"unknown time zone {quote(zone)}", span, hint)


_OFFSET: Final = pattern(r"(?:GMT|UTC|Z)? ?([+-])0?([0-9]{1,2})(?::?00)?")


def _fixed_offset(zone: str) -> str:
    """Suggest a zone for a UTC offset. The database reverses the sign: Etc/GMT-2 is two hours ahead."""
    offset = _OFFSET.fullmatch(zone)
    if offset is None:
        return ""
    sign = "-" if offset[1] == "+" else "+"
    fixed = "UTC" if offset[2] == "0" else f"Etc/GMT{sign}{offset[2]}"
    return f"use a place such as Europe/Berlin for its local time, or {fixed} for a constant UTC{offset[1]}{offset[2]}"
