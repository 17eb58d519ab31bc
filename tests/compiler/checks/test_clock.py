"""Tests that schedules are reported if they skip runs or run at uneven intervals."""

from __future__ import annotations

import pytest

from modelyard.checks.clock import skipped_times
from modelyard.checks.time_zones import time_zones
from tests.compiler.checks.checked_specs import codes_in, places_in, where
from tests.specs import changed

WEEKLY = '{cron: "0 4 * * 0", timeZone: Europe/Berlin}'
NIGHTLY = '{cron: "30 3 * * *"}'


@pytest.mark.parametrize(
    ("cron", "zone", "skipped"),
    [
        ("0 2 * * 0", "Europe/Berlin", True),
        ("59 2 * * *", "America/New_York", True),
        ("30 1,2 * 3 *", "Europe/Paris", True),
        ("0 2 28 * *", "Europe/Berlin", True),
        ("0 0 * * 5", "Africa/Cairo", True),
        ("15 2 * * *", "Australia/Lord_Howe", True),
        ("30 23 * * SAT", "America/Nuuk", True),
        ("0 */2 * * *", "Europe/Berlin", True),
        ("0 3 * * 0", "Europe/Berlin", False),  # clocks jump from 2 to 3
        ("0 2 * * 1", "Europe/Berlin", False),  # clocks change on Sundays
        ("0 2 1 * *", "Europe/Berlin", False),  # clocks change at the end of a month
        ("0 2 * 4-12 *", "Europe/Berlin", False),  # clocks change in March
        ("45 2 * * *", "Australia/Lord_Howe", False),  # clocks jump by only half an hour
        ("0 2 * * *", "Asia/Tokyo", False),
        ("0 2 * * *", "Etc/UTC", False),
        ("*/15 * * * *", "Europe/Berlin", False),  # the next run follows soon
    ],
)
def test_schedules_in_skipped_hours_are_reported(cron: str, zone: str, skipped: bool) -> None:
    """A schedule is reported if a run's day, month and minute may fall within the hours skipped by clocks."""
    spec = changed(WEEKLY, f'{{cron: "{cron}", timeZone: {zone}}}')

    assert ("W0840" in codes_in(spec)) == skipped


def test_a_skipped_hour_is_reported_at_its_schedule() -> None:
    """The diagnostic for a skipped hour points at the schedule, for both pipelines and monitors."""
    spec = changed('schedule: {cron: "0 6 * * 1"}', 'schedule: {cron: "0 2 * * *", timeZone: Europe/Berlin}')

    assert places_in(spec) == [where(spec, '"0 2 * * *"', "W0840")]


def test_zones_with_clock_changes_exist() -> None:
    """Every time zone with clock changes is a known time zone, since both tables are from the same release."""
    assert skipped_times().keys() <= time_zones().keys()
    assert {"Europe/Berlin", "America/New_York", "Pacific/Auckland"} <= skipped_times().keys()
    assert "Etc/UTC" not in skipped_times()


@pytest.mark.parametrize(
    ("cron", "codes"),
    [
        ("0 6 1 * 1", ["W0841"]),
        ("0 6 1-7 * MON", ["W0841"]),
        ("0 6 * * 1", []),
        ("0 6 1 * *", []),
        ("0 6 */1 * 1", []),
    ],
)
def test_schedules_with_a_date_and_a_weekday_are_reported(cron: str, codes: list[str]) -> None:
    assert codes_in(changed(NIGHTLY, f'{{cron: "{cron}"}}')) == codes


@pytest.mark.parametrize(
    ("cron", "codes"),
    [
        ("*/45 * * * *", ["W0842"]),
        ("0/25 * * * *", ["W0842"]),
        ("*/90 * * * *", ["W0842"]),
        ("0 */5 * * *", ["W0842"]),
        ("0 3 */2 * *", ["W0842"]),
        ("0 3 1 */5 *", ["W0842"]),
        ("0 3 * * */2", ["W0842"]),
        ("*/15 * * * *", []),
        ("0 */6 * * *", []),
        ("0 9-17/3 * * *", []),
        ("5,35 * * * *", []),
        ("0 3 1 */3 *", []),
    ],
)
def test_steps_that_do_not_divide_their_unit_are_reported(cron: str, codes: list[str]) -> None:
    """A cron step must divide its unit evenly (`*/15` divides an hour) unless its range is explicit (`9-17/3`)."""
    assert codes_in(changed(NIGHTLY, f'{{cron: "{cron}"}}')) == codes


@pytest.mark.parametrize(
    ("cron", "codes"),
    [
        ("0 3 31 * *", ["W0848"]),
        ("0 3 30,31 * *", ["W0848"]),
        ("0 3 31 1,4 *", ["W0848"]),
        ("0 3 1,31 * *", []),
        ("0 3 31 1,3,5 *", []),
        ("0 3 28 * *", []),
        ("0 3 31 2 *", ["E0445"]),
    ],
)
def test_days_that_some_months_lack_are_reported(cron: str, codes: list[str]) -> None:
    assert codes_in(changed(NIGHTLY, f'{{cron: "{cron}"}}')) == codes
