"""Tests that metrics match scikit-learn, scipy or their published formulas on scikit-learn's datasets."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn import datasets, metrics
from sklearn.calibration import calibration_curve
from sklearn.linear_model import Ridge
from sklearn.naive_bayes import GaussianNB

from modelyard_runtime.capabilities import known_metrics, metric_of
from modelyard_runtime.metrics.scores import Predictions, better, score
from modelyard_runtime.models.answers import Answer, predictions
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.training.data import TrainingData

TASKS = (
    "binary-classification",
    "multiclass-classification",
    "regression",
    "forecasting",
    "ranking",
    "recommendation",
)


@cache
def classes(name: str) -> tuple[Any, Predictions, Any]:
    """Return the labels of held-out rows, and a model's predicted classes and probabilities for them."""
    features, truth = getattr(datasets, f"load_{name}")(return_X_y=True)
    learned, held_out = np.arange(len(truth)) % 3 > 0, np.arange(len(truth)) % 3 == 0
    model = GaussianNB().fit(features[learned][:, :5], truth[learned])
    chances = model.predict_proba(features[held_out][:, :5])
    answer = Answer(model.predict(features[held_out][:, :5]), chances[:, 1] if chances.shape[1] == 2 else chances)
    predicted = predictions(
        answer, f"{'binary' if chances.shape[1] == 2 else 'multiclass'}-classification", sorted(set(truth))
    )
    return truth[held_out].astype(float), predicted, chances


@cache
def numbers() -> tuple[Any, Predictions]:
    """Return diabetes progression, a linear model's predictions of it, and the naive error on the training rows."""
    features, truth = datasets.load_diabetes(return_X_y=True)
    model = Ridge(0.1).fit(features[:300], truth[:300])
    naive = float(np.abs(np.diff(truth[:300])).mean())
    return truth[300:], Predictions(model.predict(features[300:]), naive=naive)


@cache
def ranked(rounded: int = 9) -> tuple[Any, Predictions, Any]:
    """Return ranking data: the same patients grouped by age, with disease progression from 0 to 4 as relevance."""
    features, truth = datasets.load_diabetes(return_X_y=True)
    relevant = np.floor(np.argsort(np.argsort(truth)) / len(truth) * 5)
    scores = np.round(Ridge(0.1).fit(features[:200], truth[:200]).predict(features) / 100, rounded)
    return relevant, Predictions(scores), pd.factorize(pd.cut(features[:, 0], 20))[0]


def lists(rounded: int) -> list[tuple[Any, Any]]:
    """Return relevance and scores for each ranked list that contains at least one relevant row."""
    truth, predicted, groups = ranked(rounded)
    pairs = [(truth[groups == item], predicted.values[groups == item]) for item in np.unique(groups)]
    return [item for item in pairs if (item[0] > 0).any()]


OF_CLASSES: dict[str, Callable[[Any, Any], float]] = {
    "accuracy": metrics.accuracy_score,
    "balanced_accuracy": metrics.balanced_accuracy_score,
    "mcc": metrics.matthews_corrcoef,
    "cohen_kappa": metrics.cohen_kappa_score,
    "f1_macro": lambda truth, predicted: metrics.f1_score(truth, predicted, average="macro"),
    "f1_weighted": lambda truth, predicted: metrics.f1_score(truth, predicted, average="weighted"),
    "precision_macro": lambda truth, predicted: metrics.precision_score(truth, predicted, average="macro"),
    "precision_weighted": lambda truth, predicted: metrics.precision_score(truth, predicted, average="weighted"),
    "recall_macro": lambda truth, predicted: metrics.recall_score(truth, predicted, average="macro"),
    "recall_weighted": lambda truth, predicted: metrics.recall_score(truth, predicted, average="weighted"),
}


@pytest.mark.parametrize("data", ["breast_cancer", "digits", "wine", "iris"])
@pytest.mark.parametrize("metric", OF_CLASSES)
def test_classification_metrics(metric: str, data: str) -> None:
    """Metrics for binary and multiclass classification match scikit-learn."""
    truth, predicted, _ = classes(data)

    assert score(metric, truth, predicted) == pytest.approx(OF_CLASSES[metric](truth, predicted.values))


@pytest.mark.parametrize("average", ["macro", "weighted"])
@pytest.mark.parametrize("name", ["f1", "precision", "recall"])
def test_averages_with_a_class_that_is_never_predicted(name: str, average: str) -> None:
    """As in scikit-learn, a class that is never predicted scores zero, so ignoring a hard class won't pay off."""
    truth, predicted, _ = classes("digits")
    without = Predictions(np.where(predicted.values == 3, 8.0, predicted.values), classes=10)
    known = getattr(metrics, f"{name}_score")(truth, without.values, average=average, zero_division=0)

    assert score(f"{name}_{average}", truth, without) == pytest.approx(known)


OF_SCORES: dict[str, Callable[[Any, Any], float]] = {
    "auc_roc": metrics.roc_auc_score,
    "auc_pr": metrics.average_precision_score,
    "brier": metrics.brier_score_loss,
    "log_loss": metrics.log_loss,
    "gini": lambda truth, chance: 2 * metrics.roc_auc_score(truth, chance) - 1,
    "ks": lambda truth, chance: stats.ks_2samp(chance[truth == 1], chance[truth == 0]).statistic,
    "lift_at_10": lambda truth, chance: truth[np.argsort(-chance)][: math.ceil(len(truth) * 0.1)].mean() / truth.mean(),
    "lift_at_30": lambda truth, chance: truth[np.argsort(-chance)][: math.ceil(len(truth) * 0.3)].mean() / truth.mean(),
    "lift_at_100": lambda truth, chance: 1.0,
}


@pytest.mark.parametrize("metric", OF_SCORES)
def test_probability_metrics(metric: str) -> None:
    truth, predicted, chances = classes("breast_cancer")

    assert score(metric, truth, predicted) == pytest.approx(OF_SCORES[metric](truth, chances[:, 1]))


def test_one_versus_rest_area() -> None:
    for data in ("digits", "wine"):
        truth, predicted, chances = classes(data)
        known = metrics.roc_auc_score(truth, chances, multi_class="ovr", average="macro")

        assert score("auc_roc_ovr", truth, predicted) == pytest.approx(known)


def test_binary_calibration_matches_the_calibration_curve() -> None:
    """The expected calibration error equals scikit-learn's calibration curve gap, weighted by rows per bin."""
    truth, predicted, chances = classes("breast_cancer")
    observed, expected = calibration_curve(truth, chances[:, 1], n_bins=10)
    bins = np.searchsorted(np.linspace(0, 1, 11)[1:-1], chances[:, 1])
    weights = np.unique(bins, return_counts=True)[1] / len(truth)

    assert score("ece", truth, predicted) == pytest.approx(float((weights * np.abs(observed - expected)).sum()))


def test_multiclass_calibration_uses_the_predicted_class() -> None:
    truth, predicted, chances = classes("digits")
    sure, right = chances.max(axis=1), chances.argmax(axis=1) == truth
    bins = np.ceil(sure * 10).astype(int)
    known = sum(
        (bins == bucket).mean() * abs(right[bins == bucket].mean() - sure[bins == bucket].mean())
        for bucket in set(bins)
    )

    assert score("ece", truth, predicted) == pytest.approx(known)


@pytest.mark.parametrize("metric", ["ks", "gini"])
def test_reversed_scores_do_not_count_as_separation(metric: str) -> None:
    """Reversed scores rate low. A two-sided distance would rate the worst model as high as the best."""
    truth, predicted, chances = classes("breast_cancer")
    upside_down = Predictions(1 - predicted.values, 1 - chances[:, 1], 2)

    assert score(metric, truth, predicted) > 0.7
    assert score(metric, truth, upside_down) < 0.1


def test_lift_with_ties_does_not_depend_on_row_order() -> None:
    truth = np.array([1.0] * 20 + [0.0] * 80)

    assert score("lift_at_10", truth, Predictions(truth, np.full(100, 0.5), 2)) == pytest.approx(1)


OF_NUMBERS: dict[str, Callable[[Any, Any], float]] = {
    "rmse": metrics.root_mean_squared_error,
    "mae": metrics.mean_absolute_error,
    "median_ae": metrics.median_absolute_error,
    "mape": metrics.mean_absolute_percentage_error,
    "r2": metrics.r2_score,
    "rmsle": metrics.root_mean_squared_log_error,
    "pinball_10": lambda truth, predicted: metrics.mean_pinball_loss(truth, predicted, alpha=0.1),
    "pinball_90": lambda truth, predicted: metrics.mean_pinball_loss(truth, predicted, alpha=0.9),
    "pinball_50": lambda truth, predicted: metrics.mean_absolute_error(truth, predicted) / 2,
    "wape": lambda truth, predicted: np.abs(truth - predicted).sum() / np.abs(truth).sum(),
    "smape": lambda truth, predicted: (2 * np.abs(truth - predicted) / (np.abs(truth) + np.abs(predicted))).mean(),
    "mase": lambda truth, predicted: metrics.mean_absolute_error(truth, predicted) / numbers()[1].naive,
}


@pytest.mark.parametrize("metric", OF_NUMBERS)
def test_regression_metrics(metric: str) -> None:
    truth, predicted = numbers()

    assert score(metric, truth, predicted) == pytest.approx(OF_NUMBERS[metric](truth, predicted.values))


@pytest.mark.parametrize("metric", [name for name in OF_NUMBERS if name != "mase"])
def test_missing_predictions_make_the_error_undefined(metric: str) -> None:
    """Rows without a prediction count, so a model can't improve its metric by abstaining where it is unsure."""
    truth, predicted = numbers()
    silent = np.where(np.arange(len(truth)) == 3, np.nan, predicted.values)

    assert math.isnan(score(metric, truth, Predictions(silent)))


OF_LISTS: dict[str, Callable[[Any, Any], float]] = {
    "ndcg": lambda truth, by: metrics.ndcg_score([truth], [by]),
    "ndcg_at_3": lambda truth, by: metrics.ndcg_score([truth], [by], k=3),
    "map": lambda truth, by: metrics.label_ranking_average_precision_score([truth > 0], [by]),
    "mrr": lambda truth, by: 1 / (1 + ((by >= by[truth > 0].max()) & (truth == 0)).sum()),
    "recall_at_3": lambda truth, by: metrics.recall_score(truth > 0, stats.rankdata(-by) <= 3),
    "precision_at_3": lambda truth, by: (truth[np.argsort(-by)][:3] > 0).sum() / 3,
}


@pytest.mark.parametrize("metric", OF_LISTS)
def test_ranking_metrics(metric: str) -> None:
    """A ranking metric is the mean of its values for the ranked lists."""
    known = np.mean([OF_LISTS[metric](*pair) for pair in lists(9) if len(pair[0]) > 1])
    truth, predicted, groups = ranked()
    several = np.isin(groups, np.flatnonzero(np.bincount(groups) > 1))

    assert score(metric, truth[several], Predictions(predicted.values[several]), groups[several]) == pytest.approx(
        known
    )


@pytest.mark.parametrize("metric", ["ndcg", "ndcg_at_3", "map", "mrr"])
def test_ties_are_handled_as_in_scikit_learn(metric: str) -> None:
    """Ties are handled as in scikit-learn. Rounding scores to a tenth produces ties in most lists."""
    several = [pair for pair in lists(1) if len(pair[0]) > 1]
    truth, predicted, groups = ranked(1)
    mask = np.isin(groups, np.flatnonzero(np.bincount(groups) > 1))

    assert any(len(set(by)) < len(by) for _, by in several)
    assert score(metric, truth[mask], Predictions(predicted.values[mask]), groups[mask]) == pytest.approx(
        np.mean([OF_LISTS[metric](*pair) for pair in several])
    )


@pytest.mark.parametrize("metric", OF_LISTS)
def test_ranking_with_ties_does_not_depend_on_row_order(metric: str) -> None:
    """A model that scores all rows alike gains nothing if relevant rows happen to come first."""
    truth, predicted, groups = ranked(1)
    best_first, worst_first = np.argsort(-truth, kind="stable"), np.argsort(truth, kind="stable")

    values = [
        score(metric, truth[order], Predictions(predicted.values[order]), groups[order])
        for order in (best_first, worst_first)
    ]

    assert values[0] == pytest.approx(values[1])


def test_rows_without_a_query_are_ignored() -> None:
    truth, predicted, groups = ranked()
    lost = np.where(np.arange(len(groups)) % 4 == 0, -1, groups)
    mask = lost >= 0

    assert score("ndcg", truth, predicted, lost) == pytest.approx(
        score("ndcg", truth[mask], Predictions(predicted.values[mask]), lost[mask])
    )


def of_task(task: str) -> tuple[Any, Predictions, Any]:
    """Return the data for a task, with a model's predictions."""
    if "classification" in task:
        truth, predicted, _ = classes("breast_cancer" if task.startswith("binary") else "digits")
        return truth, predicted, None
    return ranked() if task in {"ranking", "recommendation"} else (*numbers(), None)


def perfect(task: str, truth: Any, predictions: Predictions) -> Predictions:
    """Return the predictions that a perfect model would make."""
    if "classification" not in task:
        return Predictions(truth, naive=predictions.naive)
    sure = np.eye(predictions.classes)[truth.astype(int)]
    return Predictions(truth, sure[:, 1] if predictions.classes == 2 else sure, predictions.classes)


@pytest.mark.parametrize(("task", "metric"), [(task, metric) for task in TASKS for metric in known_metrics(task)])
def test_every_metric_of_the_table_is_computed(task: str, metric: str) -> None:
    """Each metric works for all its tasks, stays within its range, and rates a perfect model above a worse one."""
    truth, predicted, groups = of_task(task)
    value, best = score(metric, truth, predicted, groups), score(metric, truth, perfect(task, truth, predicted), groups)

    assert math.isfinite(value)
    assert better(metric, best, value) >= 0
    assert better(metric, best, score(metric, truth, reversed_(task, predicted), groups)) > 0


def reversed_(task: str, predictions: Predictions) -> Predictions:
    """Return the predictions in reverse order."""
    scores = None if predictions.scores is None else predictions.scores[::-1]
    return Predictions(predictions.values[::-1], scores, predictions.classes, predictions.naive)


@pytest.mark.parametrize("metric", ["mcc", "cohen_kappa", "gini", "ks", "auc_roc"])
def test_agreement_is_undefined_for_a_single_class(metric: str) -> None:
    assert math.isnan(score(metric, np.ones(4), Predictions(np.array([1.0, 1, 0, 1]), np.full(4, 0.5), 2)))


@pytest.mark.parametrize("metric", ["auc_roc", "auc_pr", "gini", "ks", "lift_at_10", "ece", "brier", "log_loss"])
def test_nan_probabilities_make_metrics_undefined(metric: str) -> None:
    truth, predicted, chances = classes("breast_cancer")
    broken = np.where(np.arange(len(truth)) == 3, np.nan, chances[:, 1])

    assert math.isnan(score(metric, truth, Predictions(predicted.values, broken, 2)))


def series(**more: Any) -> TrainingData:
    frame = pd.DataFrame({"y": [3.0, 5, 4, 10, 30, 20], **more})
    return TrainingData(frame, frame, (), "y", ())


def test_naive_error_is_computed_within_each_series() -> None:
    """The naive error is the mean absolute one-step error within each training series (Hyndman and Koehler, 2006)."""
    times = pd.to_datetime(["2026-01-03", "2026-01-01", "2026-01-02"] * 2)

    assert series(__time=times, __group=[0, 0, 0, 1, 1, 1]).naive_error() == pytest.approx((1 + 1 + 10 + 10) / 4)
    assert series(__time=pd.date_range("2026-01-01", periods=6)).naive_error() == pytest.approx(
        (2 + 1 + 6 + 20 + 10) / 5
    )


@pytest.mark.parametrize("more", [{}, {"__group": [0] * 6}, {"__time": pd.to_datetime(["2026-01-01"] * 6)}])
def test_naive_error_is_undefined_without_a_series(more: dict[str, Any]) -> None:
    """The naive error needs exactly one row per timestamp, since other differences aren't changes over time."""
    truth, predicted = numbers()
    naive = series(**more).naive_error()

    assert math.isnan(naive)
    with pytest.raises(Refusal, match="metric 'mase': it needs a history"):
        score("mase", truth, Predictions(predicted.values, naive=naive))


def test_numbers_in_metric_names_are_bounded() -> None:
    assert [metric_of(name) is None for name in ("recall_at_1000", "recall_at_1001", "recall_at_0", "lift_at_05")] == [
        False,
        True,
        True,
        True,
    ]
    with pytest.raises(Refusal, match="'recall_at_1001' is not computed"):
        score("recall_at_1001", np.ones(2), Predictions(np.ones(2)), np.zeros(2, dtype=np.int64))
