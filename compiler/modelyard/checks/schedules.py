"""Check that Kubernetes accepts the cron lines in schedules, and that their time zones exist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard import cron
from modelyard.checks.suggestions import Suggestions
from modelyard.checks.time_zones import time_zones
from modelyard.diagnostics import Diagnostic
from modelyard.diagnostics.check import schedules as problems
from modelyard.patterns import pattern
from modelyard.provider import Rule
from modelyard.source import Path
from modelyard.spec import Schedule, System

_LONG_NAME = pattern(r"[A-Za-z]{3,}")
_DEFAULT_ZONE = "Etc/UTC"


def schedules(system: System) -> Iterator[Diagnostic]:
    """Report cron lines that are invalid or never match, and unknown time zones."""
    suggestions = Suggestions()
    for pipeline in system.pipelines.values():
        yield from _schedule(system, pipeline.schedule, ("pipelines", pipeline.name, "schedule"), suggestions)
    for monitor in system.monitors.values():
        yield from _schedule(system, monitor.schedule, ("monitors", monitor.name, "schedule"), suggestions)


def _schedule(system: System, schedule: Schedule, path: Path, suggestions: Suggestions) -> Iterator[Diagnostic]:
    if schedule.kind != "cron":
        return
    try:
        times = cron.parse(schedule.cron)
    except cron.CronError as error:
        yield problems.cron_unreadable(system.at(*path, "cron"), str(error), _better(schedule.cron))
    else:
        if times.never():
            yield problems.cron_never(system.at(*path, "cron"))
    yield from zone(system, schedule.time_zone, path, suggestions)


def zone(system: System, name: str, path: Path, suggestions: Suggestions) -> Iterator[Diagnostic]:
    """Report an unknown time zone."""
    if name != _DEFAULT_ZONE and name not in time_zones():
        yield problems.time_zone_unknown(system.at(*path, "timeZone"), name, suggestions.among(time_zones()))


def _better(line: str) -> str:
    """Return the cron line that was probably meant: minute and hour swapped, or long names abbreviated."""
    fields = line.split()
    swapped = " ".join((fields[1], fields[0], *fields[2:])) if fields[0] != "0" else line
    for better in (swapped, _LONG_NAME.sub(lambda match: match[0][:3].upper(), line)):
        try:
            cron.parse(better)
        except cron.CronError:
            continue
        return better
    return ""


def gaps_s(schedule: Schedule) -> tuple[int, int] | None:
    """Return the shortest and longest gap between two starts, or None if the schedule is invalid or never runs."""
    if schedule.kind != "cron":
        return None
    try:
        return cron.parse(schedule.cron).gaps_s()
    except cron.CronError:
        return None


RULES: Final[tuple[Rule, ...]] = (schedules,)
