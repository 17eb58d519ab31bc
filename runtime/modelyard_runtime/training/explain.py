"""Explains a model by how much each feature contributes to predictions for a sample of held-out rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelyard_runtime.metrics.scores import better, score
from modelyard_runtime.models.answers import CLASSIFICATION, Predictor, answer, predictions
from modelyard_runtime.training.shapley import shapley
from modelyard_runtime.workload.description import Json
from modelyard_runtime.workload.records import Explainability

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

    from modelyard_runtime.training.data import TrainingData

    Numbers = npt.NDArray[np.float64]

_SEED = 0
_METRICS = {"binary-classification": "log_loss", "multiclass-classification": "log_loss", "ranking": "ndcg"}


@dataclass(frozen=True, slots=True)
class Contributions:
    """Contributions to predictions by row, class and feature, which add up to the prediction minus the base value.

    For binary classification, only contributions to the positive class are included.
    """

    features: tuple[str, ...]
    values: Numbers  # shape: rows, classes, features
    base: Numbers  # shape: classes
    scale: str  # `raw` is the output of trees before it becomes a probability, `answer` is a probability or a number

    def table(self, classes: tuple[Any, ...]) -> pa.Table:
        """Tabulate contributions by explained row and class. Names of columns other than features start with `__`."""
        import numpy as np
        import pyarrow as pa

        rows, count, _ = self.values.shape
        columns: dict[str, Any] = {"__row": np.repeat(np.arange(rows), count)}
        if len(classes) == count:
            columns["__class"] = pa.array([str(label) for label in classes] * rows)
        columns["__base"] = np.tile(self.base, rows)
        columns["__answer"] = (self.values.sum(axis=2) + self.base).ravel()
        flat = self.values.reshape(rows * count, -1)
        return pa.table(columns | {name: flat[:, index] for index, name in enumerate(self.features)})

    def importance(self) -> dict[str, float]:
        """Return the mean absolute contribution of each feature, summed over classes."""
        import numpy as np

        sizes = np.abs(self.values).sum(axis=1).mean(axis=0)
        return {name: float(size) for name, size in zip(self.features, sizes, strict=True)}


def explanation(
    model: Predictor, task: str, data: TrainingData, settings: Explainability
) -> tuple[dict[str, Json], Contributions | None]:
    """Return the method and each feature's importance, largest first, plus the contributions for SHAP."""
    method = settings.method
    rows = _sample(data, settings.sample)
    report: dict[str, Json] = {"method": method, "rows": len(rows)}
    shap = contributions(model, task, data, rows) if method == "shap" else None
    importance = _permutation(model, task, data, rows) if shap is None else shap.importance()
    if shap is not None:
        report["scale"] = shap.scale
    ordered = sorted(importance.items(), key=lambda entry: -abs(entry[1]))
    return {**report, "importance": dict(ordered)}, shap


def contributions(model: Predictor, task: str, data: TrainingData, rows: pd.DataFrame) -> Contributions:
    """Compute SHAP values, either exactly for boosted trees or estimated from predictions for other models."""
    import numpy as np

    features = list(data.features)
    pipeline = _built_in(model)
    if (
        pipeline is not None
        and (tree_values := _of_trees(pipeline[-1], pipeline[0].transform(rows[features]))) is not None
    ):
        of_feature = np.array([[source == name for name in features] for source in _sources(pipeline[0])], dtype=float)
        return Contributions(data.features, tree_values[..., :-1] @ of_feature, tree_values[0, :, -1], "raw")

    def predict(frame: pd.DataFrame) -> Numbers:
        return _numbers(model, task, data, frame)

    values, base = shapley(predict, rows[features], data.train[features], _SEED)
    return Contributions(data.features, values, base, "answer")


def _permutation(model: Predictor, task: str, data: TrainingData, rows: pd.DataFrame) -> dict[str, float]:
    """Measure how much worse the model becomes when each column is shuffled."""
    import numpy as np

    features, shuffle = list(data.features), np.random.default_rng(_SEED)
    truth, groups = data.truth(rows), data.groups(rows)

    def quality(frame: pd.DataFrame) -> float:
        predicted = predictions(answer(model, task, frame), task, list(data.classes))
        return score(effective_metric, truth, predicted, groups)

    metric = _METRICS.get(task, "rmse")
    unshuffled = predictions(answer(model, task, rows[features]), task, list(data.classes))
    effective_metric = "accuracy" if metric == "log_loss" and unshuffled.scores is None else metric
    base = score(effective_metric, truth, unshuffled, groups)
    return {
        name: better(
            effective_metric, base, quality(rows[features].assign(**{name: shuffle.permutation(rows[name].to_numpy())}))
        )
        for name in features
    }


def _sample(data: TrainingData, max_rows: int) -> pd.DataFrame:
    """Sample at most `max_rows` held-out rows. Ranking samples whole queries, and at least one."""
    import numpy as np

    held_out, groups = data.held_out, data.groups(data.held_out)
    if groups is None or len(held_out) <= max_rows:
        return held_out.sample(n=min(max_rows, len(held_out)), random_state=_SEED)
    numbers, sizes = np.unique(groups, return_counts=True)
    order = np.random.default_rng(_SEED).permutation(len(numbers))
    count = max(int((np.cumsum(sizes[order]) <= max_rows).sum()), 1)
    return held_out[np.isin(groups, numbers[order[:count]])]


def _of_trees(estimator: Any, prepared: Any) -> Any:
    """Return SHAP values by row, class and column, with the base value last, or None if there are no boosted trees."""
    import numpy as np

    kind = type(estimator).__name__
    if kind.startswith("XGB"):
        import xgboost

        values = estimator.get_booster().predict(
            xgboost.DMatrix(prepared, missing=estimator.missing), pred_contribs=True
        )
    elif kind.startswith("LGBM"):
        values = estimator.predict(prepared, pred_contrib=True)  # the classes of a row are in adjacent columns
    else:
        return None
    return np.asarray(values, dtype=np.float64).reshape(len(prepared), -1, prepared.shape[1] + 1)


def _numbers(model: Predictor, task: str, data: TrainingData, frame: pd.DataFrame) -> Numbers:
    """Return a model's predictions as numbers. Without probabilities, the predicted class gets 1."""
    import numpy as np

    predicted = predictions(answer(model, task, frame), task, list(data.classes))
    numbers = predicted.values if predicted.scores is None else predicted.scores
    if predicted.scores is None and task in CLASSIFICATION:
        numbers = (numbers[:, None] == np.arange(len(data.classes))).astype(np.float64)
        numbers = numbers[:, 1:] if len(data.classes) == 2 else numbers
    return np.asarray(numbers, dtype=np.float64).reshape(len(frame), -1)


def _built_in(model: Predictor) -> Any:
    """Return the pipeline inside a built-in trainer's model, or None for any other model."""
    find = getattr(getattr(model, "loaded", None), "get_raw_model", None)
    try:
        pipeline: Any = find() if callable(find) else None
    except NotImplementedError:
        return None
    steps = [name for name, _ in getattr(pipeline, "steps", ())]
    parts = getattr(pipeline[0], "transformers", ()) if steps == ["columns", "model"] else ()
    return pipeline if [name for name, *_ in parts] == ["numbers", "texts"] else None


def _sources(preprocessing: Any) -> Iterator[str]:
    """Yield the source feature of each prepared column. A text feature has a column per frequent value."""
    for part, prepared, features in preprocessing.transformers_:
        if part == "numbers":
            yield from features
        elif part == "texts" and len(features):
            for name, categories, rare in zip(
                features, prepared.categories_, prepared.infrequent_categories_, strict=True
            ):
                yield from [name] * (len(categories) if rare is None else len(categories) - len(rare) + 1)
