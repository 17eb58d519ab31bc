"""Computes the metrics used by gates and monitors from labels and predictions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from modelyard_runtime.capabilities import check_of, metric_of
from modelyard_runtime.metrics.classes import CLASS_METRICS, positive
from modelyard_runtime.metrics.numbers import NUMBER_METRICS
from modelyard_runtime.metrics.ranking import mean_of_queries
from modelyard_runtime.metrics.texts import TEXT_METRICS
from modelyard_runtime.refusals import Refusal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

_COMPUTED = {**CLASS_METRICS, **NUMBER_METRICS, **TEXT_METRICS}


@dataclass(frozen=True, slots=True)
class Predictions:
    """A model's predictions. `values` are classes or numbers. `scores` are by class, or for the positive class only.

    For classification, `classes` is the number of classes, including those without rows. For forecasts, `naive` is the
    mean absolute error of predicting the previous value, measured on the training rows. For language models, `values`
    are negative log-likelihoods, and `scores` are token counts.
    """

    values: Numbers
    scores: Numbers | None = None
    classes: int = 0
    naive: float = float("nan")

    def some(self, rows: npt.NDArray[Any]) -> Predictions:
        """Select the predictions for certain rows by mask or position."""
        scores = None if self.scores is None else self.scores[rows]
        return replace(self, values=self.values[rows], scores=scores)


def score(metric: str, truth: Numbers, predictions: Predictions, groups: npt.NDArray[np.int64] | None = None) -> float:
    """Compute one metric. Raises Refusal if it is unknown, or needs scores the model doesn't provide.

    Returns NaN if the metric is undefined for the given rows, e.g. recall without positives. NaN satisfies no bound.
    Ranking metrics need `groups`, which holds the query of each row.
    """
    definition = metric_of(metric)
    if definition is None:
        raise Refusal(f"metric {metric!r} is not computed here")
    if not len(truth):
        raise Refusal(f"metric {metric!r} has no rows to compute it from")
    try:
        if definition.needs != "group":
            return _COMPUTED[definition.family](truth, predictions, definition.at)
        if groups is None:
            raise Refusal("it needs the query of each row: set `group` on a dataset")
        return mean_of_queries(definition.family, definition.at, truth, _order(predictions), groups)
    except Refusal as refusal:
        raise Refusal(f"metric {metric!r}: {refusal}") from None


def better(metric: str, value: float, other: float) -> float:
    """Return how much better `value` is than `other`.

    The result is positive for an improvement, whatever the metric.
    """
    definition = metric_of(metric) or check_of(metric)
    return other - value if definition is not None and definition.smaller_is_better else value - other


def _order(predictions: Predictions) -> Numbers:
    return predictions.values if predictions.scores is None else positive(predictions)
