"""Chooses and records a model's storage format, avoiding pickle if the model's library allows it."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

from modelyard_runtime.refusals import Refusal

FORMAT_TAG = "modelyard.format"
"""Tag with the format of a version: `skops` or `native` (data only), `pickle`, or `other` for the model's own."""

SKOPS, NATIVE, PICKLE, OTHER = "skops", "native", "pickle", "other"
DATA_ALONE = frozenset({SKOPS, NATIVE})
SAFETENSORS, ADAPTER = "safetensors", "peft"
"""The formats of language models and of their adapters: weights and JSON. Their engine runs no code from them."""

_TRUSTED = frozenset(
    {
        "collections.OrderedDict",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRanker",
        "lightgbm.sklearn.LGBMRegressor",
        "modelyard_runtime.networks.NetworkClassifier",
        "modelyard_runtime.networks.NetworkRegressor",
        "numpy.dtype",
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
        "sklearn.tree._tree.Tree",
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBRanker",
        "xgboost.sklearn.XGBRegressor",
    }
)
"""Types in models of built-in trainers that skops does not trust by default.

These are numeric data, and boosters loaded from their own bytes. MLflow reads the list of trusted types from the
model's own files, so a list with other types is not trusted.
"""

_Flavors: TypeAlias = dict[str, dict[str, Any]]
"""The loading options of MLflow by flavor."""

_WARNINGS = {
    PICKLE: "Its files are a pickle: loading it runs code that came with it.",
    OTHER: "Its files are in a custom format: loading it may run code that came with it.",
}

_log = logging.getLogger(__name__)


def flavor_of(model: Any) -> tuple[str, Any, dict[str, Any]]:
    """Return the flavor name for a model, its logging function, and the arguments that select its format."""
    import mlflow

    kinds = {base.__module__.partition(".")[0] for base in type(model).__mro__}
    if "mlflow" in kinds:

        def log(python_model: Any, **arguments: Any) -> Any:
            return mlflow.pyfunc.log_model(python_model=python_model, **arguments)

        return "pyfunc", log, {}
    for library, flavor in (
        ("sklearn", "sklearn"),
        ("xgboost", "xgboost"),
        ("lightgbm", "lightgbm"),
        ("torch", "pytorch"),
    ):
        if library in kinds and not (library == "sklearn" and kinds & {"xgboost", "lightgbm"}):
            return flavor, getattr(mlflow, flavor).log_model, _written(flavor, model)
    raise Refusal(
        f"the step returned {type(model).__name__}, "
        "which is not a model of scikit-learn, xgboost, lightgbm, pytorch or mlflow"
    )


def _written(flavor: str, model: Any) -> dict[str, Any]:
    """Return the arguments that select a format if the library has several. Other libraries don't use pickle."""
    if flavor == "pytorch":  # MLflow's other format needs example tensors, but the inputs are tables
        return {"serialization_format": "pickle"}
    if flavor == "xgboost" or any(base.__name__ == "Booster" for base in type(model).__mro__):
        return {}
    types = _restored(model)
    if types is None:
        return {"serialization_format": "cloudpickle"}
    return {"serialization_format": SKOPS, "skops_trusted_types": sorted(types)}


def _restored(model: Any) -> frozenset[str] | None:
    """Return the extra types skops needs to restore a model, or None if it fails or needs untrusted types."""
    try:
        import skops.io

        with tempfile.TemporaryDirectory(prefix="skops-") as folder:
            file = f"{folder}/model.skops"
            skops.io.dump(model, file)
            types = frozenset(skops.io.get_untrusted_types(file=file))
            if types <= _TRUSTED:
                skops.io.load(file, trusted=sorted(types))
                return types
        reason = f"it has {', '.join(sorted(types - _TRUSTED))}"
    except Exception as problem:  # noqa: BLE001 - a user's class may raise anything: such a model is pickled
        reason = f"{type(problem).__name__}: {problem}"
    _log.warning("pickling the model, because skops does not trust all of its types: %s", reason)
    return None


def format_of(folder: Path) -> str:
    """Determine the format of a logged model from the loader in its files."""
    from mlflow.models import Model

    flavors: _Flavors = Model.load(str(folder)).flavors
    loaded = flavors.get("python_function", {})
    model_format = _FORMATS.get(str(loaded.get("loader_module")), _unknown)(flavors)
    elsewhere = any("/" in str(loaded.get(key, "")) for key in ("data", "model_path"))  # outside the model's folder
    return OTHER if model_format in DATA_ALONE and (loaded.get("code") or elsewhere) else model_format


def warning_of(model_format: str) -> str:
    """Return a warning for users of the given model format, or "" if it only contains data."""
    return _WARNINGS.get(model_format, "")


def _of_sklearn(flavors: _Flavors, flavor: str = "sklearn") -> str:
    configuration = flavors.get(flavor, {})
    if configuration.get("serialization_format") != SKOPS:
        return PICKLE
    return SKOPS if set(configuration.get("skops_trusted_types") or ()) <= _TRUSTED else OTHER


def _of_lightgbm(flavors: _Flavors) -> str:
    booster = "lightgbm.basic.Booster"
    is_booster = flavors.get("lightgbm", {}).get("model_class", booster) == booster
    return NATIVE if is_booster else _of_sklearn(flavors, "lightgbm")


def _of_xgboost(flavors: _Flavors) -> str:
    """Determine the format of an XGBoost model. MLflow's flavor imports the class named in the files."""
    model_class = str(flavors.get("xgboost", {}).get("model_class", "xgboost.core.Booster"))
    return NATIVE if model_class.startswith("xgboost.") else OTHER


def _pickled(flavors: _Flavors) -> str:
    return PICKLE


def _unknown(flavors: _Flavors) -> str:
    return OTHER


_FORMATS: dict[str, Callable[[_Flavors], str]] = {
    "mlflow.sklearn": _of_sklearn,
    "mlflow.lightgbm": _of_lightgbm,
    "mlflow.xgboost": _of_xgboost,
    "mlflow.pytorch": _pickled,
    "mlflow.pyfunc.model": _pickled,
}
