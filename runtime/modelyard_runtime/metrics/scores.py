"""How good a model is: the metrics that gates and monitors name, each from true values and predictions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from modelyard_runtime.capabilities import check_of, metric_of
from modelyard_runtime.metrics.classes import CLASS_METRICS, positive
from modelyard_runtime.metrics.numbers import NUMBER_METRICS
from modelyard_runtime.metrics.ranking import mean_of_queries
from modelyard_runtime.refusals import Refusal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

_COMPUTED = {**CLASS_METRICS, **NUMBER_METRICS}


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model said: `values` (classes or numbers), and for classes `scores` (by class, or of the positive one).

    Of a classification, `classes` is how many there are, also of those that no row here has. Of a forecast, `naive` is
    the mean absolute error of "as the time before" over the rows to learn from.
    """

    values: Numbers
    scores: Numbers | None = None
    classes: int = 0
    naive: float = float("nan")

    def some(self, chosen: npt.NDArray[Any]) -> Predictions:
        """Of some rows, by a mask or their places."""
        scores = None if self.scores is None else self.scores[chosen]
        return replace(self, values=self.values[chosen], scores=scores)


def score(metric: str, truth: Numbers, said: Predictions, groups: npt.NDArray[np.int64] | None = None) -> float:
    """The value of one metric; Refusal names a metric that is unknown or needs scores that the model does not give.

    It is NaN where the metric has no meaning for these rows, such as recall where nothing is positive: no bound holds
    for it. Metrics of ranked rows need `groups`, which says for each row which query it is of.
    """
    found = metric_of(metric)
    if found is None:
        raise Refusal(f"metric {metric!r} is not computed here")
    if not len(truth):
        raise Refusal(f"metric {metric!r} has no rows to be computed from")
    try:
        if found.needs != "group":
            return _COMPUTED[found.family](truth, said, found.at)
        if groups is None:
            raise Refusal("it needs to know which rows are of one query: `group` of a dataset")
        return mean_of_queries(found.family, found.at, truth, _order(said), groups)
    except Refusal as refusal:
        raise Refusal(f"metric {metric!r}: {refusal}") from None


def better(metric: str, value: float, other: float) -> float:
    """By how much `value` is better than `other`: positive is better, whatever way the metric points."""
    known = metric_of(metric) or check_of(metric)
    return other - value if known is not None and known.smaller_is_better else value - other


def _order(said: Predictions) -> Numbers:
    return said.values if said.scores is None else positive(said)
