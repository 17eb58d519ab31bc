"""Tests that cron expressions mean the same as in Kubernetes, and that the time between runs is exact."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.cron import CronError, parse

_HOUR = 3600
_DAY = 86400


@pytest.mark.parametrize(
    ("line", "shortest_s", "longest_s"),
    [
        ("* * * * *", 60, 60),
        ("*/15 * * * *", 900, 900),
        ("0 */6 * * *", 6 * _HOUR, 6 * _HOUR),
        ("0 6,18 * * *", 12 * _HOUR, 12 * _HOUR),
        ("0 9-17 * * *", _HOUR, 16 * _HOUR),
        ("0 2 * * 0", 7 * _DAY, 7 * _DAY),
        ("0 9 * * MON-FRI", _DAY, 3 * _DAY),
        ("0 0 1 * *", 28 * _DAY, 31 * _DAY),
        ("0 0 29 2 *", 1461 * _DAY, 1461 * _DAY),
        ("0 0 1 jan *", 365 * _DAY, 366 * _DAY),
        ("59 23,0 * * *", _HOUR, 23 * _HOUR),
    ],
)
def test_time_between_runs_is_exact(line: str, shortest_s: int, longest_s: int) -> None:
    assert parse(line).gaps_s() == (shortest_s, longest_s)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("60 * * * *", "the minute must be from 0 to 59, not 60"),
        ("0 0 0 * *", "the day of the month must be from 1 to 31, not 0"),
        ("0 0 * 13 *", "the month must be from 1 to 12, not 13"),
        ("0 0 * * 7", "the day of the week must be from 0 to 6, not 7 (Sunday is 0)"),
        ("9-5 * * * *", "the minute 9-5 ends before it begins"),
        ("*/0 * * * *", "the step of the minute is 0"),
        ("1,,2 * * * *", "nothing is not a valid minute"),
        ("*-5 * * * *", "*-5 is not a valid minute"),
        ("0 0 * FOO *", "FOO is not a valid month"),
        ("0 0 * * MON-SUN", "the day of the week MON-SUN ends before it begins"),
        ("0 0 * *", "a cron expression has five fields, but this has 4"),
        ("99999999999 * * * *", "99999999999 is not a valid minute"),
    ],
)
def test_invalid_cron_lines_are_refused(line: str, reason: str) -> None:
    """Kubernetes refuses the same cron expressions, but only our errors give a reason."""
    with pytest.raises(CronError) as refused:
        parse(line)
    assert str(refused.value) == reason


@pytest.mark.parametrize(
    ("line", "never"),
    [
        ("0 0 31 2 *", True),
        ("0 0 30 2 *", True),
        ("0 0 31 4,6,9,11 *", True),
        ("0 0 29 2 *", False),
        ("0 0 31 2,3 *", False),
        ("0 0 31 2 MON", False),  # day of month or weekday matches: every Monday in February
    ],
)
def test_lines_that_never_match_are_recognized(line: str, never: bool) -> None:
    times = parse(line)

    assert times.never() is never
    assert (times.gaps_s() is None) is never


def _fields() -> st.SearchStrategy[tuple[set[int], set[int], set[int]]]:
    days, months, weekdays = (st.sets(st.integers(low, high), max_size=3) for low, high in ((1, 31), (1, 12), (0, 6)))
    return st.tuples(days, months, weekdays)


@settings(max_examples=60)
@given(_fields())
def test_gaps_agree_with_a_calendar(fields: tuple[set[int], set[int], set[int]]) -> None:
    """The computed gaps agree with a walk through every day of 28 years."""
    days, months, weekdays = fields
    texts = [",".join(map(str, sorted(values))) or "*" for values in fields]
    start = date(2001, 1, 1)
    walked = [start + timedelta(days=at) for at in range(28 * 365 + 7)]

    def fits(day: date) -> bool:
        weekday = day.isoweekday() % 7
        if months and day.month not in months:
            return False
        if days and weekdays:
            return day.day in days or weekday in weekdays
        return (not days or day.day in days) and (not weekdays or weekday in weekdays)

    fitting = [at for at, day in enumerate(walked) if fits(day)]
    gaps = [later - earlier for earlier, later in zip(fitting, [*fitting[1:], *fitting[:1]], strict=True)]
    if gaps:
        gaps[-1] += len(walked)
    expected = (min(gaps) * _DAY, max(gaps) * _DAY) if gaps else None

    assert parse(f"0 0 {texts[0]} {texts[1]} {texts[2]}").gaps_s() == expected
