"""Predictions in a common format: a class or number per row, plus probabilities if the model provides them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from modelyard_runtime.metrics.scores import Predictions

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

CLASSIFICATION = frozenset({"binary-classification", "multiclass-classification"})


class Predictor(Protocol):
    """A model from the registry, or any user-provided object with a `predict` method."""

    def predict(self, rows: pd.DataFrame) -> Any:
        """Predict all rows, returning an array, frame or list with one entry per row."""
        ...


@dataclass(frozen=True, slots=True)
class Answer:
    """Predictions, with a class or number per row in `values`, and probabilities of one or all classes in `scores`.

    `classes` lists the classes in the order of the scores, or is empty if they are unknown.
    """

    values: npt.NDArray[Any]
    scores: npt.NDArray[np.float64] | None = None
    classes: tuple[Any, ...] = ()


def answer(model: Predictor, task: str, rows: pd.DataFrame) -> Answer:
    """Predict with a model. If it returns probabilities, classes are derived from them so that both always agree.

    If the model was logged with a threshold, the second of two classes is predicted from that probability upward.
    """
    import numpy as np

    find = getattr(model, "classifier", None)
    classifier: Any = find() if callable(find) and task in CLASSIFICATION else None
    if classifier is not None:
        chances = np.asarray(classifier.predict_proba(rows), dtype=np.float64)
        values = np.asarray(classifier.classes_)[_places(chances, threshold_of(model))]
        classes = tuple(plain(label) for label in classifier.classes_)
        return Answer(values, chances[:, 1] if chances.shape[1] == 2 else chances, classes)
    return shaped(model.predict(rows), task, threshold_of(model))


def threshold_of(model: Predictor) -> float | None:
    """Return the threshold for the positive class that was logged with a model, if any."""
    find: Callable[[], float | None] | None = getattr(model, "threshold", None)
    return find() if callable(find) else None


@dataclass(frozen=True, slots=True)
class _Chooses:
    """An object from user code, combined with the threshold of its model version."""

    model: Any
    chosen: float

    def predict(self, rows: pd.DataFrame) -> Any:
        return self.model.predict(rows)

    def classifier(self) -> Any | None:
        find = getattr(self.model, "classifier", None)
        return find() if callable(find) else None

    def threshold(self) -> float:
        return self.chosen


def choosing_by(model: Predictor, threshold: float | None) -> Predictor:
    """Add the threshold of a model version to an object from user code, unless it has its own."""
    return model if threshold is None or hasattr(model, "threshold") else _Chooses(model, threshold)


def _places(chances: npt.NDArray[np.float64], threshold: float | None) -> npt.NDArray[np.int64]:
    import numpy as np

    if threshold is not None and chances.shape[1] == 2:
        return (chances[:, 1] >= threshold).astype(np.int64)
    likeliest: npt.NDArray[np.int64] = chances.argmax(axis=1)
    return likeliest


def shaped(raw: Any, task: str, threshold: float | None = None) -> Answer:
    """Interpret raw predictions.

    Multiple columns are class probabilities, and fractions in a binary task are scores.
    """
    import numpy as np

    values = np.asarray(raw)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2 and task in CLASSIFICATION:
        chances = values.astype(np.float64)
        return Answer(_places(chances, threshold), chances[:, 1] if chances.shape[1] == 2 else chances)
    if task == "binary-classification" and values.dtype.kind == "f" and (values % 1 != 0).any():
        return Answer((values >= (0.5 if threshold is None else threshold)).astype(np.int64), values.astype(np.float64))
    return Answer(values)


def predictions(answers: Answer, task: str, classes: list[Any], naive: float = float("nan")) -> Predictions:
    """Convert predictions to numbers for metrics. Classes are mapped to their index in `classes`, like score columns.

    `naive` is the error of a naive forecast, for metrics that are relative to it.
    """
    import numpy as np

    if task in CLASSIFICATION:
        return Predictions(coded(answers.values, classes), _aligned(answers, classes), len(classes))
    return Predictions(answers.values.astype(np.float64), answers.scores, naive=naive)


def _aligned(answers: Answer, classes: list[Any]) -> npt.NDArray[np.float64] | None:
    """Reorder the scores to match `classes`, as a model trained on other data may have more or fewer classes."""
    import numpy as np

    if answers.scores is None or not answers.classes or list(answers.classes) == classes:
        return answers.scores
    scores = answers.scores if answers.scores.ndim == 2 else np.stack((1 - answers.scores, answers.scores), axis=1)
    places = {label: place for place, label in enumerate(answers.classes)}
    columns = [scores[:, places[label]] if label in places else np.zeros(len(scores)) for label in classes]
    return columns[1] if len(columns) == 2 else np.stack(columns, axis=1)


def coded(values: Any, classes: list[Any]) -> npt.NDArray[np.float64]:
    """Convert each class to its index in `classes`, and any other value to -1, which matches no label."""
    import numpy as np

    places = {value: place for place, value in enumerate(classes)}
    return np.array([places.get(plain(value), -1) for value in values], dtype=np.float64)


def plain(value: Any) -> Any:
    """Convert a numpy value to a Python value, and booleans to numbers, since models are trained on numbers."""
    if getattr(value, "ndim", 0):  # several numbers per row, as in a forecast horizon
        return [plain(item) for item in value]
    scalar = value.item() if hasattr(value, "item") else value
    if isinstance(scalar, bool) or (isinstance(scalar, float) and scalar.is_integer()):
        return int(scalar)
    return scalar
