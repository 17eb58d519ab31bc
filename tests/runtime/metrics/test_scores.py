"""Tests that metrics match scikit-learn and are NaN where they aren't meaningful."""

from __future__ import annotations

import math

import numpy as np
import pytest
from sklearn import metrics

from modelyard_runtime.metrics.scores import Predictions, score
from modelyard_runtime.models.answers import Answer, predictions

RANDOM = np.random.default_rng(5)
TRUTH = RANDOM.integers(0, 4, 400).astype(float)
CHANCES = RANDOM.dirichlet(np.ones(4), 400)
SAID = Predictions(CHANCES.argmax(axis=1).astype(float), CHANCES, 4)


@pytest.mark.parametrize("metric", ["f1", "precision", "recall"])
def test_averages_over_classes_match_scikit_learn(metric: str) -> None:
    known = getattr(metrics, f"{metric}_score")(TRUTH, SAID.values, average="macro")

    assert score(metric, TRUTH, SAID) == pytest.approx(known)


def test_log_loss_matches_scikit_learn() -> None:
    assert score("log_loss", TRUTH, SAID) == pytest.approx(metrics.log_loss(TRUTH, CHANCES))


@pytest.mark.parametrize("metric", ["f1", "precision", "recall"])
def test_rows_with_two_of_four_classes_are_scored_as_multiclass(metric: str) -> None:
    """If rows contain only the first two of four classes, the second isn't mistaken for a positive class."""
    few = TRUTH < 2
    predicted = Predictions(np.minimum(SAID.values[few], 1), classes=4)
    known = getattr(metrics, f"{metric}_score")(TRUTH[few], predicted.values, average="macro")

    assert score(metric, TRUTH[few], predicted) == pytest.approx(known)


@pytest.mark.parametrize(
    ("metric", "truth"),
    [
        ("auc_roc", [0.0, 0.0]),
        ("auc_pr", [0.0, 0.0]),
        ("recall", [0.0, 0.0]),
        ("precision", [1.0, 0.0]),  # no row is predicted as positive
        ("mape", [0.0, 0.0]),
        ("wape", [0.0, 0.0]),
        ("r2", [1.0]),
    ],
)
def test_meaningless_metric_is_nan(metric: str, truth: list[float]) -> None:
    """An undefined metric is NaN, which counts as neither the best nor the worst value."""
    predicted = Predictions(np.zeros(len(truth)), np.full(len(truth), 0.3), 2)

    assert math.isnan(score(metric, np.array(truth), predicted))


def test_brier_and_log_loss_accept_rows_of_one_class() -> None:
    predicted = Predictions(np.zeros(2), np.array([0.1, 0.3]), 2)

    assert score("brier", np.zeros(2), predicted) == pytest.approx((0.01 + 0.09) / 2)
    assert score("log_loss", np.zeros(2), predicted) == pytest.approx(-np.log([0.9, 0.7]).mean())


def test_nan_predictions_make_the_error_undefined() -> None:
    assert math.isnan(score("rmse", np.zeros(3), Predictions(np.array([0.0, np.nan, 0.0]))))


def test_scores_are_aligned_with_the_current_classes() -> None:
    """A champion trained before a class was added is evaluated on its scores for the classes that it knows."""
    answer = Answer(np.array(["a", "c"]), np.array([[0.7, 0.3], [0.2, 0.8]]), ("a", "c"))

    predicted = predictions(answer, "multiclass-classification", ["a", "b", "c"])

    assert predicted.scores is not None
    assert predicted.scores.tolist() == [[0.7, 0, 0.3], [0.2, 0, 0.8]]
    assert predicted.values.tolist() == [0, 2]
    assert score("log_loss", np.array([0.0, 1.0]), predicted) > 10
