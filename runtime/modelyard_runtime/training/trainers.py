"""Built-in trainers: estimators with common preprocessing, trained in parts so that a search can stop them early."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from modelyard_runtime.capabilities import trainers
from modelyard_runtime.models.answers import CLASSIFICATION, plain
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.workload.description import Json

if TYPE_CHECKING:
    import pandas as pd

    from modelyard_runtime.training.data import TrainingData

GROWING = "hist-gradient-boosting"
"""The scikit-learn estimator that is the default, and the only one that can be trained in parts."""

_SEED = 0
MOST_CATEGORIES = 100
_ROUNDS = 100  # the default in XGBoost


def check_trainer(trainer: str, task: str, parameters: Mapping[str, Json]) -> None:
    """Refuse unsupported tasks and parameters before any work begins."""
    check_task(trainer, task)
    estimator(trainer, task, parameters)


def check_task(trainer: str, task: str) -> None:
    """Refuse a task that isn't listed for the given trainer in the table. No library is loaded."""
    table = trainers()
    if trainer not in table:
        raise Refusal(f"unknown built-in trainer {trainer!r}; supported: {', '.join(table)}")
    suitable = [name for name, entry in table.items() if task in entry.tasks]
    if not suitable:
        raise Refusal(f"built-in trainers do not train models for {task}; give the step an entrypoint")
    if trainer not in suitable:
        raise Refusal(f"{trainer} does not train models for {task}; {' and '.join(suitable)} do")


def estimator(trainer: str, task: str, parameters: Mapping[str, Json]) -> Any:
    """Create an estimator with the given parameters. Refuse unknown parameters."""
    arguments = dict(parameters)
    make = _maker(trainer, task, str(arguments.pop("estimator", "")))
    return make(**_seeded(make, arguments))


def grow(trainer: str, task: str, parameters: Mapping[str, Json], data: TrainingData, rungs: int = 1) -> Iterator[Any]:
    """Yield the model after each of `rungs` equal parts of training. Some estimators only support one part."""
    from sklearn.pipeline import Pipeline

    model = estimator(trainer, task, parameters)
    before, rows = prepared(trainer, model, data)
    target, arguments = labels(trainer, data), _groups(trainer, task, data)
    for grown in _GROWTH.get(_growth_of(model), _grow_at_once)(model, rows, target, rungs, arguments):
        yield Pipeline([("columns", before), ("model", grown)])


def rungs_of(trainer: str, task: str, parameters: Mapping[str, Json], rungs: int) -> int:
    """Return the number of parts in which `grow` trains a model with the given parameters."""
    model = estimator(trainer, task, parameters)
    total = _PARTS.get(_growth_of(model))
    return 1 if total is None else len(_parts(int(getattr(model, total) or _ROUNDS), rungs))


def prepared(trainer: str, model: Any, data: TrainingData) -> tuple[Any, Any]:
    """Return the fitted preprocessing, and the training rows preprocessed for the estimator."""
    rows = data.train[list(data.features)]
    empty = [name for name in rows.columns if rows[name].isna().all()]
    if empty:
        raise Refusal(f"feature {empty[0]!r} has no value in any training row; leave it out, or fix the data")
    before = preprocessing(rows, scaled=trainer == "pytorch" or _is_linear(model))
    return before, before.fit_transform(rows)


def _groups(trainer: str, task: str, data: TrainingData) -> dict[str, Any]:
    """Return the groups compared by a ranker as an argument for the library, or an empty dict for other tasks."""
    import numpy as np

    if task != "ranking":
        return {}
    numbers = groups_of(data)
    return {"qid": numbers} if trainer == "xgboost" else {"group": np.unique(numbers, return_counts=True)[1]}


def groups_of(data: TrainingData) -> Any:
    """Return the query of each training row, as numbers in ascending order."""
    numbers = data.groups(data.train)
    if numbers is None:
        raise Refusal("a ranker needs the query of each row: set `group` on a dataset")
    return numbers


def preprocessing(rows: pd.DataFrame, scaled: bool) -> Any:
    """Create the preprocessing, which one-hot encodes text and, if `scaled`, imputes and standardizes numbers."""
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler

    numbers = [name for name in rows.columns if pd.api.types.is_numeric_dtype(rows[name].dtype)]
    texts = [name for name in rows.columns if name not in numbers]
    encode = OneHotEncoder(handle_unknown="infrequent_if_exist", max_categories=MOST_CATEGORIES, sparse_output=False)
    fill = make_pipeline(SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler())
    parts = [("numbers", fill if scaled else "passthrough", numbers), ("texts", encode, texts)]
    return ColumnTransformer(parts, verbose_feature_names_out=False)


def labels(trainer: str, data: TrainingData) -> Any:
    """Convert the label for the trainer. XGBoost and networks only accept classes 0, 1, 2 …."""
    import numpy as np

    if not data.classes:
        return data.train[data.label].to_numpy(dtype=np.float64)  # for ranking, the relevance of a row: 0 1 2 …
    check_labels(trainer, data)
    return np.array([plain(value) for value in data.train[data.label]])


def check_labels(trainer: str, data: TrainingData) -> None:
    """Refuse classes that the trainer does not support."""
    if trainer in {"xgboost", "pytorch"} and data.classes != tuple(range(len(data.classes))):
        listed = ", ".join(repr(label) for label in data.classes[:5])
        raise Refusal(
            f"{trainer} needs classes 0, 1, 2 …; label {data.label!r} has {listed}: encode it, or use lightgbm"
        )


def _maker(trainer: str, task: str, name: str) -> Callable[..., Any]:
    classifies = task in CLASSIFICATION
    if trainer == "scikit-learn":
        return _of_sklearn(name or GROWING, classifies)
    if name:
        raise Refusal(f"parameter 'estimator' is for the trainer scikit-learn, not for {trainer}")
    if trainer == "xgboost":
        import xgboost

        if task == "ranking":
            return xgboost.XGBRanker
        return xgboost.XGBClassifier if classifies else xgboost.XGBRegressor
    if trainer == "lightgbm":
        import lightgbm

        if task == "ranking":
            return lightgbm.LGBMRanker
        return lightgbm.LGBMClassifier if classifies else lightgbm.LGBMRegressor
    if trainer == "pytorch":
        from modelyard_runtime.networks import NetworkClassifier, NetworkRegressor

        return NetworkClassifier if classifies else NetworkRegressor
    if trainer == "transformers":
        from modelyard_runtime.training.language.settings import LoraSettings

        return LoraSettings
    raise Refusal(f"unknown built-in trainer {trainer!r}; supported: {', '.join(trainers())}")


def _of_sklearn(name: str, classifies: bool) -> Callable[..., Any]:
    from sklearn import ensemble, linear_model

    estimators: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
        GROWING: (ensemble.HistGradientBoostingClassifier, ensemble.HistGradientBoostingRegressor),
        "random-forest": (ensemble.RandomForestClassifier, ensemble.RandomForestRegressor),
        "linear": (linear_model.LogisticRegression, linear_model.Ridge),
    }
    if name not in estimators:
        raise Refusal(f"estimator {name!r} is not built in; supported: {', '.join(estimators)}")
    return estimators[name][0 if classifies else 1]


def _seeded(make: Callable[..., Any], arguments: dict[str, Json]) -> dict[str, Any]:
    """Add a fixed seed and a thread per worker CPU to the parameters, refusing unknown parameters."""
    defaults = make().get_params()
    unknown = sorted(set(arguments) - set(defaults))
    if unknown:
        raise Refusal(f"{make.__name__} has no parameter {unknown[0]!r}; supported: {', '.join(sorted(defaults))}")
    settings: dict[str, Any] = {"random_state": _SEED} if "random_state" in defaults else {}
    if "n_jobs" in defaults and make.__name__ not in {"LogisticRegression"}:
        settings["n_jobs"] = int(os.environ.get("OMP_NUM_THREADS") or os.cpu_count() or 1)
    if "verbosity" in defaults:
        settings["verbosity"] = 0
    if make.__name__.startswith("LGBM"):
        settings["verbosity"] = -1
    return {**settings, **arguments}


def _is_linear(model: Any) -> bool:
    return type(model).__module__.startswith("sklearn.linear_model")


def _growth_of(model: Any) -> str:
    return next((name for name in _GROWTH if type(model).__name__.startswith(name)), "")


def _parts(total: int, rungs: int) -> list[int]:
    """Return the number of rounds in each rung, which is at least one."""
    rungs = max(min(rungs, total), 1)
    return [total * (rung + 1) // rungs - total * rung // rungs for rung in range(rungs)]


def _grow_xgboost(model: Any, rows: Any, target: Any, rungs: int, arguments: Mapping[str, Any]) -> Iterator[Any]:
    from sklearn.base import clone

    before = None
    for part in _parts(int(model.n_estimators or _ROUNDS), rungs):
        grown = clone(model).set_params(n_estimators=part)
        grown.fit(rows, target, xgb_model=before, **arguments)
        before = grown.get_booster()
        yield grown


def _grow_lightgbm(model: Any, rows: Any, target: Any, rungs: int, arguments: Mapping[str, Any]) -> Iterator[Any]:
    from sklearn.base import clone

    before = None
    for part in _parts(int(model.n_estimators), rungs):
        grown = clone(model).set_params(n_estimators=part)
        grown.fit(rows, target, init_model=before, **arguments)
        before = grown.booster_
        yield grown


def _grow_histograms(model: Any, rows: Any, target: Any, rungs: int, arguments: Mapping[str, Any]) -> Iterator[Any]:
    parts = _parts(int(model.max_iter), rungs)
    model.set_params(warm_start=len(parts) > 1)
    for rung in range(len(parts)):
        model.set_params(max_iter=sum(parts[: rung + 1]))
        model.fit(rows, target)
        yield model


def _grow_network(model: Any, rows: Any, target: Any, rungs: int, arguments: Mapping[str, Any]) -> Iterator[Any]:
    for part in _parts(int(model.epochs), rungs):
        model.learn(rows, target, part)
        yield model


def _grow_at_once(model: Any, rows: Any, target: Any, rungs: int, arguments: Mapping[str, Any]) -> Iterator[Any]:
    yield model.fit(rows, target, **arguments)


_GROWTH: dict[str, Callable[[Any, Any, Any, int, Mapping[str, Any]], Iterator[Any]]] = {
    "XGB": _grow_xgboost,
    "LGBM": _grow_lightgbm,
    "HistGradientBoosting": _grow_histograms,
    "Network": _grow_network,
}
_PARTS = {"XGB": "n_estimators", "LGBM": "n_estimators", "HistGradientBoosting": "max_iter", "Network": "epochs"}
