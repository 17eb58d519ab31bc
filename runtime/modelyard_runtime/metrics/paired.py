"""How sure a difference between two models is: a paired bootstrap, over rows or over whole keys."""

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
"""Rows that are measured in all: of many rows each draw tells more, and takes longer."""

_FEWEST_UNITS = 10
_MOST_WITHOUT = 0.1  # of the draws may have no value, such as recall where nothing is positive


def interval(gain: Gain, units: Places, confidence: float) -> tuple[float, float] | None:
    """Between which bounds a gain lies with this confidence; None where the rows are too few to say.

    `units` says for each row which unit it is of; rows of one are drawn together. `gain` gets the places of the rows
    that were drawn and the number of the draw that each came by, which differs where a unit was drawn twice.
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
    known = gains[np.isfinite(gains)]
    if len(known) < draws * (1 - _MOST_WITHOUT):
        return None
    low, high = np.quantile(known, [(1 - confidence) / 2, (1 + confidence) / 2])
    return float(low), float(high)
