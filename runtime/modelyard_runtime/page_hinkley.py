"""The Page-Hinkley test: whether the mean of a sequence has risen.

Source: E. S. Page, Continuous Inspection Schemes, Biometrika 1954.
"""

from __future__ import annotations

from collections.abc import Iterable

TOLERANCE = 0.005
"""How much a value may lie above the mean so far without counting."""


def page_hinkley(values: Iterable[float], tolerance: float = TOLERANCE) -> float:
    """The greatest rise of the cumulated excess over its least value so far; 0 where nothing rises."""
    mean = total = least = greatest = 0.0
    for count, value in enumerate(values, start=1):
        mean += (float(value) - mean) / count
        total += float(value) - mean - tolerance
        least = min(least, total)
        greatest = max(greatest, total - least)
    return greatest
