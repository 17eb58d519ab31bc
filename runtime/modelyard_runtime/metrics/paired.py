"""Confidence intervals for the difference between two models, using a paired bootstrap over rows or keys."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Places = npt.NDArray[np.int64]
    Gain = Callable[[Places, Places], float]

_SEED = 0
_MOST, _FEWEST = 1000, 200
_WORK = 50_000_000
"""The approximate number of rows to draw in all resamples. Larger datasets need fewer resamples."""

_FEWEST_UNITS = 10
_MOST_WITHOUT = 0.1  # the share of resamples for which the metric may be undefined, as recall is without positives


def interval(gain: Gain, units: Places, confidence: float) -> tuple[float, float] | None:
    """Return the confidence interval of a gain, or None if there are too few rows.

    `units` holds the unit of each row, and the rows of a unit are drawn together. `gain` receives the positions of the
    drawn rows along with the index of each row's draw, which distinguishes repeated draws of the same unit.
    """
    import numpy as np

    order = np.argsort(units, kind="stable")
    starts = np.flatnonzero(np.diff(units[order], prepend=units[order[:1]] - 1))
    lengths = np.diff(np.append(starts, len(units)))
    if len(starts) < _FEWEST_UNITS:
        return None
    random = np.random.default_rng(_SEED)
    draws = int(np.clip(_WORK // len(units), _FEWEST, _MOST))
    gains = np.empty(draws)
    for draw in range(draws):
        drawn = random.integers(0, len(starts), len(starts))
        sizes = lengths[drawn]
        numbers = np.repeat(np.arange(len(drawn)), sizes)
        within = np.arange(len(numbers)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        gains[draw] = gain(order[np.repeat(starts[drawn], sizes) + within], numbers)
    finite = gains[np.isfinite(gains)]
    if len(finite) < draws * (1 - _MOST_WITHOUT):
        return None
    low, high = np.quantile(finite, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
