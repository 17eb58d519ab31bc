"""Metrics of predicted numbers. If a prediction is not finite, the metric is NaN."""

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


def _sklearn(name: str, fewest: int = 1, **given: Any) -> Compute:
    def compute(truth: Numbers, said: Predictions, _at: int) -> float:
        from sklearn import metrics

        if len(truth) < fewest or not _finite(said):
            return float("nan")
        return float(getattr(metrics, name)(truth, said.values, **given))

    return compute


def _rmsle(truth: Numbers, said: Predictions, at: int) -> float:
    """NaN if a label or prediction is -1 or less: its logarithm does not exist."""
    if min(truth.min(), said.values.min()) <= -1:
        return float("nan")
    return _sklearn("root_mean_squared_log_error")(truth, said, at)


def _pinball(truth: Numbers, said: Predictions, at: int) -> float:
    return _sklearn("mean_pinball_loss", alpha=at / 100)(truth, said, at)


def _mase(truth: Numbers, said: Predictions, at: int) -> float:
    import numpy as np

    if not np.isfinite(said.naive) or not said.naive:
        raise Refusal(
            "it needs a history that changes: rows to learn from with a `timestamp`, one a time, "
            "or one a time for each `group`"
        )
    return _sklearn("mean_absolute_error")(truth, said, at) / said.naive


def _relative(weighted: bool, symmetric: bool) -> Compute:
    def compute(truth: Numbers, said: Predictions, _at: int) -> float:
        import numpy as np

        if not _finite(said):
            return float("nan")
        error = np.abs(truth - said.values)
        if weighted:
            total = float(np.abs(truth).sum())
            return float(error.sum() / total) if total else float("nan")
        size = (np.abs(truth) + np.abs(said.values)) / 2 if symmetric else np.abs(truth)
        counted = size > 0
        nothing = 0.0 if symmetric else float("nan")  # both all zero: no error; otherwise nothing to divide by
        return float((error[counted] / size[counted]).mean()) if counted.any() else nothing

    return compute


def _finite(said: Predictions) -> bool:
    import numpy as np

    return bool(np.isfinite(said.values).all())


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
