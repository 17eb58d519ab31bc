"""Metrics of language models, computed from the likelihood of each row's text."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Numbers = npt.NDArray[np.float64]


def _perplexity(truth: Numbers, predictions: Any, at: int) -> float:
    """Return the perplexity, where values are negative log-likelihoods of rows and scores are their token counts."""
    import numpy as np

    tokens = float(predictions.scores.sum())
    if not tokens:
        return float("nan")
    with np.errstate(over="ignore"):
        return float(np.exp(predictions.values.sum() / tokens))


TEXT_METRICS: dict[str, Callable[[Any, Any, int], float]] = {"perplexity": _perplexity}
