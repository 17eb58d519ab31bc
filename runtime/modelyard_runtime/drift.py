"""How far a column has moved from its reference, from a profile and new values.

PSI, KS, chi-square, Jensen-Shannon and Wasserstein, defined as in scipy.stats (ks_2samp's statistic,
wasserstein_distance, chi2_contingency's statistic over its degrees of freedom) and scipy.spatial.distance
(jensenshannon in base 2); the tests hold them against these.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from modelyard_runtime.profiles import Profile, profile
from modelyard_runtime.refusals import Refusal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

    Numbers = npt.NDArray[np.float64]

_BINS = 10
_LEAST = 1e-4  # a share of zero would make PSI infinite


def drift(metric: str, reference: Profile, column: pd.Series) -> float | None:
    """The measure of one column; None where it is not defined for its kind, such as KS of a category."""
    current = profile(column)
    if metric == "missing":
        return current.missing_share
    if not reference.rows or current.rows == current.missing:
        return None
    if metric in _NUMERIC and reference.quantiles is not None and len(reference.quantiles):
        if current.quantiles is None:
            raise Refusal(f"column {column.name!r} held numbers and now holds something else")
        return _NUMERIC[metric](reference.quantiles, column.dropna().to_numpy(dtype=float))
    if metric in _BY_SHARES:
        return _BY_SHARES[metric](*_shares(reference, current, column))
    if metric in _NUMERIC:
        return None
    raise Refusal(f"{metric!r} is no measure of drift; known are {', '.join((*_BY_SHARES, *_NUMERIC, 'missing'))}")


def _shares(reference: Profile, current: Profile, column: pd.Series) -> tuple[Numbers, Numbers, int, int]:
    """The parts of the rows in the same bins, of reference and of new values, and how many rows each has."""
    import numpy as np

    counts = reference.rows - reference.missing, current.rows - current.missing
    if reference.quantiles is not None and len(reference.quantiles):
        values = column.dropna().to_numpy(dtype=np.float64)
        inner = np.unique(
            np.interp(
                np.linspace(0, 1, _BINS + 1)[1:-1], np.linspace(0, 1, len(reference.quantiles)), reference.quantiles
            )
        )
        edges = np.concatenate(([-np.inf], inner, [np.inf]))
        then = _histogram_of_quantiles(reference.quantiles, edges)
        now = np.histogram(values, edges)[0] / max(len(values), 1)
        return then, now, *counts
    then_by, now_by = reference.shares or {}, current.shares or {}
    names = [*then_by, *(name for name in now_by if name not in then_by)]
    return (
        np.array([then_by.get(name, 0.0) for name in names]),
        np.array([now_by.get(name, 0.0) for name in names]),
        *counts,
    )


def _histogram_of_quantiles(points: Numbers, edges: Numbers) -> Numbers:
    import numpy as np

    found: Numbers = np.histogram(points, edges)[0] / len(points)
    return found


def _psi(then: Numbers, now: Numbers, _then_rows: int, _now_rows: int) -> float:
    import numpy as np

    expected, actual = np.maximum(then, _LEAST), np.maximum(now, _LEAST)
    return float(((actual - expected) * np.log(actual / expected)).sum())


def _js(then: Numbers, now: Numbers, _then_rows: int, _now_rows: int) -> float:
    import numpy as np

    middle = (then + now) / 2

    def divergence(part: Numbers) -> float:
        held = part > 0
        return float((part[held] * np.log2(part[held] / middle[held])).sum())

    return float(np.sqrt(max((divergence(then) + divergence(now)) / 2, 0.0)))


def _chi2(then: Numbers, now: Numbers, then_rows: int, now_rows: int) -> float:
    """The statistic over its degrees of freedom: about 1 where nothing moved, whatever the number of rows and bins."""
    import numpy as np

    table = np.stack((then * then_rows, now * now_rows))
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2:
        return 0.0
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(((table - expected) ** 2 / expected).sum() / (table.shape[1] - 1))


def _ks(points: Numbers, values: Numbers) -> float:
    import numpy as np

    ordered = np.sort(values)
    then = np.interp(ordered, points, np.linspace(0, 1, len(points)), left=0.0, right=1.0)
    if (np.diff(points) == 0).any():  # steps of the reference: the share up to and including each value
        then = np.searchsorted(points, ordered, side="right") / len(points)
    after = np.searchsorted(ordered, ordered, side="right") / len(ordered)
    before = np.searchsorted(ordered, ordered, side="left") / len(ordered)
    below = np.searchsorted(points, ordered, side="left") / len(points) if (np.diff(points) == 0).any() else then
    return float(max(np.abs(after - then).max(), np.abs(before - below).max()))


def _wasserstein(points: Numbers, values: Numbers) -> float:
    import numpy as np

    at = (np.arange(len(points) * 4) + 0.5) / (len(points) * 4)
    then = np.interp(at, np.linspace(0, 1, len(points)), points)
    now = np.quantile(values, at)
    return float(np.abs(then - now).mean())


_BY_SHARES: dict[str, Callable[[Numbers, Numbers, int, int], float]] = {"psi": _psi, "js": _js, "chi2": _chi2}
_NUMERIC: dict[str, Callable[[Numbers, Numbers], float]] = {"ks": _ks, "wasserstein": _wasserstein}
