"""Tests built-in trainers on real data with unseen strings, unusual names and missing values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelyard_runtime.metrics.scores import score
from modelyard_runtime.models.answers import answer, predictions
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.training.data import TrainingData
from modelyard_runtime.training.trainers import estimator, grow

LIST = Path(__file__).parents[3] / "compiler/modelyard/checks/trainer_parameters.json"
PARAMETERS = json.loads(LIST.read_text(encoding="utf-8"))["parameters"]
TRAINERS = [
    ("scikit-learn", {"estimator": "hist-gradient-boosting", "max_iter": 3}),
    ("scikit-learn", {"estimator": "linear"}),
    ("xgboost", {"n_estimators": 3, "n_jobs": 1}),
    ("lightgbm", {"n_estimators": 3, "n_jobs": 1}),
]


def data(**columns: Any) -> TrainingData:
    """Return a hundred training rows and fifty held-out rows of two classes."""
    amount = np.random.default_rng(0).normal(size=150)
    frame = pd.DataFrame({"amount": amount, **columns, "fraud": (amount > 0).astype(int)})
    features = tuple(name for name in frame if name != "fraud")
    return TrainingData(frame[:100], frame[100:], features, "fraud", (0, 1))


@dataclass(frozen=True)
class Fitted:
    """A model that has just been trained."""

    model: Any

    def predict(self, rows: pd.DataFrame) -> Any:
        return self.model.predict(rows)

    def classifier(self) -> Any:
        return self.model


@pytest.mark.parametrize(("trainer", "parameters"), TRAINERS)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
def test_unseen_words_and_odd_names_are_predicted(trainer: str, parameters: dict[str, Any]) -> None:
    words = pd.Series(["x<y", "[z]", None, "x<y"] * 25 + ["new"] * 50, dtype=object)
    holes = np.where(np.arange(150) % 7 == 0, np.nan, 1.5)
    known = data(**{"a word [<1>]": words, "holes": holes})

    *_, model = grow(trainer, "binary-classification", parameters, known)

    predicted = predictions(
        answer(Fitted(model), "binary-classification", known.held_out[list(known.features)]),
        "binary-classification",
        [0, 1],
    )
    assert score("auc_roc", known.truth(known.held_out), predicted) > 0.9


@pytest.mark.parametrize(("trainer", "parameters"), TRAINERS)
@pytest.mark.parametrize("nothing", [np.nan, None])
def test_feature_without_values_is_refused_by_name(
    trainer: str, parameters: dict[str, Any], nothing: float | None
) -> None:
    """A feature without values is refused, because some estimators would silently ignore it."""
    known = data(gone=pd.Series([nothing] * 150, dtype=object if nothing is None else float))

    with pytest.raises(Refusal, match="feature 'gone' has no value"):
        list(grow(trainer, "binary-classification", parameters, known))


@pytest.mark.parametrize(
    ("name", "task", "kind"),
    [
        (name, task, kind)
        for name in PARAMETERS
        for task, kind in (
            ("binary-classification", "classification"),
            ("multiclass-classification", "classification"),
            ("regression", "regression"),
            ("forecasting", "regression"),
            ("ranking", "regression"),
            ("text-generation", "regression"),
        )
        if (task != "ranking" or name in {"xgboost", "lightgbm"})
        and (task == "text-generation") == (name == "transformers")
    ],
)
def test_compiler_accepts_the_same_parameters(name: str, task: str, kind: str) -> None:
    """The compiler refuses exactly the trainer parameters that a run would refuse."""
    trainer, _, chosen = name.partition("/")
    model = estimator(trainer, task, {"estimator": chosen} if chosen else {})

    assert sorted(type(model)().get_params()) == PARAMETERS[name][kind]


TABLE = json.loads(LIST.read_text(encoding="utf-8"))["bounds"]
INTERVALS = [
    (name, parameter, kind, text)
    for name, bounds in TABLE.items()
    if name != "pytorch"  # not installed here
    for parameter, kinds in bounds.items()
    for kind, text in kinds.items()
]
LEARNS_NOTHING = {
    ("scikit-learn/linear", "max_iter"),
    ("xgboost", "n_estimators"),
    ("xgboost", "learning_rate"),
    ("xgboost", "subsample"),
    ("xgboost", "scale_pos_weight"),
}
MEANS_SOMETHING_ELSE = {
    ("xgboost", "colsample_bytree"),
    ("xgboost", "colsample_bylevel"),
    ("xgboost", "colsample_bynode"),
}
"""Parameters for which XGBoost accepts a share of 0, treating it as one column."""


def fit(name: str, parameter: str, value: float) -> None:
    """Train a model on a few rows with the given parameter value. Raises an error if the library rejects it."""
    trainer, _, chosen = name.partition("/")
    kind = "classification" if parameter in PARAMETERS[name]["classification"] else "regression"
    usual = {"estimator": chosen, "n_jobs": 1, "n_estimators": 2, "max_iter": 20}
    if parameter == "l1_ratio":  # the default solver does not support it
        usual["solver"] = "saga"
    defaults = {
        key: default
        for key, default in usual.items()
        if key in {*PARAMETERS[name][kind], *(["estimator"] * bool(chosen))}
    }
    model = estimator(
        trainer, {"classification": "binary-classification"}.get(kind, kind), {**defaults, parameter: value}
    )
    if trainer == "transformers":  # checks its parameters before loading a model
        return
    rows = np.random.default_rng(0).normal(size=(80, 4))
    model.fit(rows, (rows[:, 0] > 0).astype(int))


def ends(text: str, kind: str) -> tuple[list[float], list[float]]:
    """Return the outermost numbers within an interval and the nearest ones outside."""
    low, high = (float(end) for end in text[1:-1].split(", "))
    step: float = 1 if kind == "whole" else 0.001
    inside = [low if text[0] == "[" else low + step]
    outside = [low - step if text[0] == "[" else low]
    if high != float("inf"):
        inside.append(high if text[-1] == "]" else high - step)
        outside.append(high + step if text[-1] == "]" else high)
    return (
        ([int(number) for number in inside], [int(number) for number in outside])
        if kind == "whole"
        else (inside, outside)
    )


@pytest.mark.parametrize(("name", "parameter", "kind", "text"), INTERVALS)
@pytest.mark.filterwarnings("ignore")
def test_compiler_has_the_same_bounds(name: str, parameter: str, kind: str, text: str) -> None:
    """Training works with values the compiler accepts. Others make it fail, learn nothing, or get rounded."""
    inside, outside = ends(text, kind)

    for value in inside:
        fit(name, parameter, value)
    for value in outside:
        if value != 0 or (name, parameter) not in LEARNS_NOTHING | MEANS_SOMETHING_ELSE:
            with pytest.raises(Exception, match=r"."):
                fit(name, parameter, value)


@pytest.mark.parametrize(
    ("name", "parameter"),
    [
        (name, parameter)
        for name, parameter, kind, _ in INTERVALS
        if kind == "whole" and len(TABLE[name][parameter]) == 1
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_counts_must_be_whole_numbers(name: str, parameter: str) -> None:
    """The compiler refuses fractional counts, as the libraries do."""
    with pytest.raises(Exception, match=r"."):
        fit(name, parameter, 2.5)


def test_bounds_refer_to_existing_parameters() -> None:
    assert TABLE.keys() == PARAMETERS.keys()
    for name, bounds in TABLE.items():
        assert bounds.keys() <= {*PARAMETERS[name]["classification"], *PARAMETERS[name]["regression"]}
