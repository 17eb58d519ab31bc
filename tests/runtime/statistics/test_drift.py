"""Tests that each drift measure matches the library whose definition it follows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.spatial import distance

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.statistics.drift import FEWEST_VALUES, Grid, Moved, drift
from modelyard_runtime.statistics.profiles import Profile, Quantiles, Summary, profile

RANDOM = np.random.default_rng(7)
THEN = pd.Series(RANDOM.normal(0, 1, 5000))
NOW = pd.Series(RANDOM.normal(0.5, 1.3, 3000))
CATEGORIES = pd.Series(["a"] * 500 + ["b"] * 300 + ["c"] * 200)
MOVED = pd.Series(["a"] * 100 + ["b"] * 250 + ["d"] * 50)


@pytest.mark.parametrize("is_stored", [False, True])
def test_ks_and_wasserstein_match_scipy(is_stored: bool) -> None:
    """The measures match SciPy within the profile's quantile precision, even if it is read from JSON."""
    reference = Profile.from_json(profile(THEN).to_json()) if is_stored else profile(THEN)

    assert drift("ks", reference, NOW) == pytest.approx(stats.ks_2samp(THEN, NOW).statistic, abs=0.002)
    assert drift("wasserstein", reference, NOW) == pytest.approx(stats.wasserstein_distance(THEN, NOW), rel=0.01)


def test_js_of_categories_matches_scipy() -> None:
    """The Jensen-Shannon distance between the category shares uses base 2."""
    then, now = [0.5, 0.3, 0.2, 0.0], [0.25, 0.625, 0.0, 0.125]

    assert drift("js", profile(CATEGORIES), MOVED) == pytest.approx(distance.jensenshannon(then, now, base=2))


def test_chi2_matches_scipy_divided_by_degrees_of_freedom() -> None:
    """The measure and scipy's test use the same contingency table."""
    expected = stats.chi2_contingency(np.array([[500, 300, 200, 0], [100, 250, 0, 50]]), correction=False)

    assert drift("chi2", profile(CATEGORIES), MOVED) == pytest.approx(expected.statistic / expected.dof)


def test_psi_is_zero_for_equal_and_large_for_different_data() -> None:
    """PSI uses ten bins, each holding an equal share of the reference data."""
    same, other = drift("psi", profile(THEN), THEN), drift("psi", profile(THEN), NOW + 3)

    assert same is not None
    assert other is not None
    assert same < 0.001 < 1 < other


def test_undefined_measure_has_no_value_and_unknown_measure_is_refused() -> None:
    """An undefined measure, such as KS for categories, has no value. An unknown measure is refused."""
    assert drift("ks", profile(CATEGORIES), MOVED) is None
    with pytest.raises(Refusal, match="'cosine' is not a drift metric"):
        drift("cosine", profile(CATEGORIES), MOVED)


def test_missing_values_are_counted_and_excluded() -> None:
    """The share of missing and infinite values is reported, but they don't affect any drift measure."""
    holed = pd.concat([THEN, pd.Series([np.nan] * 2500 + [np.inf] * 2500)], ignore_index=True)

    assert profile(holed).missing_share == 0.5
    assert drift("ks", profile(THEN), holed) == pytest.approx(0, abs=0.002)


@pytest.mark.parametrize("rows", [40, 300])
def test_ks_of_a_short_reference_matches_scipy(rows: int) -> None:
    """The profile of a short reference column keeps every step of its distribution function."""
    short = THEN.head(rows)

    assert drift("ks", profile(short), NOW) == pytest.approx(stats.ks_2samp(short, NOW).statistic, abs=0.002)


@pytest.mark.parametrize(
    ("then", "now"),
    [
        ([0] * 95 + [1] * 5, [0] * 70 + [1] * 30),  # most deciles are the same value
        ([5] * 100, [7] * 100),  # all deciles are the same value
        ([False] * 95 + [True] * 5, [0.0] * 70 + [1.0] * 30),  # booleans in a file, numbers in a request
    ],
)
@pytest.mark.parametrize("metric", ["psi", "js", "chi2", "ks"])
def test_dominant_value_does_not_hide_drift(metric: str, then: list[float], now: list[float]) -> None:
    distance = drift(metric, profile(pd.Series(then)), pd.Series(now))

    assert distance is not None
    assert distance > 0.2


def test_rare_categories_are_compared_as_one_group() -> None:
    """Equal data shows no drift, even though the profile doesn't list the rarest categories individually."""
    many = pd.Series([f"c{number % 3000}" for number in range(9000)] + ["often"] * 1000)

    assert drift("psi", profile(many), many) == pytest.approx(0, abs=1e-9)
    assert drift("js", profile(many), many.sample(frac=1, random_state=0)) == pytest.approx(0, abs=1e-6)


def test_few_values_are_not_measured() -> None:
    assert drift("psi", profile(THEN), THEN.head(FEWEST_VALUES - 1)) is None


def test_profiles_of_parts_are_merged_exactly() -> None:
    """Merged profiles and counts equal those of the undivided data, with exact minimum and maximum."""
    values = pd.Series(np.sort(RANDOM.normal(0, 1, 200_000)))
    parts = [Summary() for _ in range(3)]
    for place, part in enumerate(np.array_split(values, 30)):
        parts[place % 3].add(pd.Series(part))
    for other in parts[1:]:
        parts[0].merge(other)
    points = parts[0].profile().quantiles

    assert points is not None
    assert (points[0], points[-1]) == (values.iloc[0], values.iloc[-1])
    ranks = np.searchsorted(values, points, side="right") / len(values)
    assert np.abs(ranks - np.linspace(0, 1, len(points))).max() < 0.0005
    moved, other = Moved(profile(THEN)), Moved(profile(THEN))
    moved.add(NOW.head(1000))
    other.add(NOW.tail(2000))
    moved.merge(other)
    assert moved.measure("ks") == drift("ks", profile(THEN), NOW)


def test_a_long_column_takes_little_memory() -> None:
    """No matter how long the column is, only a few buffers are held in memory."""
    summary = Quantiles()
    for _ in range(60):
        summary.add(RANDOM.normal(0, 1, 20_000))

    assert summary.value_count < 200_000


def test_column_of_changing_type_is_refused() -> None:
    summary = Summary()
    summary.add(pd.Series([1, 2], name="amount"))

    with pytest.raises(Refusal, match="'amount' contains numbers in some rows"):
        summary.add(pd.Series(["much"], name="amount"))


def test_times_are_seconds_in_any_resolution() -> None:
    stamps = pd.Series(pd.date_range("2026-01-01", periods=50, freq="h", tz="UTC"))
    quantiles = [profile(stamps.astype(f"datetime64[{unit}, UTC]")).quantiles for unit in ("s", "us", "ns")]

    assert all(points is not None and points[0] == 1767225600 for points in quantiles)


@pytest.mark.parametrize("values", [[], [5.0], [-1e300, 0.5, 1e300], [0.0, 0.0, 1.0, 2.5, 2.5, 9.0]])
def test_values_are_counted_by_position_on_the_grid(values: list[float]) -> None:
    """Values are counted below, at and between grid points, with their distance from the grid point below."""
    grid = Grid(np.array([0.0, 0.0, 1.0, 2.0, 2.0, 3.0]))

    counts, above = grid.count(np.array(values))

    points, expected = [0.0, 1.0, 2.0, 3.0], np.zeros((2, 9))
    for value in values:
        place = sum(point < value for point in points) + sum(point <= value for point in points)
        before = points[max(sum(point <= value for point in points) - 1, 0)]
        expected[:, place] += (1, value - before)
    np.testing.assert_array_equal(counts, expected[0])
    np.testing.assert_allclose(above, expected[1])
