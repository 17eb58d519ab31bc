"""Each measure of drift agrees with the library that defines it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.spatial import distance

from modelyard_runtime.drift import drift
from modelyard_runtime.profiles import Profile, profile
from modelyard_runtime.refusals import Refusal

RANDOM = np.random.default_rng(7)
THEN = pd.Series(RANDOM.normal(0, 1, 5000))
NOW = pd.Series(RANDOM.normal(0.5, 1.3, 3000))
CATEGORIES = pd.Series(["a"] * 500 + ["b"] * 300 + ["c"] * 200)
MOVED = pd.Series(["a"] * 100 + ["b"] * 250 + ["d"] * 50)


@pytest.mark.parametrize("kept", [False, True])
def test_ks_and_wasserstein_are_those_of_scipy(kept: bool) -> None:
    """From a profile, also one that was kept as JSON, within what its points allow."""
    reference = Profile.from_json(profile(THEN).to_json()) if kept else profile(THEN)

    assert drift("ks", reference, NOW) == pytest.approx(stats.ks_2samp(THEN, NOW).statistic, abs=0.002)
    assert drift("wasserstein", reference, NOW) == pytest.approx(stats.wasserstein_distance(THEN, NOW), rel=0.01)


def test_js_of_categories_is_that_of_scipy() -> None:
    """In base 2, between the shares of each category."""
    then, now = [0.5, 0.3, 0.2, 0.0], [0.25, 0.625, 0.0, 0.125]

    assert drift("js", profile(CATEGORIES), MOVED) == pytest.approx(distance.jensenshannon(then, now, base=2))


def test_chi2_is_that_of_scipy_over_its_degrees_of_freedom() -> None:
    """From the same table of counts."""
    found = stats.chi2_contingency(np.array([[500, 300, 200, 0], [100, 250, 0, 50]]), correction=False)

    assert drift("chi2", profile(CATEGORIES), MOVED) == pytest.approx(found.statistic / found.dof)


def test_psi_is_nothing_for_the_same_and_large_for_another() -> None:
    """Ten bins of equal share of the reference."""
    same, other = drift("psi", profile(THEN), THEN), drift("psi", profile(THEN), NOW + 3)

    assert same is not None
    assert other is not None
    assert same < 0.001 < 1 < other


def test_a_category_has_no_ks_and_an_unknown_measure_is_refused() -> None:
    """Nothing is made up where a measure is not defined."""
    assert drift("ks", profile(CATEGORIES), MOVED) is None
    with pytest.raises(Refusal, match="'cosine' is no measure of drift"):
        drift("cosine", profile(CATEGORIES), MOVED)


def test_missing_values_are_counted_and_left_out() -> None:
    """A quarter without a value is said, and changes no other measure."""
    holed = pd.concat([THEN, pd.Series([np.nan] * 5000)], ignore_index=True)

    assert drift("missing", profile(THEN), holed) == 0.5
    assert drift("ks", profile(THEN), holed) == pytest.approx(0, abs=0.002)
