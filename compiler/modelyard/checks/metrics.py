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
_ERRORS = ("log_loss", "brier", "rmse", "mae", "mape", "wape", "smape")
_LATENCIES = ("p50_ms", "p90_ms", "p95_ms", "p99_ms")
_SHARES_OF_BAD = ("missing", "duplicates", "out_of_range", "error_rate")
SMALLER_IS_BETTER = frozenset(_ERRORS)
SMALL_WHEN_WELL = frozenset((*_ERRORS, *_DRIFT, "page_hinkley", *_LATENCIES, *_SHARES_OF_BAD, "freshness_s"))
"""The same for everything that a monitor looks at."""
LARGER_IS_BETTER = frozenset((*BUILT_IN.difference(_ERRORS), "availability"))
AT_MOST_1 = frozenset((*LARGER_IS_BETTER, "brier", "ks", "js", *_SHARES_OF_BAD))
"""Metrics that never exceed 1: shares, areas under curves, and r2."""

BY_MONITOR = {
    "data-drift": _DRIFT,
    "prediction-drift": _DRIFT,
    "prediction-quality": (*_BINARY, *_NUMBERS, *RANKS),
    "concept-drift": (*_BINARY, *_NUMBERS, *RANKS, "page_hinkley"),
    "performance": ("p50_ms", "p90_ms", "p95_ms", "p99_ms", "error_rate", "throughput_rps", "availability"),
    "data-quality": ("missing", "duplicates", "schema", "out_of_range", "freshness_s", "rows"),
}
