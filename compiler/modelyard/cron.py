"""Parse cron lines as Kubernetes does: minute, hour, day of the month, month, day of the week."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from itertools import pairwise

from modelyard.patterns import pattern
from modelyard.records import record

_DAY_S = 86400
MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_MONTH_NAMES = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
MONTHS = {name: at for at, name in enumerate(_MONTH_NAMES, 1)}
WEEKDAYS = {"SUN": 0, "MON": 1, "TUE": 2, "WED": 3, "THU": 4, "FRI": 5, "SAT": 6}
_TERM = pattern(r"(\*|[0-9A-Z]+)(?:-([0-9A-Z]+))?(?:/([0-9]{1,4}))?")
_LEAP_CYCLE_DAYS = 4 * 365 + 1
_CYCLE_DAYS = 7 * _LEAP_CYCLE_DAYS
_ANY = frozenset({"*", "*/1"})


@record
class _Field:
    name: str
    low: int
    high: int
    names: Mapping[str, int]


_FIELDS = (
    _Field("minute", 0, 59, {}),
    _Field("hour", 0, 23, {}),
    _Field("day of the month", 1, 31, {}),
    _Field("month", 1, 12, MONTHS),
    _Field("day of the week", 0, 6, WEEKDAYS),
)


class CronError(ValueError):
    """Raised for an invalid cron line, with an explanation of the error."""


@record
class Cron:
    """The times that a cron line matches.

    If both date and weekday are restricted, a day has to match only one of them.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool  # the date is `*`
    any_weekday: bool  # the weekday is `*`

    def never(self) -> bool:
        """Return whether the line never matches a day, e.g. because it names February 31."""
        return self.any_weekday and all(MONTH_DAYS[month - 1] < min(self.days) for month in self.months)

    def gaps_s(self) -> tuple[int, int] | None:
        """Return the shortest and longest time between two runs in seconds, or None if there are no runs."""
        days = _day_gaps(self)
        if days is None:
            return None
        times = sorted(hour * 3600 + minute * 60 for hour in self.hours for minute in self.minutes)
        within = [later - earlier for earlier, later in pairwise(times)]
        overnight = [gap * _DAY_S - (times[-1] - times[0]) for gap in days]
        return min(*within, *overnight), max(*within, *overnight)

    def starts_a_month(self) -> tuple[float, int]:
        """Return how often the line matches in a month: on average, and in the busiest calendar month."""
        each_day = len(self.hours) * len(self.minutes)
        mean, most = _days_a_month(self)
        return mean * each_day, most * each_day


@lru_cache(maxsize=4096)
def parse(line: str) -> Cron:
    """Parse a line with five fields. Raises CronError for anything that a Kubernetes CronJob would reject."""
    texts = line.upper().split()
    if len(texts) != len(_FIELDS):
        raise CronError(f"a cron expression has five fields, but this has {len(texts)}")
    minutes, hours, days, months, weekdays = (_values(field, text) for field, text in zip(_FIELDS, texts, strict=True))
    any_day, any_weekday = (not _ANY.isdisjoint(texts[at].split(",")) for at in (2, 4))
    return Cron(minutes, hours, days, months, weekdays, any_day, any_weekday)


def _values(field: _Field, text: str) -> frozenset[int]:
    return frozenset(value for term in text.split(",") for value in _term(field, term))


def _term(field: _Field, term: str) -> range:
    """Parse one term of a field: `*`, `5`, `1-5`, or any of these with a step, such as `*/15`."""
    match = _TERM.fullmatch(term)
    if match is None:
        raise CronError(f"{term or 'nothing'} is not a valid {field.name}")
    first, last, step_text = match.groups()
    step = int(step_text) if step_text else 1
    if step == 0:
        raise CronError(f"the step of the {field.name} is 0")
    if first == "*":
        if last is not None:
            raise CronError(f"{term} is not a valid {field.name}")
        return range(field.low, field.high + 1, step)
    low = _number(field, first)
    high = _number(field, last) if last is not None else field.high if step_text else low
    if high < low:
        raise CronError(f"the {field.name} {term} ends before it begins")
    return range(low, high + 1, step)


def _number(field: _Field, text: str) -> int:
    if text in field.names:
        return field.names[text]
    if not text.isdecimal() or len(text) > 4:
        raise CronError(f"{text} is not a valid {field.name}")
    value = int(text)
    if not field.low <= value <= field.high:
        hint = " (Sunday is 0)" if field.name == "day of the week" and value == 7 else ""
        raise CronError(f"the {field.name} must be from {field.low} to {field.high}, not {value}{hint}")
    return value


@lru_cache(maxsize=1024)
def _day_gaps(cron: Cron) -> tuple[int, int] | None:
    """Return the shortest and longest distance between two matching days, in days."""
    days = _days(cron)
    first = days.find("1")
    if first < 0:
        return None
    between = set((days[first + 1 :] + days[:first] + "1").split("1")[:-1])
    distances = {len(gap) + 1 for gap in between}
    return min(distances), max(distances)


@lru_cache(maxsize=1024)
def _days_a_month(cron: Cron) -> tuple[float, int]:
    """Return the number of matching days in a month: the average over 28 years, and the maximum."""
    days = _days(cron)
    counts: list[int] = []
    start = 0
    while start < _CYCLE_DAYS:
        at = len(counts) % 12
        short = at == 1 and (len(counts) // 12) % 4 != 0  # the cycle begins with a leap year
        end = start + MONTH_DAYS[at] - short
        counts.append(days.count("1", start, end))
        start = end
    return sum(counts) / len(counts), max(counts)


def _days(cron: Cron) -> str:
    """Return a string covering 28 years, one character per day: `1` if the day matches, `0` otherwise."""
    months, days, weekdays = _calendar()
    chosen = _union(months, cron.months)
    if cron.any_day and cron.any_weekday:
        pass
    elif cron.any_weekday:
        chosen &= _union(days, cron.days)
    elif cron.any_day:
        chosen &= _union(weekdays, cron.weekdays)
    else:
        chosen &= _union(days, cron.days) | _union(weekdays, cron.weekdays)
    return f"{chosen:0{_CYCLE_DAYS}b}"


def _union(masks: Mapping[int, int], chosen: frozenset[int]) -> int:
    result = 0
    for value in chosen:
        result |= masks[value]
    return result


@lru_cache(maxsize=1)
def _calendar() -> tuple[dict[int, int], dict[int, int], dict[int, int]]:
    """Return bit masks of the days that match each month, date and weekday in the calendar's 28-year cycle."""
    months = dict.fromkeys(range(1, 13), 0)
    days = dict.fromkeys(range(1, 32), 0)
    bit = 1 << (_LEAP_CYCLE_DAYS - 1)
    for year in range(4):
        for month, length in enumerate(MONTH_DAYS, 1):
            for day in range(1, length + 1 - (month == 2 and year != 0)):
                months[month] |= bit
                days[day] |= bit
                bit >>= 1
    weekdays = {day: 1 << (6 - day) for day in range(7)}
    return _repeated(months, _LEAP_CYCLE_DAYS), _repeated(days, _LEAP_CYCLE_DAYS), _repeated(weekdays, 7)


def _repeated(masks: Mapping[int, int], length: int) -> dict[int, int]:
    """Repeat masks that are `length` days long over 28 years."""
    times = ((1 << _CYCLE_DAYS) - 1) // ((1 << length) - 1)
    return {value: mask * times for value, mask in masks.items()}
