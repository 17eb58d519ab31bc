"""Boosted trees on a worker of several: what is grown there, and the estimator that it becomes afterwards."""

from __future__ import annotations

from typing import Any

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.shares import begun, is_time, own_rows

_OF_THE_ESTIMATOR = ("n_estimators", "n_jobs", "importance_type", "class_weight")  # LightGBM itself knows none of them


def parameters_of(trainer: str, task: str, model: Any, classes: int, threads: int) -> dict[str, Any]:
    """The parameters of an estimator as the library itself takes them."""
    given: dict[str, Any] = model.get_xgb_params() if trainer == "xgboost" else model.get_params()
    given = {name: value for name, value in given.items() if value is not None}
    if trainer == "xgboost":
        if getattr(model, "early_stopping_rounds", None):
            raise Refusal("parameter 'early_stopping_rounds' needs rows to judge by, and a built-in trainer has none")
        given |= {"nthread": threads}
        given.pop("n_jobs", None)
        if task == "multiclass-classification":
            asked = str(given.get("objective", ""))
            given |= {"objective": asked if asked.startswith("multi:") else "multi:softprob", "num_class": classes}
        return given
    given = {name: value for name, value in given.items() if name not in _OF_THE_ESTIMATOR}
    given.setdefault("objective", _LIGHTGBM.get(task, "regression"))
    if task == "multiclass-classification":
        given["num_class"] = classes
    return given | {"num_threads": threads, "tree_learner": "data_parallel", "pre_partition": True}


_LIGHTGBM = {
    "binary-classification": "binary",
    "multiclass-classification": "multiclass",
    "ranking": "lambdarank",
}


def grow_xgboost(config: dict[str, Any]) -> bytes | None:
    """What runs on each worker; the model comes from the first of them."""
    import ray
    import xgboost
    from xgboost.callback import TrainingCallback

    rows, target, queries, _ = own_rows(config["blocks"])
    missing = config["parameters"].pop("missing", float("nan"))
    matrix = xgboost.DMatrix(rows, target, qid=queries, missing=missing)
    done, grown, first = begun(config["keeper"])
    before = xgboost.Booster(model_file=bytearray(grown)) if grown else None

    class Keep(TrainingCallback):
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
            rounds = model.num_boosted_rounds()
            if first and is_time(rounds, config["rounds"]):
                ray.get(config["keeper"].keep.remote(rounds, bytes(model.save_raw("ubj"))))
            return False

    booster = xgboost.train(config["parameters"], matrix, config["rounds"] - done, xgb_model=before, callbacks=[Keep()])
    return bytes(booster.save_raw("ubj")) if first else None


def grow_lightgbm(config: dict[str, Any]) -> bytes | None:
    """What runs on each worker; the model comes from the first of them."""
    import lightgbm
    import numpy as np
    import ray
    from ray.train.lightgbm import get_network_params

    rows, target, queries, weights = own_rows(config["blocks"])
    sizes = None if queries is None else np.unique(queries, return_counts=True)[1]
    matrix = lightgbm.Dataset(rows, target, weight=weights, group=sizes)
    done, grown, first = begun(config["keeper"])
    before = lightgbm.Booster(model_str=grown.decode()) if grown else None

    def keep(state: Any) -> None:
        rounds = state.model.current_iteration()
        if first and is_time(rounds, config["rounds"]):
            ray.get(config["keeper"].keep.remote(rounds, state.model.model_to_string().encode()))

    booster = lightgbm.train(
        {**config["parameters"], **get_network_params()},
        matrix,
        config["rounds"] - done,
        init_model=before,
        callbacks=[keep],
    )
    return booster.model_to_string().encode() if first else None


def restored(trainer: str, model: Any, raw: bytes, parameters: dict[str, Any], classes: tuple[Any, ...]) -> Any:
    """The estimator, as if it had grown these trees itself."""
    if trainer == "xgboost":
        model.load_model(bytearray(raw))
        return model
    import lightgbm
    import numpy as np
    from sklearn.preprocessing import LabelEncoder

    # LightGBM has no public way from a booster to an estimator; what its own Dask trainer copies is set here.
    model._Booster = lightgbm.Booster(model_str=raw.decode())
    model._n_features = model._n_features_in = model._Booster.num_feature()
    model._objective = parameters["objective"]
    model.fitted_ = True
    if classes:
        model._le = LabelEncoder().fit(np.array(classes))
        model._classes, model._n_classes = model._le.classes_, len(classes)
        model._class_map = {one: place for place, one in enumerate(model._le.classes_)}
    return model
