"""Boosted trees, including a worker's training loop and the estimator created from its result."""

from __future__ import annotations

from typing import Any

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.training.shares import Progress, own_rows

_OF_THE_ESTIMATOR = ("n_estimators", "n_jobs", "importance_type", "class_weight")  # unknown to LightGBM itself


def parameters_of(trainer: str, task: str, model: Any, classes: int, threads: int, workers: int = 1) -> dict[str, Any]:
    """Convert an estimator's parameters to those of the underlying library."""
    parameters: dict[str, Any] = model.get_xgb_params() if trainer == "xgboost" else model.get_params()
    parameters = {name: value for name, value in parameters.items() if value is not None}
    if trainer == "xgboost":
        if getattr(model, "early_stopping_rounds", None):
            raise Refusal("parameter 'early_stopping_rounds' needs evaluation rows, but a built-in trainer has none")
        parameters |= {"nthread": threads}
        parameters.pop("n_jobs", None)
        if task == "multiclass-classification":
            objective = str(parameters.get("objective", ""))
            parameters |= {
                "objective": objective if objective.startswith("multi:") else "multi:softprob",
                "num_class": classes,
            }
        return parameters
    parameters = {name: value for name, value in parameters.items() if name not in _OF_THE_ESTIMATOR}
    parameters.setdefault("objective", _LIGHTGBM.get(task, "regression"))
    if task == "multiclass-classification":
        parameters["num_class"] = classes
    distributed = {"tree_learner": "data_parallel", "pre_partition": True} if workers > 1 else {}
    return parameters | {"num_threads": threads} | distributed


_LIGHTGBM = {
    "binary-classification": "binary",
    "multiclass-classification": "multiclass",
    "ranking": "lambdarank",
}


def grow_xgboost(config: dict[str, Any]) -> bytes | None:
    """Train on one worker. The first worker returns the model."""
    import xgboost

    rows, target, queries, weights = own_rows(config)
    parameters: dict[str, Any] = dict(config["parameters"])
    matrix = xgboost.DMatrix(rows, target, weight=weights, qid=queries, missing=parameters.pop("missing", float("nan")))
    progress = Progress.of(config)
    for part in progress.parts(config["rounds"]):
        previous = xgboost.Booster(model_file=bytearray(progress.grown)) if progress.grown else None
        seed = int(parameters.get("seed") or parameters.get("random_state") or 0) + progress.done
        part_parameters = {name: value for name, value in parameters.items() if name != "random_state"} | {"seed": seed}
        booster = xgboost.train(part_parameters, matrix, part, xgb_model=previous)
        progress.grown = bytes(booster.save_raw("ubj"))
        progress.moved(progress.done + part, config["rounds"])
    return progress.grown if progress.first else None


def grow_lightgbm(config: dict[str, Any]) -> bytes | None:
    """Train on one worker. The first worker returns the model."""
    import lightgbm
    import numpy as np

    rows, target, queries, weights = own_rows(config)
    sizes = None if queries is None else np.unique(queries, return_counts=True)[1]
    parameters, progress = dict(config["parameters"]), Progress.of(config)
    network = {} if progress.without_train else _network()
    state = int(parameters.pop("random_state", None) or 0)
    matrix = lightgbm.Dataset(rows, target, weight=weights, group=sizes, free_raw_data=False)
    in_one_part = parameters.get("boosting_type", "gbdt") not in _IN_PARTS
    first: Any = None  # keeps its connections to other workers open, because its port would become unusable
    for part in [config["rounds"]] if in_one_part else progress.parts(config["rounds"]):
        previous = lightgbm.Booster(model_str=progress.grown.decode()) if progress.grown else None
        # Each part samples its own rows and columns. The feature bins of the first part are reused.
        seeds = {"seed": state + progress.done, "data_random_seed": state}
        booster = lightgbm.train({**parameters, **seeds, **network}, matrix, part, init_model=previous)
        first = first or booster
        network = {name: value for name, value in network.items() if name == "num_machines"}
        progress.grown = booster.model_to_string().encode()
        progress.moved(progress.done + part, config["rounds"])
    return progress.grown if progress.first else None


def _network() -> dict[str, Any]:
    """Return the parameters that LightGBM needs to find the other workers."""
    from ray.train.lightgbm import get_network_params

    return get_network_params()


_IN_PARTS = ("gbdt", "goss")  # other types drop trees or average over them, so they need all trees


def restored(trainer: str, model: Any, raw: bytes, parameters: dict[str, Any], classes: tuple[Any, ...]) -> Any:
    """Create the estimator as if it had trained the given trees itself."""
    if trainer == "xgboost":
        model.load_model(bytearray(raw))
        return model
    import lightgbm
    import numpy as np
    from sklearn.preprocessing import LabelEncoder

    # LightGBM cannot publicly convert a booster to an estimator, so set the attributes that its Dask trainer copies.
    model._Booster = lightgbm.Booster(model_str=raw.decode())
    model._n_features = model._n_features_in = model._Booster.num_feature()
    model._objective = parameters["objective"]
    model.fitted_ = True
    if classes:
        model._le = LabelEncoder().fit(np.array(classes))
        model._classes, model._n_classes = model._le.classes_, len(classes)
        model._class_map = {label: place for place, label in enumerate(model._le.classes_)}
    return model
