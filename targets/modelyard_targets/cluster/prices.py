"""Prices in words, and the hours that a month is counted with."""

from __future__ import annotations

from typing import Final

HOURS_OF_A_MONTH: Final = 730


def money(amount: float, currency: str) -> str:
    """`18000 USD`, or with cents where there are any."""
    return f"{amount:.2f}".removesuffix(".00") + f" {currency}"
