"""Tests that the decisive feature is the most important, and that contributions sum to the prediction."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import permutations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler

from modelyard_runtime.training.data import TrainingData
from modelyard_runtime.training.explain import Contributions, contributions, explanation
from modelyard_runtime.training.shapley import ANSWERS_A_ROW, shapley
from modelyard_runtime.training.trainers import grow
from modelyard_runtime.workload.description import Section, section
from modelyard_runtime.workload.records import Explainability
from tests.runtime.described import record

FEATURES = ("strong", "word", "word_w0", "noise")
CLASSES: dict[str, tuple[Any, ...]] = {
    "binary-classification": (0, 1),
    "multiclass-classification": (0, 1, 2),
    "regression": (),
}
ESTIMATORS: dict[str, tuple[str, dict[str, Any]]] = {
    "histograms": ("scikit-learn", {"estimator": "hist-gradient-boosting", "max_iter": 10}),
    "forest": ("scikit-learn", {"estimator": "random-forest", "n_estimators": 5, "n_jobs": 1}),
    "linear": ("scikit-learn", {"estimator": "linear"}),
    "xgboost": ("xgboost", {"n_estimators": 20, "n_jobs": 1}),
    "lightgbm": ("lightgbm", {"n_estimators": 20, "n_jobs": 1}),
}


def data(task: str) -> TrainingData:
    """Generate data whose label depends on `strong` and slightly on `word`, but not on `noise`.

    One feature is named like a value of another feature, and some values are missing.
    """
    random, count = np.random.default_rng(0), 400
    frame = pd.DataFrame({name: random.normal(size=count) for name in ("strong", "word_w0", "noise")})
    words = [f"w{number}" if at % 40 else None for at, number in enumerate(random.integers(0, 3, count))]
    frame["word"] = pd.Series(words, dtype=object)
    value = 3 * frame["strong"] + (frame["word"] == "w0")
    frame.loc[::50, "noise"] = np.nan
    cuts = {"binary-classification": [0.3], "multiclass-classification": [-1.5, 1.5]}
    frame["label"] = np.digitize(value, cuts[task]) if task in cuts else value
    return TrainingData(frame[:300], frame[300:], FEATURES, "label", CLASSES[task])


@dataclass
class Logged:
    """A stand-in for a registry model that wraps a scikit-learn model or a plain function."""

    model: Any
    inner: bool = True

    @property
    def loaded(self) -> Any:
        return self

    def get_raw_model(self) -> Any:
        if self.inner:
            return self.model
        raise NotImplementedError

    def classifier(self) -> Any:
        return self.model if self.inner and hasattr(self.model, "predict_proba") else None

    def predict(self, rows: pd.DataFrame) -> Any:
        return self.model.predict(rows)


def trained(estimator: str, known: TrainingData, task: str) -> Any:
    """Train a model with a built-in trainer."""
    trainer, parameters = ESTIMATORS[estimator]
    *_, model = grow(trainer, task, parameters, known)
    return model


def raw(model: Any, rows: pd.DataFrame, task: str) -> Any:
    """Return the library's own predictions, on the scale of the contributions."""
    last, ready = model[-1], model[0].transform(rows)
    if type(last).__name__.startswith("XGB"):
        predicted = last.predict(ready, output_margin=True)
    elif type(last).__name__.startswith("LGBM"):
        predicted = last.predict(ready, raw_score=True)
    else:
        predicted = last.predict(ready) if task == "regression" else last.predict_proba(ready)
        predicted = predicted[:, 1] if task == "binary-classification" else predicted
    return np.asarray(predicted).reshape(len(rows), -1)


def greatest(card: Section) -> str:
    """Return the most important feature, which is listed first."""
    return next(iter(section(card, "importance")))


@pytest.mark.parametrize("task", CLASSES)
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_contributions_and_base_add_up_to_the_prediction(estimator: str, task: str) -> None:
    """Contributions add up correctly for every row and class. They belong to features, not encoded columns."""
    known = data(task)
    model = trained(estimator, known, task)
    rows = known.held_out[:12]

    explained = contributions(Logged(model), task, known, rows)
    sizes = explained.importance()

    predicted = raw(model, rows[list(FEATURES)], task)
    assert explained.values.shape == (*predicted.shape, len(FEATURES))
    np.testing.assert_allclose(explained.values.sum(axis=2), predicted - explained.base, atol=2e-5)
    assert max(sizes, key=lambda name: sizes[name]) == "strong"
    assert sizes["word"] > sizes["noise"]


def test_contributions_are_kept_by_row_and_class() -> None:
    known = data("multiclass-classification")
    model = Logged(trained("lightgbm", known, "multiclass-classification"))

    summary, explained = explanation(
        model, "multiclass-classification", known, record(Explainability, {"method": "shap", "sample": 7})
    )

    assert explained is not None
    table = explained.table(("low", "middle", "high")).to_pandas()
    assert list(table.columns) == ["__row", "__class", "__base", "__answer", *FEATURES]
    assert list(table["__class"]) == ["low", "middle", "high"] * 7
    np.testing.assert_allclose(table[list(FEATURES)].sum(axis=1), table["__answer"] - table["__base"])
    assert (summary["method"], summary["rows"], summary["scale"]) == ("shap", 7, "raw")


def exact(model: Any, row: pd.DataFrame, known: pd.DataFrame) -> dict[str, float]:
    """Compute Shapley values by their definition: the mean over all feature orders and all background rows."""
    total = dict.fromkeys(row.columns, 0.0)
    for order in permutations(row.columns):
        frame = known.copy()
        before = float(np.mean(model.predict(frame)))
        for name in order:
            frame[name] = row[name].iloc[0]
            now = float(np.mean(model.predict(frame)))
            total[name] += (now - before) / factorial(len(row.columns))
            before = now
    return total


def test_values_of_a_black_box_match_the_definition() -> None:
    """With two features, one of them a string, every order is tried. With few rows, all are used as background."""
    known = data("regression")
    two = TrainingData(known.train[:20], known.held_out, ("strong", "word"), "label", ())
    model = trained("histograms", replace(two, train=known.train), "regression")
    row = known.held_out[:1]

    explained = contributions(Logged(model, inner=False), "regression", two, row)

    expected = exact(model, row[["strong", "word"]], two.train[["strong", "word"]])
    assert explained.scale == "answer"
    np.testing.assert_allclose(explained.values[0, 0], list(expected.values()))


def test_custom_pipeline_is_explained_as_a_whole() -> None:
    """A custom pipeline is explained as a unit, because its last step does not see the original features."""
    known = data("regression")
    numbers = TrainingData(known.train.fillna(0), known.held_out.fillna(0), ("strong", "noise"), "label", ())
    model = make_pipeline(StandardScaler(), PolynomialFeatures(2), LinearRegression())
    model.fit(numbers.train[["strong", "noise"]], numbers.train["label"])

    summary, _ = explanation(
        Logged(model), "regression", numbers, record(Explainability, {"method": "shap", "sample": 20})
    )

    assert greatest(summary) == "strong"


def test_classes_without_probabilities_are_explained() -> None:
    known = data("multiclass-classification")
    model = Logged(trained("histograms", known, "multiclass-classification"), inner=False)

    explained = contributions(model, "multiclass-classification", known, known.held_out[:5])

    assert explained.values.shape == (5, 3, 4)
    assert set(np.round(explained.values.sum(axis=2) + explained.base, 9).ravel()) == {0.0, 1.0}


@pytest.mark.parametrize("width", [1, 20, 300])
def test_number_of_model_calls_is_limited(width: int) -> None:
    """Time grows with the spec's sample size, but with the number of features only above a few hundred."""
    frame = pd.DataFrame(np.random.default_rng(0).normal(size=(200, width)))
    calls: list[int] = []

    def predict(rows: pd.DataFrame) -> Any:
        calls.append(len(rows) * width)
        return rows.sum(axis=1).to_numpy()[:, None]

    values, base = shapley(predict, frame[:3], frame, 0)

    assert sum(calls) / width <= 3 * max(ANSWERS_A_ROW, 16 * width) + 100
    assert max(calls) <= 4_000_000
    np.testing.assert_allclose(values[:, 0].sum(axis=1) + base[0], frame[:3].sum(axis=1))


def test_permutation_finds_the_decisive_feature() -> None:
    known = data("binary-classification")

    summary, explained = explanation(
        Logged(trained("xgboost", known, "binary-classification")),
        "binary-classification",
        known,
        record(Explainability, {"method": "permutation", "sample": 100}),
    )

    assert explained is None
    assert summary["rows"] == 100
    assert greatest(summary) == "strong"


def test_ranking_rows_are_sampled_by_query() -> None:
    """Whole queries are sampled, because every order of a single-row query is equally good."""
    count = 200
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"strong": random.normal(size=count), "noise": random.normal(size=count)})
    frame = frame.assign(label=(frame["strong"] > 0).astype(int), __group=np.arange(count) // 10)
    known = TrainingData(frame, frame, ("strong", "noise"), "label", ())

    class Ranker:
        def predict(self, rows: pd.DataFrame) -> Any:
            return rows["strong"].to_numpy()

    summary, _ = explanation(
        Ranker(), "ranking", known, record(Explainability, {"method": "permutation", "sample": 25})
    )

    assert summary["rows"] == 20
    assert greatest(summary) == "strong"
    assert section(summary, "importance")["noise"] == 0


def test_feature_names_may_clash_with_explanation_fields() -> None:
    explained = Contributions(("row", "base"), np.ones((1, 1, 2)), np.zeros(1), "answer")

    assert explained.table(()).column_names == ["__row", "__base", "__answer", "row", "base"]
