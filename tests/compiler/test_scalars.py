"""Tests that plain scalars are parsed according to the YAML 1.2 core schema."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.load.scalars import plain_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None), ("~", None), ("null", None), ("Null", None), ("nUll", "nUll"),
        ("true", True), ("FALSE", False), ("yes", "yes"), ("no", "no"), ("on", "on"), ("y", "y"),
        ("0", 0), ("-12", -12), ("+7", 7), ("0777", 777), ("0o17", 15), ("0x1F", 31), ("0b1", "0b1"),
        ("1_000", "1_000"),
        ("1.5", 1.5), (".5", 0.5), ("1.", 1.0), ("1e3", 1000.0), ("-1E-2", -0.01), (".", "."), ("-", "-"), ("+.", "+."),
        ("22:22", "22:22"), ("2024-01-01", "2024-01-01"), ("1.2.3", "1.2.3"), ("0o8", "0o8"), ("12e", "12e"),
        ("١٢", "١٢"), ("1\n", "1\n"), (".inf", math.inf), ("-.INF", -math.inf), ("0x", "0x"), ("<<", "<<"),
    ],
)  # fmt: skip
def test_plain_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    """YAML 1.1 keywords are plain text, as are dates, times and non-ASCII digits."""
    result = plain_value(text)

    assert result == value
    assert type(result) is type(value)


def test_nan_is_read() -> None:
    """`.nan` is parsed as a number, which a later stage refuses."""
    result = plain_value(".nan")

    assert isinstance(result, float)
    assert math.isnan(result)


@given(st.integers())
def test_every_integer_is_preserved(value: int) -> None:
    assert plain_value(str(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_float_is_preserved(value: float) -> None:
    assert plain_value(repr(value)) == value


def test_a_very_long_integer_is_shortened() -> None:
    """Python parses at most 4,300 digits. Longer integers are shortened, but still refused as too large."""
    assert plain_value("9" * 100_000) == int("9" * 400)
    assert plain_value("0" * 100_000 + "7") == 7
