"""Prices in words."""

from __future__ import annotations

import pytest

from modelyard_targets.cluster.prices import money


@pytest.mark.parametrize(
    ("amount", "text"), [(18000.0, "18000 USD"), (0.5, "0.50 USD"), (1234.567, "1234.57 USD"), (0.0, "0 USD")]
)
def test_cents_are_told_where_there_are_any(amount: float, text: str) -> None:
    assert money(amount, "USD") == text
