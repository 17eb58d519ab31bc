"""Built-in trainers on data as they come: of new words, odd names, missing values."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelyard_runtime.answers import answer, predictions
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.scores import score
from modelyard_runtime.trainers import estimator, grow
from modelyard_runtime.training_data import TrainingData

LIST = Path(__file__).parents[2] / "compiler/modelyard/checks/trainer_parameters.json"
PARAMETERS = json.loads(LIST.read_text(encoding="utf-8"))["parameters"]
TRAINERS = [
    ("scikit-learn", {"estimator": "hist-gradient-boosting", "max_iter": 3}),
    ("scikit-learn", {"estimator": "linear"}),
    ("xgboost", {"n_estimators": 3, "n_jobs": 1}),
    ("lightgbm", {"n_estimators": 3, "n_jobs": 1}),
]


def data(**columns: Any) -> TrainingData:
    """A hundred rows to learn from and fifty to judge by, of two classes."""
    amount = np.random.default_rng(0).normal(size=150)
    frame = pd.DataFrame({"amount": amount, **columns, "fraud": (amount > 0).astype(int)})
    features = tuple(name for name in frame if name != "fraud")
    return TrainingData(frame[:100], frame[100:], features, "fraud", (0, 1))


@dataclass(frozen=True)
class Fitted:
    """A model that was trained a moment ago."""

    model: Any

    def predict(self, rows: pd.DataFrame) -> Any:
        return self.model.predict(rows)

    def classifier(self) -> Any:
        return self.model


@pytest.mark.parametrize(("trainer", "parameters"), TRAINERS)
@pytest.mark.filterwarnings("ignore:X does not have valid feature names:UserWarning")
def test_words_that_training_has_not_seen_and_odd_names_are_answered(trainer: str, parameters: dict[str, Any]) -> None:
    words = pd.Series(["x<y", "[z]", None, "x<y"] * 25 + ["new"] * 50, dtype=object)
    holes = np.where(np.arange(150) % 7 == 0, np.nan, 1.5)
    known = data(**{"a word [<1>]": words, "holes": holes})

    *_, model = grow(trainer, "binary-classification", parameters, known)

    said = predictions(
        answer(Fitted(model), "binary-classification", known.held_out[list(known.features)]),
        "binary-classification",
        [0, 1],
    )
    assert score("auc_roc", known.truth(known.held_out), said) > 0.9


@pytest.mark.parametrize(("trainer", "parameters"), TRAINERS)
@pytest.mark.parametrize("nothing", [np.nan, None])
def test_a_feature_without_any_value_is_refused_by_name(
    trainer: str, parameters: dict[str, Any], nothing: float | None
) -> None:
    """One estimator fails on it in words of its own, and others would learn nothing from it in silence."""
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
        )
        if task != "ranking" or name in {"xgboost", "lightgbm"}
    ],
)
def test_the_compiler_knows_the_same_parameters(name: str, task: str, kind: str) -> None:
    """Its list holds what each trainer takes: it refuses exactly the parameters that a run would refuse."""
    trainer, _, chosen = name.partition("/")
    model = estimator(trainer, task, {"estimator": chosen} if chosen else {})

    assert sorted(type(model)().get_params()) == PARAMETERS[name][kind]
