"""Parse memory, CPU, durations, percentages and money exactly. None means an invalid quantity."""

from __future__ import annotations

from functools import lru_cache

from modelyard.patterns import pattern

_NUMBER = "([0-9]{1,15})(?:\\.([0-9]{1,9}))?"
_QUANTITY = pattern(_NUMBER + "([A-Za-z%]{0,3})")
_MONEY = pattern(_NUMBER + " ([A-Z]{3})")
_ACCELERATOR = pattern("([A-Za-z][A-Za-z0-9._-]{0,39}):([1-9][0-9]{0,3})")
_SECRET = pattern("secret://([^/#]+)/([^#]+)(?:#(.+))?")

_MEMORY = {
    **{letter + "i": 1024**power for power, letter in enumerate("KMGTP", 1)},
    **{letter: 1000**power for power, letter in enumerate("kMGTP", 1)},
    "K": 1000,
}
_DAY_MS = 86_400_000
_DURATION_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": _DAY_MS, "w": 7 * _DAY_MS}
_TEXT_UNITS = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
_YEARS = pattern("([0-9]{1,3})y")

# Cached, because a large spec contains the same few quantities thousands of times.


@lru_cache(maxsize=4096)
def memory_bytes(text: str) -> int | None:
    """Parse memory in powers of 1024 (`512Mi`, `16Gi`, `1.5Ti`) or 1000 (`16G`) as bytes."""
    return _scaled(text, _MEMORY)


@lru_cache(maxsize=4096)
def duration_ms(text: str) -> int | None:
    """Parse `10ms`, `30s`, `15m` (minutes), `6h`, `45d`, `2w` or `7y` as milliseconds.

    A year has 365 days, plus a leap day for every four years or fraction thereof. No span of that many calendar years
    is longer, so records kept for seven years are never deleted a day early.
    """
    years = _YEARS.fullmatch(text)
    if years is None:
        return _scaled(text, _DURATION_MS)
    count = int(years[1])
    return (365 * count + -(-count // 4)) * _DAY_MS


@lru_cache(maxsize=4096)
def duration_s(text: str) -> int | None:
    """Parse a duration as whole seconds. Returns None for fractional seconds as well."""
    milliseconds = duration_ms(text)
    return None if milliseconds is None or milliseconds % 1000 else milliseconds // 1000


def cpu_millis(value: str | float) -> int | None:
    """Parse `4`, `0.5` or `500m` as millicores. Returns None for finer fractions as well."""
    if isinstance(value, str):
        return _scaled(value, {"": 1000, "m": 1})
    millis = round(value * 1000)
    return millis if abs(millis - value * 1000) < 1e-6 and millis >= 0 else None


@lru_cache(maxsize=4096)
def fraction(text: str) -> float | None:
    """Parse a percentage from 0% to 100%, so that `20%` is 0.2.

    The result is the nearest float, so `99.95%` is 0.9995.
    """
    ratio = _ratio(text, {"%": 1})
    if ratio is None or ratio[0] > 100 * ratio[1]:
        return None
    return ratio[0] / (100 * ratio[1])


@lru_cache(maxsize=4096)
def whole_percent(text: str) -> int | None:
    """Parse `20%` as 20, at most 100. Fractions of a percent also return None."""
    percent = _scaled(text, {"%": 1})
    return None if percent is None or percent > 100 else percent


def money(text: str) -> tuple[float, str] | None:
    """Parse `18000 USD` as 18000.0 and `USD`."""
    match = _MONEY.fullmatch(text)
    if match is None:
        return None
    whole, part, currency = match.groups()
    return float(f"{whole}.{part or 0}"), currency


@lru_cache(maxsize=4096)
def accelerator(text: str) -> tuple[str, int] | None:
    """Parse `L4:2` as the name `L4` and the count 2."""
    match = _ACCELERATOR.fullmatch(text)
    return (match[1], int(match[2])) if match else None


@lru_cache(maxsize=4096)
def secret_parts(text: str) -> tuple[str, str, str] | None:
    """Parse `secret://store/path#key` as store, path and key. Without a key, it refers to a pair of keys."""
    match = _SECRET.fullmatch(text)
    return (match[1], match[2], match[3] or "") if match else None


def _scaled(text: str, units: dict[str, int]) -> int | None:
    ratio = _ratio(text, units)
    return None if ratio is None or ratio[0] % ratio[1] else ratio[0] // ratio[1]


def _ratio(text: str, units: dict[str, int]) -> tuple[int, int] | None:
    """Parse a number with one of the given units into a numerator and a denominator."""
    match = _QUANTITY.fullmatch(text)
    if match is None or match[3] not in units:
        return None
    part = match[2] or ""
    return int(match[1] + part) * units[match[3]], int(10 ** len(part))


def money_text(amount: float, currency: str) -> str:
    """Format money as `18000 USD`, or `18000.50 USD` if there are cents."""
    return f"{amount:.2f}".removesuffix(".00") + f" {currency}"


def duration_text(seconds: int) -> str:
    """Format a duration in the largest unit that divides it: `7d`, `36h`, `90s`."""
    return next(f"{seconds // size}{unit}" for unit, size in _TEXT_UNITS if seconds % size == 0)
