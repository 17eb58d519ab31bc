"""Estimates how likely a drift measure is to occur by chance, given the sizes of the reference and the window.

With few rows, a measure is large even without drift. For example, PSI in B bins averages (B - 1) * (1/n + 1/m). For
each measure, this module computes an upper bound on the probability of a value at least as large if nothing has
changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

UNLIKELY = 0.001
"""A difference counts as drift only if its probability by chance alone is at most this."""

_FEWEST_EXPECTED = 5.0
"""The minimum expected count per cell for the chi-square distribution (W. G. Cochran, Biometrics 1954)."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """The number of values in the reference and in the window."""

    then: float
    now: float

    @property
    def part(self) -> float:
        """Return the share of all values that are in the window."""
        return self.now / (self.now + self.then)

    @property
    def spread(self) -> float:
        """Return the variance of the difference between two means, in units of the variance of a single value."""
        return 1 / self.now + 1 / max(self.then, 1.0)


def excess(then: Numbers, now: Numbers, sizes: Sizes) -> Numbers:
    """Return the probability of each bin's count or more occurring by chance, times the number of bins.

    Each value in a bin is in the window with the same probability, so the result is exact even for rare bins.
    """
    import numpy as np
    from scipy import special

    counts, before = now * sizes.now, then * sizes.then
    chances: Numbers = special.betainc(np.maximum(counts, 1e-9), before + 1, sizes.part)
    bounded: Numbers = np.minimum(np.where(counts > 0, chances, 1.0) * len(then), 1.0)
    return bounded


def grouped(
    then: Numbers, now: Numbers, grown: Numbers, sizes: Sizes, rare: npt.NDArray[np.bool_] | None = None
) -> tuple[Numbers, Numbers]:
    """Merge bins until they are large enough to compare, and return their shares.

    Adjacent bins are merged until they are unlikely to be empty by chance. Rare bins are merged into one. A bin that
    has grown by more than chance stays separate, no matter how small it was.
    """
    import numpy as np

    weights = (then * (1 - sizes.part) + now * sizes.part) * min(sizes.then, sizes.now)
    places = _places(weights, grown <= UNLIKELY, np.zeros(len(then), dtype=np.bool_) if rare is None else rare)
    count = int(places.max()) + 1
    before, after = (np.bincount(places, shares, count).astype(np.float64) for shares in (then, now))
    return before, after


def _places(weights: Numbers, separate: npt.NDArray[np.bool_], rare: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """Return the index of the group to which each bin belongs."""
    import numpy as np

    places = np.full(len(weights), -1, dtype=np.int64)
    shared = np.flatnonzero(~separate & ~rare)
    count, weight = 0, 0.0
    for index in shared:
        places[index] = count
        weight += float(weights[index])
        if weight >= _FEWEST_EXPECTED:
            count, weight = count + 1, 0.0
    if weight and count:  # the remainder is too small for its own bin
        places[places == count] = count - 1
    count = int(places.max()) + 1
    rare_bins = np.flatnonzero(rare & ~separate)
    if len(rare_bins):
        places[rare_bins] = count
        if weights[rare_bins].sum() < _FEWEST_EXPECTED and count:
            places[rare_bins] = count - 1
        count = int(places.max()) + 1
    separate_bins = np.flatnonzero(separate)
    places[separate_bins] = count + np.arange(len(separate_bins))
    return places


def of_table(statistic: float, bins: int) -> float:
    """Return the probability of a chi-square statistic at least this large."""
    from scipy import special

    return float(special.chdtrc(bins - 1, statistic)) if bins > 1 else 1.0


def of_distance(distance: float, sizes: Sizes) -> float:
    """Return the probability that two empirical distributions differ by at least this much at any point."""
    from scipy import special

    return float(special.kolmogorov(max(distance, 0.0) / sizes.spread**0.5))


def of_area(area: float, mean: float, deviation: float, width: float, sizes: Sizes) -> float:
    """Return an upper bound on the probability that the area between two empirical distributions is this large.

    The area is the largest difference of means over all functions with a slope of at most 1. How far such a supremum
    exceeds its mean is bounded by the deviation and the range of a value (O. Bousquet, Comptes Rendus Mathématique
    2002).
    """
    import math

    expected, single_effect = mean * sizes.spread**0.5, width / min(sizes.then, sizes.now)
    above = area - expected
    if above <= 0:
        return 1.0
    variance = deviation**2 * sizes.spread + 2 * single_effect * expected + single_effect * above / 3
    return math.exp(-(above**2) / (2 * variance)) if variance else 0.0
