"""Which metrics mean something where, in which direction they are good, and which values they can have."""

from __future__ import annotations

from math import inf

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
OF_RUNS = ("duration_s", "freshness_s", "failed_runs")
"""What a monitor of type performance knows of a pipeline."""
SMALL_WHEN_WELL = frozenset((*_ERRORS, *_DRIFT, "page_hinkley", *_LATENCIES, *_SHARES_OF_BAD, *OF_RUNS))
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

_NOT_NEGATIVE = (
    *("log_loss", "rmse", "mae", "mape", "wape", "chi2", "wasserstein", "page_hinkley"),
    *("p50_ms", "p90_ms", "p95_ms", "p99_ms", "throughput_rps", "freshness_s", "rows", "schema"),
)
RANGES = {
    **dict.fromkeys(_NOT_NEGATIVE, (0.0, inf)),
    **dict.fromkeys(AT_MOST_1, (0.0, 1.0)),
    "r2": (-inf, 1.0),
    "smape": (0.0, 2.0),
    "psi": (0.0, 18.5),
}
"""The least and the greatest value of each metric, as runtime/modelyard_runtime/scores.py and drift.py compute them.

PSI counts a share of zero as 0.0001, so two distributions with nothing in common are 18.4 apart.
"""
SHARES = frozenset(("mape", "wape", "smape"))
"""Relative errors, which are shares: 0.15 is 15 %."""
