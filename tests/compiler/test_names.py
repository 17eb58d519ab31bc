"""Tests that object names are readable, bounded and deterministic, and stay distinct when shortened."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.names import HASH_LENGTH, LONGEST, object_name

LABEL = re.compile("[a-z]([a-z0-9-]*[a-z0-9])?")
names = st.from_regex(re.compile(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?"), fullmatch=True)


@pytest.mark.parametrize(("parts", "name"), [(("scorer",), "scorer"), (("scorer", "champion"), "scorer-champion")])
def test_short_labels_are_unchanged(parts: tuple[str, ...], name: str) -> None:
    assert object_name(*parts) == name


def test_long_names_keep_their_beginning() -> None:
    """The name keeps its beginning and ends with a hash of the full text."""
    name = object_name("card-payments-fraud-scorer-frankfurt", "challenger-with-graph-features")

    assert len(name) == LONGEST
    assert name.startswith("card-payments-fraud-scorer-frankfurt-")
    assert len(name.rpartition("-")[2]) == HASH_LENGTH


def test_invalid_labels_are_rewritten() -> None:
    assert LABEL.fullmatch(object_name("vault", "Team/ML_ops", "API KEY"))
    assert object_name("vault", "a_b") != object_name("vault", "a-b") != object_name("vault", "a.b")


def test_a_limit_below_16_is_rejected() -> None:
    with pytest.raises(ValueError, match="no room"):
        object_name("a", limit=15)


@given(st.lists(st.text(max_size=60), min_size=1, max_size=4), st.integers(16, 63))
def test_every_name_is_a_label_within_its_limit(parts: list[str], limit: int) -> None:
    name = object_name(*parts, limit=limit)

    assert LABEL.fullmatch(name)
    assert len(name) <= limit
    assert name == object_name(*parts, limit=limit)


@given(st.sets(st.tuples(names, names), min_size=2, max_size=40), st.integers(16, 63))
def test_shortening_keeps_different_names_different(pairs: set[tuple[str, str]], limit: int) -> None:
    """Two shortened names are equal only if the full names were equal."""
    originals: dict[str, str] = {}
    for pair in pairs:
        assert originals.setdefault(object_name(*pair, limit=limit), "-".join(pair)) == "-".join(pair)
