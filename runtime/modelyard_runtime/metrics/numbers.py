"""Regression metrics. They are NaN if any prediction isn't finite."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from modelyard_runtime.refusals import Refusal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from modelyard_runtime.metrics.classes import Compute
    from modelyard_runtime.metrics.scores import Predictions

    Numbers = npt.NDArray[np.float64]


def _sklearn(name: str, fewest: int = 1, **options: Any) -> Compute:
    def compute(truth: Numbers, predictions: Predictions, _at: int) -> float:
        from sklearn import metrics

        if len(truth) < fewest or not _finite(predictions):
            return float("nan")
        return float(getattr(metrics, name)(truth, predictions.values, **options))

    return compute


def _rmsle(truth: Numbers, predictions: Predictions, at: int) -> float:
    """Compute the RMSLE, or NaN if a label or prediction is -1 or less, where the logarithm is undefined."""
    if min(truth.min(), predictions.values.min()) <= -1:
        return float("nan")
    return _sklearn("root_mean_squared_log_error")(truth, predictions, at)


def _pinball(truth: Numbers, predictions: Predictions, at: int) -> float:
    return _sklearn("mean_pinball_loss", alpha=at / 100)(truth, predictions, at)


def _mase(truth: Numbers, predictions: Predictions, at: int) -> float:
    import numpy as np

    if not np.isfinite(predictions.naive) or not predictions.naive:
        raise Refusal(
            "it needs a history with changes: training rows with a `timestamp`, one per time, "
            "or one per time and `group`"
        )
    return _sklearn("mean_absolute_error")(truth, predictions, at) / predictions.naive


def _relative(weighted: bool, symmetric: bool) -> Compute:
    def compute(truth: Numbers, predictions: Predictions, _at: int) -> float:
        import numpy as np

        if not _finite(predictions):
            return float("nan")
        error = np.abs(truth - predictions.values)
        if weighted:
            total = float(np.abs(truth).sum())
            return float(error.sum() / total) if total else float("nan")
        size = (np.abs(truth) + np.abs(predictions.values)) / 2 if symmetric else np.abs(truth)
        nonzero = size > 0
        nothing = 0.0 if symmetric else float("nan")  # symmetric: both are zero, so there is no error
        return float((error[nonzero] / size[nonzero]).mean()) if nonzero.any() else nothing

    return compute


def _finite(predictions: Predictions) -> bool:
    import numpy as np

    return bool(np.isfinite(predictions.values).all())


NUMBER_METRICS: Mapping[str, Compute] = {
    "rmse": _sklearn("root_mean_squared_error"),
    "mae": _sklearn("mean_absolute_error"),
    "median_ae": _sklearn("median_absolute_error"),
    "mape": _relative(weighted=False, symmetric=False),
    "r2": _sklearn("r2_score", fewest=2),
    "wape": _relative(weighted=True, symmetric=False),
    "smape": _relative(weighted=False, symmetric=True),
    "rmsle": _rmsle,
    "pinball_K": _pinball,
    "mase": _mase,
}
