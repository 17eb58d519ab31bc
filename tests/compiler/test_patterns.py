"""Tests that regular expressions compiled on first use behave like any others."""

from __future__ import annotations

import re

import pytest

from modelyard.patterns import pattern


def test_a_pattern_matches_like_a_compiled_one() -> None:
    lazy, compiled = pattern("([a-z]+)([0-9])", re.IGNORECASE), re.compile("([a-z]+)([0-9])", re.IGNORECASE)

    for text in ("Ab1", "x ab2 c3", "1"):
        assert [match.groups() for match in lazy.finditer(text)] == [
            match.groups() for match in compiled.finditer(text)
        ]
        assert lazy.sub("-", text) == compiled.sub("-", text)
        assert (lazy.fullmatch(text) is None) == (compiled.fullmatch(text) is None)


def test_bytes_patterns_are_supported() -> None:
    assert pattern(rb"\d+").findall(b"a12 b3") == [b"12", b"3"]


def test_nothing_is_compiled_before_it_is_used() -> None:
    wrong = pattern("(")

    with pytest.raises(re.error):
        wrong.match("")


def test_a_pattern_has_the_attributes_of_a_compiled_one() -> None:
    assert pattern("(a)(b)").groups == 2
    assert pattern("a", re.IGNORECASE).flags & re.IGNORECASE
