"""Which metrics mean something where, and in which direction they are good."""

from __future__ import annotations

_CLASSES = ("accuracy", "f1", "precision", "recall")
_BINARY = (*_CLASSES, "auc_roc", "auc_pr", "log_loss", "brier")
_NUMBERS = ("rmse", "mae", "mape", "r2", "wape", "smape")
RANKS = ("ndcg", "map", "recall_at_10")
_DRIFT = ("psi", "ks", "chi2", "js", "wasserstein", "missing")

BY_TASK = {
    "binary-classification": _BINARY,
    "multiclass-classification": (*_CLASSES, "log_loss"),
    "regression": _NUMBERS,
    "forecasting": _NUMBERS,
    "ranking": RANKS,
    "recommendation": RANKS,
}
BUILT_IN = frozenset(metric for metrics in BY_TASK.values() for metric in metrics)
SMALLER_IS_BETTER = frozenset({"log_loss", "brier", "rmse", "mae", "mape", "wape", "smape"})

BY_MONITOR = {
    "data-drift": _DRIFT,
    "prediction-drift": _DRIFT,
    "prediction-quality": (*_BINARY, *_NUMBERS, *RANKS),
    "concept-drift": (*_BINARY, *_NUMBERS, *RANKS, "page_hinkley"),
    "performance": ("p50_ms", "p90_ms", "p95_ms", "p99_ms", "error_rate", "throughput_rps", "availability"),
    "data-quality": ("missing", "duplicates", "schema", "out_of_range", "freshness_s", "rows"),
}
