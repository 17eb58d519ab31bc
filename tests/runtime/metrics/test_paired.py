"""Tests that confidence intervals of metric differences match scipy and widen for dependent rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from modelyard_runtime.metrics.paired import interval

RANDOM = np.random.default_rng(3)
FIRST, SECOND = (RANDOM.random(400) < right for right in (0.8, 0.7))


def gain(places: Any, draws: Any) -> float:
    """Return how much higher the first model's accuracy is than the second's on the given rows."""
    return float(FIRST[places].mean() - SECOND[places].mean())


def test_interval_matches_scipy() -> None:
    rows = np.arange(400)
    theirs = stats.bootstrap(
        (rows,), lambda places: gain(places, places), vectorized=False, n_resamples=1000, method="percentile", rng=1
    ).confidence_interval

    ours = interval(gain, rows, 0.95)

    assert ours == pytest.approx((theirs.low, theirs.high), abs=0.008)
    assert ours == interval(gain, rows, 0.95)  # a repeated call gives the same interval


def test_rows_of_a_customer_are_drawn_together() -> None:
    """Copies of a customer's row add no information and therefore don't narrow the confidence interval."""
    once = interval(gain, np.arange(400), 0.9)
    copies = interval(lambda places, draws: gain(places // 5, draws), np.repeat(np.arange(400), 5), 0.9)
    apart = interval(lambda places, draws: gain(places // 5, draws), np.arange(2000), 0.9)

    assert once is not None
    assert apart is not None
    assert copies == pytest.approx(once, abs=1e-12)
    assert apart[1] - apart[0] < 0.6 * (once[1] - once[0])


def test_identical_model_has_zero_gain() -> None:
    assert interval(lambda places, draws: 0.0, np.arange(400), 0.95) == (0.0, 0.0)


def test_too_few_units_or_values_have_no_interval() -> None:
    """There is no interval with only nine customers, or for a metric that is undefined in most draws.

    The number of rows per customer doesn't matter.
    """
    assert interval(gain, np.repeat(np.arange(9), 40), 0.95) is None
    assert interval(lambda places, draws: float("nan") if 0 in places else 1.0, np.arange(400), 0.95) is None


def test_equal_models_rarely_differ_significantly() -> None:
    """For two equally good models, the lower bound of the interval exceeds zero in about 1 of 40 cases."""
    called = 0
    for seed in range(100):
        random = np.random.default_rng(seed)
        ours, theirs = random.normal(size=(2, 200))
        bounds = interval(lambda at, draws: float(ours[at].mean() - theirs[at].mean()), np.arange(200), 0.95)  # noqa: B023
        called += bounds is not None and bounds[0] > 0

    assert called <= 7
