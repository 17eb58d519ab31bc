"""Measures how far a column has drifted from its reference, using a profile and new values.

PSI, KS, chi-square, Jensen-Shannon and Wasserstein are defined as in scipy.stats (ks_2samp's statistic,
wasserstein_distance, chi2_contingency's statistic over its degrees of freedom) and scipy.spatial.distance
(jensenshannon in base 2), which tests compare them with. Bins and categories that are too rare to compare are merged.
Each measure is reported along with the probability of a value this large without any drift.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.statistics.chance import Sizes, excess, grouped, of_area, of_distance, of_table
from modelyard_runtime.statistics.profiles import QUANTILES, REST, Profile, numbers_in, texts_in

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Numbers = npt.NDArray[np.float64]

FEWEST_VALUES = 30
"""Distributions of fewer values are not measured, because random variation outweighs any drift."""

_BINS = 10
_LEAST = 1e-4  # a share of zero would make PSI infinite
_COMMON = 0.01  # categories with a smaller share are merged before the comparison
_ONCE = 1.5
_RESOLUTION = 1 / (QUANTILES - 1)  # the accuracy of shares that are computed from quantiles


@dataclass(frozen=True, slots=True)
class Shift:
    """How far a column has drifted, and the probability of drifting at least this much by chance."""

    value: float
    chance: float


@dataclass(frozen=True, slots=True)
class Turn:
    """The direction of a column's change (1 up, -1 down, 0 if unordered), and a description of the change."""

    direction: float
    words: str


class Grid:
    """The points of a numeric reference. Values are counted below, at and between them.

    Index 2k + 1 counts values at the k-th point, and index 2k counts those between it and the previous point.
    """

    def __init__(self, quantiles: Numbers) -> None:
        import numpy as np

        self.points, first, many = np.unique(quantiles, return_index=True, return_counts=True)
        last = max(len(quantiles) - 1, 1)
        self.before: Numbers = first / last  # share of the reference below each point
        self.upto: Numbers = (first + many - 1) / last  # up to and including the point
        step = (many[:-1] > 1) & (many[1:] > 1)  # the reference has no values between two repeated values
        self.before[1:][step] = self.upto[:-1][step]
        self._heavy = many > len(quantiles) / (2 * _BINS)
        deciles = quantiles[np.linspace(0, len(quantiles) - 1, _BINS + 1).astype(int)[1:-1]]
        edges = np.searchsorted(self.points, np.unique(deciles))
        # Each decile starts a bin. A value with a large share has its own bin.
        heavy = edges[self._heavy[edges]]
        self.starts = np.unique(np.concatenate(([0], 2 * edges + 1, 2 * heavy + 2)))

    @property
    def places(self) -> int:
        """Return the total number of points and intervals."""
        return 2 * len(self.points) + 1

    def count(self, values: Numbers) -> tuple[Numbers, Numbers]:
        """Return the number of values at each index, and the sum of their distances from the previous point."""
        import numpy as np

        counts, above = np.zeros(self.places), np.zeros(self.places)
        if not len(values):
            return counts, above
        # Searching for points among sorted values is several times faster than for values among points.
        ordered = np.sort(values)
        ends = np.empty(self.places, dtype=np.int64)
        ends[0:-1:2] = np.searchsorted(ordered, self.points, side="left")
        ends[1::2] = np.searchsorted(ordered, self.points, side="right")
        ends[-1] = len(ordered)
        occurrences = np.diff(ends, prepend=0)
        occupied = np.flatnonzero(occurrences)
        before = self.points[np.maximum((occupied - 1) // 2, 0)]
        counts[occupied] = occurrences[occupied]
        above[occupied] = np.add.reduceat(
            ordered - np.repeat(before, occurrences[occupied]), ends[occupied] - occurrences[occupied]
        )
        return counts, above

    def mean(self) -> float:
        """Return the mean of the reference, approximated from its points."""
        shares, between = self.shares(), (self.points[1:] + self.points[:-1]) / 2
        return float((self.points * shares[1::2]).sum() + (between * shares[2:-1:2]).sum())

    def mean_of(self, counts: Numbers, above: Numbers) -> float:
        """Return the mean of the counted values."""
        import numpy as np

        before = self.points[np.maximum((np.arange(self.places) - 1) // 2, 0)]
        return float((counts * before + above).sum() / counts.sum())

    def between(self, start: int, end: int) -> tuple[float, float]:
        """Return the points that enclose the indices from `start` up to `end`."""
        last = len(self.points) - 1
        return float(self.points[min(max(start - 1, 0) // 2, last)]), float(self.points[min((end - 1) // 2, last)])

    def shares(self) -> Numbers:
        """Return the share of the reference values at each index."""
        import numpy as np

        shares = np.zeros(self.places)
        shares[1::2] = self.upto - self.before
        shares[2:-1:2] = self.before[1:] - self.upto[:-1]
        return shares


class Moved:
    """Counts of new values in a column, collected in batches for comparison with the column's reference."""

    def __init__(self, reference: Profile) -> None:
        import numpy as np

        self._reference = reference
        points = reference.quantiles
        self._grid = Grid(points) if points is not None and len(points) else None
        self._names = {name: place for place, name in enumerate(reference.shares or {}) if name != REST}
        size = self._grid.places if self._grid else len(self._names) + 1  # the last one counts unknown categories
        self._counts: Numbers = np.zeros(size)
        self._above: Numbers = np.zeros(size)

    def add(self, column: pd.Series) -> None:
        """Count more rows of the column."""
        import numpy as np

        if self._grid is not None:
            values = numbers_in(column)
            if values is None and column.notna().any():
                raise Refusal(f"column {column.name!r} contained numbers and now contains something else")
            if values is not None:
                counts, above = self._grid.count(values)
                self._counts += counts
                self._above += above
        elif self._reference.shares is not None:
            for name, count in texts_in(column).value_counts().items():
                self._counts[self._names.get(str(name), len(self._names))] += int(np.int64(count))

    def merge(self, other: Moved) -> None:
        """Add the counts of other rows."""
        self._counts += other._counts
        self._above += other._above

    def measure(self, metric: str) -> float | None:
        """Compute a drift measure. Returns None if there are no values or it's undefined, e.g. KS for categories."""
        shift = self.shift(metric)
        return None if shift is None else shift.value

    def shift(self, metric: str) -> Shift | None:
        """Compute a drift measure and its probability by chance. Returns None in the same cases as `measure`."""
        if metric not in _NUMERIC and metric not in _BY_SHARES:
            raise Refusal(f"{metric!r} is not a drift metric; supported: {', '.join((*_BY_SHARES, *_NUMERIC))}")
        sizes = Sizes(float(self._reference.rows - self._reference.missing), float(self._counts.sum()))
        if sizes.now < FEWEST_VALUES or not sizes.then:
            return None
        if metric in _BY_SHARES:
            then, now, single = self._groups(sizes)
            chance = of_table(_statistic(self._nearest(then, now), now, sizes), len(then))
            return Shift(_BY_SHARES[metric](then, now, sizes), min(2 * min(chance, single), 1.0))
        if self._grid is None:
            return None
        return _NUMERIC[metric](self._grid, self._counts, self._above, sizes)

    @property
    def values(self) -> int:
        """Return the number of counted values."""
        return int(self._counts.sum())

    def turn(self) -> Turn:
        """Return the direction of the column's change, and the range or category that gained the most."""
        import numpy as np

        sizes = Sizes(float(self._reference.rows - self._reference.missing), float(self._counts.sum()))
        if self._grid is None:
            then, now = self._names_then_and_now(sizes)
            index = int(np.argmax(now - then))
            name = [*self._names, "values without a name in the reference"][index]
            return Turn(0.0, f"{name} has {now[index]:.1%} of the values instead of {then[index]:.1%}")
        before, after = self._grid.mean(), self._grid.mean_of(self._counts, self._above)
        starts = self._grid.starts
        gained = np.add.reduceat(self._counts, starts) / sizes.now - np.add.reduceat(self._grid.shares(), starts)
        index = int(np.argmax(gained))
        first, last = self._grid.between(int(starts[index]), int([*starts[1:], self._grid.places][index]))
        direction = "up" if after > before else "down"
        range_text = f"{first:g}" if first == last else f"{first:g} to {last:g}"
        movement = f"it went {direction}, from {before:g} to {after:g} on average"
        words = f"{movement}; {range_text} has gained {gained[index]:.1%} of the rows"
        return Turn(float(np.sign(after - before)), words)

    def beyond(self) -> float | None:
        """Return the share of values unknown to the reference, i.e. out of its range or in an unknown category."""
        total = float(self._counts.sum())
        if not total:
            return None
        if self._grid is not None:
            return float(self._counts[0] + self._counts[-1]) / total
        rest_share = (self._reference.shares or {}).get(REST, 0.0)
        return max(float(self._counts[-1]) / total - rest_share, 0.0)

    def _groups(self, sizes: Sizes) -> tuple[Numbers, Numbers, float]:
        """Return the shares to compare, in the reference and now, and the smallest probability of any single bin."""
        import numpy as np

        if self._grid is not None:
            starts = self._grid.starts
            then = np.add.reduceat(self._grid.shares(), starts)
            now = np.add.reduceat(self._counts, starts) / sizes.now
            grown = excess(self._nearest(then, now), now, sizes)
            return *grouped(then, now, grown, sizes), float(grown.min())
        then, now = self._names_then_and_now(sizes)
        grown = excess(then, now, sizes)
        rare = then * (1 - sizes.part) + now * sizes.part < _COMMON
        if (self._reference.shares or {}).get(REST):  # which rare categories have names is random, so REST may grow
            rare[-1], grown[-1] = True, 1.0
        return *grouped(then, now, grown, sizes, rare), float(grown.min())

    def _names_then_and_now(self, sizes: Sizes) -> tuple[Numbers, Numbers]:
        """Return the shares of categories in the reference and now. The last share is for unnamed categories.

        A value that occurs once in the reference could just as well be missing from it. Even without drift, as many
        rows as there are such values may have new categories (I. J. Good, Biometrika 1953).
        """
        import numpy as np

        shares = self._reference.shares or {}
        then = np.array([shares[name] for name in self._names] + [shares.get(REST, 0.0)])
        # The indices follow the order of the names, even if REST is among them.
        now = np.array([self._counts[place] for place in self._names.values()] + [self._counts[-1]]) / sizes.now
        once = np.flatnonzero(then[:-1] * sizes.then < _ONCE)
        unknown = min(max(now[-1] - then[-1], 0.0), float(then[once].sum()))
        if unknown:
            then[once] -= then[once] * (unknown / then[once].sum())
            then[-1] += unknown
        return then, now

    def _nearest(self, then: Numbers, now: Numbers) -> Numbers:
        """Return the reference shares closest to the current ones, within the accuracy of the quantiles."""
        import numpy as np

        if self._grid is None:
            return then
        return then + np.clip(now - then, -_RESOLUTION, _RESOLUTION)


def drift(metric: str, reference: Profile, column: pd.Series) -> float | None:
    """Measure the drift of a single column that fits in memory."""
    moved = Moved(reference)
    moved.add(column)
    return moved.measure(metric)


def _psi(then: Numbers, now: Numbers, _sizes: Sizes) -> float:
    import numpy as np

    expected, actual = np.maximum(then, _LEAST), np.maximum(now, _LEAST)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def _js(then: Numbers, now: Numbers, _sizes: Sizes) -> float:
    import numpy as np

    middle = (then + now) / 2

    def divergence(part: Numbers) -> float:
        positive = part > 0
        return float((part[positive] * np.log2(part[positive] / middle[positive])).sum())

    return float(np.sqrt(max((divergence(then) + divergence(now)) / 2, 0.0)))


def _chi2(then: Numbers, now: Numbers, sizes: Sizes) -> float:
    """Divide chi-square by its degrees of freedom. It averages 1 without drift, and grows with the rows otherwise."""
    return _statistic(then, now, sizes) / max(len(then) - 1, 1)


def _statistic(then: Numbers, now: Numbers, sizes: Sizes) -> float:
    import numpy as np

    table = np.stack((then * sizes.then, now * sizes.now))
    table = table[:, table.sum(axis=0) > 0]
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(((table - expected) ** 2 / expected).sum())


def _ks(grid: Grid, counts: Numbers, _above: Numbers, sizes: Sizes) -> Shift:
    import numpy as np

    now = np.cumsum(counts) / sizes.now
    distance = float(max(np.abs(now[0:-1:2] - grid.before).max(), np.abs(now[1::2] - grid.upto).max()))
    return Shift(distance, of_distance(distance - _RESOLUTION, sizes))


def _wasserstein(grid: Grid, counts: Numbers, above: Numbers, sizes: Sizes) -> Shift:
    """Return the area between the two distributions, exact outside the reference and approximate inside it."""
    import numpy as np

    width = np.diff(grid.points)
    now = np.cumsum(counts)[1:-2:2] / sizes.now  # up to each point except the last
    under_now = width * now + (width * counts[2:-1:2] - above[2:-1:2]) / sizes.now
    under_then = width * (grid.upto[:-1] + grid.before[1:]) / 2
    outside = float(above[-1] - above[0]) / sizes.now
    between = np.abs(under_now - under_then)
    unknown = width * (grid.before[1:] - grid.upto[:-1]) / 2  # the reference's values may be anywhere in the interval
    lower_bound = float(np.maximum(between - unknown, 0.0).sum()) + outside
    return Shift(float(between.sum()) + outside, of_area(lower_bound, *_area_by_chance(grid), sizes))


def _area_by_chance(grid: Grid) -> tuple[float, float, float]:
    """Return the mean area between the reference and n of its values, times sqrt(n), the deviation, and the range."""
    import numpy as np

    cumulative, width = (grid.upto[:-1] + grid.before[1:]) / 2, np.diff(grid.points)
    mean = float((np.sqrt(cumulative * (1 - cumulative)) * width).sum()) * (2 / np.pi) ** 0.5
    shares, middle = grid.shares(), grid.mean()
    square = ((grid.points - middle) ** 2 * shares[1::2]).sum()
    square += (((grid.points[1:] - middle) ** 2 + (grid.points[:-1] - middle) ** 2) / 2 * shares[2:-1:2]).sum()
    return mean, float(square) ** 0.5, float(grid.points[-1] - grid.points[0])


_BY_SHARES: dict[str, Callable[[Numbers, Numbers, Sizes], float]] = {"psi": _psi, "js": _js, "chi2": _chi2}
_NUMERIC: dict[str, Callable[[Grid, Numbers, Numbers, Sizes], Shift]] = {"ks": _ks, "wasserstein": _wasserstein}
