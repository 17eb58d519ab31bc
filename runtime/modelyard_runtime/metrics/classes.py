"""Metrics for predicted classes and probabilities, using scikit-learn's definitions where available."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from modelyard_runtime.metrics.ranking import expected_hits
from modelyard_runtime.refusals import Refusal

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from modelyard_runtime.metrics.scores import Predictions

    Numbers = npt.NDArray[np.float64]

Compute = Callable[["Numbers", "Predictions", int], float]
"""Computes a metric from labels and predictions. The integer is the number in the metric's name."""

_BINS = 10


def positive(predictions: Predictions) -> Numbers:
    """Return the probability of the positive class."""
    scores = _scores(predictions)
    return scores[:, -1] if scores.ndim == 2 else scores


def _scores(predictions: Predictions) -> Numbers:
    if predictions.scores is None:
        raise Refusal("it needs scores, but this model only returns classes")
    return predictions.scores


def _accuracy(truth: Numbers, predictions: Predictions, _at: int) -> float:
    from sklearn.metrics import accuracy_score

    return float(accuracy_score(truth, predictions.values))


def _balanced_accuracy(truth: Numbers, predictions: Predictions, _at: int) -> float:
    """Compute balanced accuracy without scikit-learn's warning about predicted classes missing from the labels."""
    import numpy as np
    from sklearn.metrics import recall_score

    return float(recall_score(truth, predictions.values, labels=np.unique(truth), average="macro"))


def _of_positive(name: str) -> Compute:
    """Compute the metric for the second of two classes, or the mean over all classes if there are more."""

    def compute(truth: Numbers, predictions: Predictions, at: int) -> float:
        import numpy as np
        from sklearn import metrics

        count = predictions.classes or int(max(truth.max(), predictions.values.max())) + 1
        if count > 2:
            return _averaged(name, "macro")(truth, predictions, at)
        return float(
            getattr(metrics, name)(truth, predictions.values, labels=[1], average="macro", zero_division=np.nan)
        )

    return compute


def _averaged(name: str, average: str) -> Compute:
    """Average over the classes found in labels or predictions. Any other prediction counts as wrong."""

    def compute(truth: Numbers, predictions: Predictions, _at: int) -> float:
        import numpy as np
        from sklearn import metrics

        classes = np.unique(np.concatenate((truth, predictions.values)))
        labels = classes[classes >= 0]
        return float(
            getattr(metrics, name)(truth, predictions.values, labels=labels, average=average, zero_division=0.0)
        )

    return compute


def _agreement(name: str) -> Compute:
    """Compute a coefficient that is zero for random predictions, or NaN if all rows belong to one class."""

    def compute(truth: Numbers, predictions: Predictions, _at: int) -> float:
        from sklearn import metrics

        return float("nan") if _one_class(truth) else float(getattr(metrics, name)(truth, predictions.values))

    return compute


def _by_scores(name: str) -> Compute:
    def compute(truth: Numbers, predictions: Predictions, _at: int) -> float:
        import numpy as np
        from sklearn import metrics

        scores = positive(predictions)
        if _one_class(truth) or not np.isfinite(scores).all():
            return float("nan")
        return float(getattr(metrics, name)(truth, scores))

    return compute


def _gini(truth: Numbers, predictions: Predictions, at: int) -> float:
    return 2 * _by_scores("roc_auc_score")(truth, predictions, at) - 1


def _auc_roc_ovr(truth: Numbers, predictions: Predictions, _at: int) -> float:
    """Average over the classes that have at least one row but not all rows."""
    import numpy as np
    from sklearn.metrics import roc_auc_score

    scores = _scores(predictions)
    if not np.isfinite(scores).all():
        return float("nan")
    columns = scores if scores.ndim == 2 else np.stack((1 - scores, scores), axis=1)
    indexes = [column for column in range(columns.shape[1]) if 0 < (truth == column).sum() < len(truth)]
    return (
        float(np.mean([roc_auc_score(truth == index, columns[:, index]) for index in indexes]))
        if indexes
        else float("nan")
    )


def _ks(truth: Numbers, predictions: Predictions, _at: int) -> float:
    """Compute the one-sided KS statistic, which gives no credit to models that rank positives below negatives."""
    import numpy as np
    from scipy.stats import ks_2samp

    scores, positives = positive(predictions), truth == 1
    if _one_class(truth) or not np.isfinite(scores).all():
        return float("nan")
    return float(ks_2samp(scores[~positives], scores[positives], alternative="greater", method="asymp").statistic)


def _lift(truth: Numbers, predictions: Predictions, at: int) -> float:
    """Compute the lift. Rows with equal scores share the top positions equally."""
    import numpy as np

    scores, positives = positive(predictions), (truth == 1).astype(np.float64)
    if not positives.any() or not np.isfinite(scores).all():
        return float("nan")
    first = max(-(-len(truth) * at // 100), 1)
    order = np.argsort(-scores, kind="stable")
    top = expected_hits(positives[order], scores[order])[:first]
    return float(top.mean() / positives.mean())


def _brier(truth: Numbers, predictions: Predictions, _at: int) -> float:
    return float(((positive(predictions) - (truth == 1)) ** 2).mean())


def _log_loss(truth: Numbers, predictions: Predictions, _at: int) -> float:
    """Compute log loss like scikit-learn. Classes unknown to the model have a probability of zero."""
    import numpy as np

    scores = _scores(predictions)
    chances = scores if scores.ndim == 2 else np.stack((1 - scores, scores), axis=1)
    valid = (truth >= 0) & (truth < chances.shape[1])
    probability = np.where(valid, chances[np.arange(len(truth)), np.where(valid, truth, 0).astype(int)], 0.0)
    epsilon = float(np.finfo(np.float64).eps)
    return float(-np.log(np.clip(probability, epsilon, 1 - epsilon)).mean())


def _ece(truth: Numbers, predictions: Predictions, _at: int) -> float:
    """Compute the ECE of the positive class or, for more than two classes, of the predicted class.

    The bins are those of scikit-learn's `calibration_curve`.
    """
    import numpy as np

    scores = _scores(predictions)
    several = scores.ndim == 2 and scores.shape[1] > 2
    chance = scores.max(axis=1) if several else positive(predictions)
    hit = scores.argmax(axis=1) == truth if several else truth == 1
    if not np.isfinite(chance).all():
        return float("nan")
    bins = np.searchsorted(np.linspace(0, 1, _BINS + 1)[1:-1], chance)
    gaps = np.bincount(bins, weights=hit - chance, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(truth))


def _one_class(truth: Numbers) -> bool:
    return bool((truth == truth[0]).all())


CLASS_METRICS: Mapping[str, Compute] = {
    "accuracy": _accuracy,
    "balanced_accuracy": _balanced_accuracy,
    **{name: _of_positive(f"{name}_score") for name in ("f1", "precision", "recall")},
    **{
        f"{name}_{average}": _averaged(f"{name}_score", average)
        for name in ("f1", "precision", "recall")
        for average in ("macro", "weighted")
    },
    "mcc": _agreement("matthews_corrcoef"),
    "cohen_kappa": _agreement("cohen_kappa_score"),
    "auc_roc": _by_scores("roc_auc_score"),
    "auc_roc_ovr": _auc_roc_ovr,
    "auc_pr": _by_scores("average_precision_score"),
    "gini": _gini,
    "ks": _ks,
    "lift_at_K": _lift,
    "log_loss": _log_loss,
    "brier": _brier,
    "ece": _ece,
}
