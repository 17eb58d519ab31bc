"""How good a model is: the metrics that gates and monitors name, each from true values and predictions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelyard_runtime.refusals import Refusal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]

SMALLER_IS_BETTER = frozenset({"log_loss", "brier", "rmse", "mae", "mape", "wape", "smape", "page_hinkley"})


@dataclass(frozen=True, slots=True)
class Predictions:
    """What a model said: `values` (classes or numbers), and for classes `scores` (by class, or of the positive one).

    Of a classification, `classes` is how many there are, also of those that no row here has.
    """

    values: Numbers
    scores: Numbers | None = None
    classes: int = 0

    def some(self, chosen: npt.NDArray[Any]) -> Predictions:
        """Of some rows, by a mask or their places."""
        scores = None if self.scores is None else self.scores[chosen]
        return Predictions(self.values[chosen], scores, self.classes)


def score(metric: str, truth: Numbers, said: Predictions, groups: npt.NDArray[np.int64] | None = None) -> float:
    """The value of one metric; Refusal names a metric that is unknown or needs scores that the model does not give.

    It is NaN where the metric has no meaning for these rows, such as recall where nothing is positive: no bound holds
    for it. Metrics of ranked rows need `groups`, which says for each row which query it is of.
    """
    if metric not in _METRICS and metric not in _RANKED:
        known = ", ".join(sorted((*_METRICS, *_RANKED)))
        raise Refusal(f"metric {metric!r} is not computed here; known are {known}")
    if not len(truth):
        raise Refusal(f"metric {metric!r} has no rows to be computed from")
    if metric in _RANKED:
        return _mean_of_groups(metric, truth, said, groups)
    return float(_METRICS[metric](truth, said))


def better(metric: str, value: float, other: float) -> float:
    """By how much `value` is better than `other`: positive is better, whatever way the metric points."""
    return other - value if metric in SMALLER_IS_BETTER else value - other


def known_metrics(task: str) -> tuple[str, ...]:
    """The metrics that are computed after training a model of a task."""
    return {
        "binary-classification": ("accuracy", "f1", "precision", "recall", "auc_roc", "auc_pr", "log_loss", "brier"),
        "multiclass-classification": ("accuracy", "f1", "precision", "recall", "log_loss"),
        "ranking": ("ndcg", "map", "recall_at_10"),
        "recommendation": ("ndcg", "map", "recall_at_10"),
    }.get(task, ("rmse", "mae", "mape", "r2", "wape", "smape"))


def _scores(said: Predictions, metric: str) -> Numbers:
    if said.scores is None:
        raise Refusal(f"metric {metric!r} needs scores, and this model only says classes")
    return said.scores


def _positive(said: Predictions, metric: str) -> Numbers:
    found = _scores(said, metric)
    return found[:, -1] if found.ndim == 2 else found


def _sklearn(name: str, fewest: int = 1) -> Callable[[Numbers, Predictions], float]:
    def compute(truth: Numbers, said: Predictions) -> float:
        import numpy as np
        from sklearn import metrics

        if len(truth) < fewest or not np.isfinite(said.values).all():
            return float("nan")
        return float(getattr(metrics, name)(truth, said.values))

    return compute


def _averaged(name: str) -> Callable[[Numbers, Predictions], float]:
    def compute(truth: Numbers, said: Predictions) -> float:
        import numpy as np
        from sklearn import metrics

        count = said.classes or int(max(truth.max(), said.values.max())) + 1
        asked = [1] if count <= 2 else list(range(count))  # of two classes the second is what is looked for
        compare = getattr(metrics, name)
        return float(compare(truth, said.values, labels=asked, average="macro", zero_division=np.nan))

    return compute


def _by_scores(name: str, metric: str) -> Callable[[Numbers, Predictions], float]:
    def compute(truth: Numbers, said: Predictions) -> float:
        from sklearn import metrics

        scores = _positive(said, metric)
        if len(set(truth.tolist())) < 2:  # all of one class: there is no order to judge
            return float("nan")
        return float(getattr(metrics, name)(truth, scores))

    return compute


def _brier(truth: Numbers, said: Predictions) -> float:
    return float(((_positive(said, "brier") - (truth == 1)) ** 2).mean())


def _log_loss(truth: Numbers, said: Predictions) -> float:
    """As scikit-learn defines it. A class that the model does not know had no chance at all."""
    import numpy as np

    scores = _scores(said, "log_loss")
    chances = scores if scores.ndim == 2 else np.stack((1 - scores, scores), axis=1)
    known = (truth >= 0) & (truth < chances.shape[1])
    own = np.where(known, chances[np.arange(len(truth)), np.where(known, truth, 0).astype(int)], 0.0)
    least = float(np.finfo(np.float64).eps)
    return float(-np.log(np.clip(own, least, 1 - least)).mean())


def _relative(weighted: bool, symmetric: bool) -> Callable[[Numbers, Predictions], float]:
    def compute(truth: Numbers, said: Predictions) -> float:
        import numpy as np

        error = np.abs(truth - said.values)
        if weighted:
            total = float(np.abs(truth).sum())
            return float(error.sum() / total) if total else float("nan")
        size = (np.abs(truth) + np.abs(said.values)) / 2 if symmetric else np.abs(truth)
        counted = size > 0
        nothing = 0.0 if symmetric else float("nan")  # all zero and said to be: no error; else nothing to compare with
        return float((error[counted] / size[counted]).mean()) if counted.any() else nothing

    return compute


def _mean_of_groups(metric: str, truth: Numbers, said: Predictions, groups: npt.NDArray[np.int64] | None) -> float:
    """The mean over all queries of which some row is relevant: of the others every order is as good."""
    import numpy as np

    if groups is None:
        raise Refusal(f"metric {metric!r} needs to know which rows are of one query: `group` of a dataset")
    by = said.values if said.scores is None else _positive(said, metric)
    order = np.lexsort((-by, groups))  # by group, the highest score of each first
    ordered, numbers = truth[order], groups[order]
    lists = np.split(ordered, np.flatnonzero(np.diff(numbers)) + 1)
    found = [_RANKED[metric](one) for one in lists if (one > 0).any()]
    if not found:
        raise Refusal(f"metric {metric!r} needs a query with something relevant, and there is none")
    return float(np.mean(found))


def _ndcg(ordered: Numbers) -> float:
    import numpy as np

    discount = 1 / np.log2(np.arange(2, len(ordered) + 2))
    return float((ordered * discount).sum() / (np.sort(ordered)[::-1] * discount).sum())


def _average_precision(ordered: Numbers) -> float:
    import numpy as np

    hits = ordered > 0
    return float((np.cumsum(hits)[hits] / (np.flatnonzero(hits) + 1)).mean())


def _recall_at_10(ordered: Numbers) -> float:
    return float((ordered[:10] > 0).sum() / (ordered > 0).sum())


_METRICS: dict[str, Callable[[Numbers, Predictions], float]] = {
    "accuracy": _sklearn("accuracy_score"),
    "f1": _averaged("f1_score"),
    "precision": _averaged("precision_score"),
    "recall": _averaged("recall_score"),
    "auc_roc": _by_scores("roc_auc_score", "auc_roc"),
    "auc_pr": _by_scores("average_precision_score", "auc_pr"),
    "brier": _brier,
    "log_loss": _log_loss,
    "rmse": _sklearn("root_mean_squared_error"),
    "mae": _sklearn("mean_absolute_error"),
    "r2": _sklearn("r2_score", fewest=2),
    "mape": _relative(weighted=False, symmetric=False),
    "wape": _relative(weighted=True, symmetric=False),
    "smape": _relative(weighted=False, symmetric=True),
}
_RANKED: dict[str, Callable[[Numbers], float]] = {
    "ndcg": _ndcg,
    "map": _average_precision,
    "recall_at_10": _recall_at_10,
}
