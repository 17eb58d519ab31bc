"""Tests that quantities are parsed exactly, and that any other text is refused."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard import units


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("512Mi", 512 * 1024**2),
        ("16Gi", 16 * 1024**3),
        ("1.5Ti", 3 * 1024**4 // 2),
        ("16G", 16 * 1000**3),
        ("0.5Mi", 1024**2 // 2),
        ("0.001Mi", None),
        ("16", None),
        ("16 Gi", None),
        ("Gi", None),
        ("-1Gi", None),
        ("1e3Gi", None),
        ("16gi", None),
        ("16Gi\n", None),
        ("٣Gi", None),
    ],
)
def test_memory_is_parsed_as_bytes(text: str, expected: int | None) -> None:
    """Units with an `i` are powers of 1024, all others powers of 1000. Fractions of a byte are refused."""
    assert units.memory_bytes(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10ms", 10),
        ("30s", 30_000),
        ("15m", 900_000),
        ("6h", 21_600_000),
        ("45d", 45 * 86_400_000),
        ("2w", 14 * 86_400_000),
        ("1y", 366 * 86_400_000),
        ("7y", 2557 * 86_400_000),
        ("0s", 0),
        ("1.5s", 1500),
        ("1.5y", None),
        ("1M", None),
        ("1", None),
        ("1h30m", None),
    ],
)
def test_durations_are_parsed_as_milliseconds(text: str, expected: int | None) -> None:
    """`m` means minutes, and months are not supported."""
    assert units.duration_ms(text) == expected


def test_years_are_never_shorter_than_on_the_calendar() -> None:
    """A number of years is at least as long as on the calendar, even if it starts just before a leap day."""
    for first in (date(2024, 2, 29), date(2096, 3, 1), *(date(year, 1, 1) for year in range(2024, 2032))):
        for years in (1, 2, 3, 4, 5, 7, 10, 30):
            day = first.day if (first.month, first.day) != (2, 29) else 28
            on_the_calendar = (first.replace(year=first.year + years, day=day) - first).days

            assert (units.duration_s(f"{years}y") or 0) >= on_the_calendar * 86400


def test_seconds_must_be_whole() -> None:
    assert units.duration_s("90m") == 5400
    assert units.duration_s("2000ms") == 2
    assert units.duration_s("10ms") is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [(4, 4000), (0.5, 500), ("500m", 500), ("4", 4000), ("0.25", 250), (0.0125, None), ("0.5m", None), ("4 cpu", None)],
)
def test_cpu_is_parsed_as_thousandths(value: str | float, expected: int | None) -> None:
    assert units.cpu_millis(value) == expected


@given(st.decimals(min_value=0, max_value=100, places=4))
def test_a_percentage_is_the_nearest_float(percent: Decimal) -> None:
    """A percentage is parsed as the float nearest to its decimal fraction."""
    assert units.fraction(f"{percent}%") == float(percent / 100)


@pytest.mark.parametrize("text", ["101%", "100.01%", "20", "%", "-1%", "20 %"])
def test_invalid_percentages_are_refused(text: str) -> None:
    assert units.fraction(text) is None


def test_whole_percentages_are_parsed() -> None:
    assert units.whole_percent("10%") == 10
    assert units.whole_percent("10.5%") is None
    assert units.whole_percent("101%") is None


def test_money_is_parsed_with_its_currency() -> None:
    assert units.money("18000 USD") == (18000.0, "USD")
    assert units.money("0.85 EUR") == (0.85, "EUR")
    assert units.money("18000USD") is None
    assert units.money("18000 usd") is None


def test_accelerators_are_parsed_with_their_count() -> None:
    assert units.accelerator("L4:2") == ("L4", 2)
    assert units.accelerator("A100-80GB:8") == ("A100-80GB", 8)
    assert units.accelerator("L4") is None
    assert units.accelerator("L4:0") is None


def test_secret_references_are_parsed() -> None:
    assert units.secret_parts("secret://vault/a/b#key") == ("vault", "a/b", "key")
    assert units.secret_parts("secret://vault/lake") == ("vault", "lake", "")
    assert units.secret_parts("vault/lake#key") is None


@given(st.text(max_size=30))
def test_any_text_is_a_quantity_or_none(text: str) -> None:
    """Unusual characters never cause an exception."""
    for read in (units.memory_bytes, units.duration_s, units.cpu_millis, units.fraction, units.whole_percent):
        value = read(text)
        assert value is None or value >= 0
    assert units.money(text) is None or text[-4] == " "


@given(st.integers(min_value=0, max_value=10**15 - 1), st.sampled_from(["Mi", "Gi", "Ti", "M", "G", "T"]))
def test_memory_of_any_size_is_exact(number: int, unit: str) -> None:
    """Memory is computed without rounding or overflow."""
    base, power = (1024 if unit.endswith("i") else 1000), "MGT".index(unit[0]) + 2

    assert units.memory_bytes(f"{number}{unit}") == number * base**power


@pytest.mark.parametrize(
    ("amount", "text"), [(18000.0, "18000 USD"), (0.5, "0.50 USD"), (1234.567, "1234.57 USD"), (0.0, "0 USD")]
)
def test_cents_are_printed_if_there_are_any(amount: float, text: str) -> None:
    assert units.money_text(amount, "USD") == text
