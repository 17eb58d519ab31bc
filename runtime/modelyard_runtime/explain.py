"""What a model goes by: contributions of each feature on a sample of rows that it has not learned from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from modelyard_runtime.answers import Predictor, answer, predictions
from modelyard_runtime.description import Json, Section, integer, text
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.scores import better, score

if TYPE_CHECKING:
    import pandas as pd

    from modelyard_runtime.training_data import TrainingData

_SEED = 0
_BACKGROUND_ROWS = 100
_METRICS = {"binary-classification": "log_loss", "multiclass-classification": "log_loss", "ranking": "ndcg"}


def explanation(model: Predictor, task: str, data: TrainingData, asked: Section) -> dict[str, Json]:
    """The importance of each feature, greatest first, with how it was found."""
    method, most = text(asked, "method"), integer(asked, "sample")
    rows = data.held_out.sample(n=min(most, len(data.held_out)), random_state=_SEED)
    found = _METHODS[method](model, task, data, rows)
    ordered = dict(sorted(found.items(), key=lambda one: -abs(one[1])))
    return {"method": method, "rows": len(rows), "importance": {name: float(value) for name, value in ordered.items()}}


def _permutation(model: Predictor, task: str, data: TrainingData, rows: pd.DataFrame) -> dict[str, float]:
    """How much worse the model is when a column is shuffled."""
    import numpy as np

    features, shuffle = list(data.features), np.random.default_rng(_SEED)
    truth, groups = data.truth(rows), data.groups(rows)

    def quality(frame: pd.DataFrame) -> float:
        said = predictions(answer(model, task, frame), task, list(data.classes))
        return score(used, truth, said, groups)

    metric = _METRICS.get(task, "rmse")
    plain = predictions(answer(model, task, rows[features]), task, list(data.classes))
    used = "accuracy" if metric == "log_loss" and plain.scores is None else metric
    base = score(used, truth, plain, groups)
    return {
        name: better(used, base, quality(rows[features].assign(**{name: shuffle.permutation(rows[name].to_numpy())})))
        for name in features
    }


def _shap(model: Predictor, task: str, data: TrainingData, rows: pd.DataFrame) -> dict[str, float]:
    """Mean absolute SHAP values. Boosted trees compute exact ones themselves; for others the library shap does."""
    import numpy as np

    inner = _pipeline(model)
    if inner is None:
        return _shap_of_any(model, task, data, rows)
    before, last = inner[0], inner[-1]
    names = [str(name) for name in before.get_feature_names_out()]
    ready = before.transform(rows[list(data.features)])
    values = np.abs(_of_trees(last, ready))
    if values.ndim == 3:  # rows, classes, columns
        values = values.sum(axis=1)
    if values.shape[1] != len(names):  # lightgbm lays the classes side by side
        values = values.reshape(len(values), -1, len(names)).sum(axis=1)
    total = dict.fromkeys(data.features, 0.0)
    for name, value in zip(names, values.mean(axis=0), strict=True):
        total[_source(name, data.features)] += float(value)
    return total


def _of_trees(last: Any, ready: Any) -> Any:
    """SHAP values by column, without the constant part that both libraries put last."""
    import numpy as np

    kind = type(last).__name__
    if kind.startswith("XGB"):
        import xgboost

        return last.get_booster().predict(xgboost.DMatrix(ready), pred_contribs=True)[..., :-1]
    if kind.startswith("LGBM"):
        found = np.asarray(last.predict(ready, pred_contrib=True))
        classes = max(found.shape[1] // (ready.shape[1] + 1), 1)
        return found.reshape(len(found), classes, -1)[..., :-1]
    shap = _library()
    found = np.asarray(shap.Explainer(last.predict, ready[:_BACKGROUND_ROWS])(ready).values)
    return found if found.ndim == 2 else np.moveaxis(found, 2, 1)


def _shap_of_any(model: Predictor, task: str, data: TrainingData, rows: pd.DataFrame) -> dict[str, float]:
    import numpy as np
    import pandas as pd

    features = list(data.features)

    def said(values: Any) -> Any:
        frame = pd.DataFrame(values, columns=features).astype(data.train[features].dtypes)
        return predictions(answer(model, task, frame), task, list(data.classes)).values

    background = data.train[features].head(_BACKGROUND_ROWS).to_numpy()
    found = np.abs(np.asarray(_library().Explainer(said, background)(rows[features].to_numpy()).values))
    return dict(zip(features, found.reshape(len(found), len(features), -1).sum(axis=2).mean(axis=0), strict=True))


def _pipeline(model: Predictor) -> Any:
    """The scikit-learn pipeline behind a model that a built-in trainer made; None for any other."""
    find = getattr(getattr(model, "loaded", None), "get_raw_model", None)
    try:
        inner: Any = find() if callable(find) else None
    except NotImplementedError:
        return None
    made_here = type(inner).__name__ == "Pipeline" and hasattr(inner[0], "get_feature_names_out")
    return inner if made_here else None


def _source(column: str, features: tuple[str, ...]) -> str:
    """The feature that an encoded column `<feature>_<value>` came from."""
    return max((name for name in features if column == name or column.startswith(f"{name}_")), key=len)


def _library() -> Any:
    try:
        import shap  # type: ignore[import-not-found]  # only in images of systems that ask for it
    except ImportError:
        raise Refusal("explanations by shap need the package shap in the image of this step") from None
    return shap


_METHODS = {"permutation": _permutation, "shap": _shap}
