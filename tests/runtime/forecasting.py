"""User code that runs around a scoring step: one function writes the rows, the other reads the scores."""

from __future__ import annotations

from typing import Any

import pandas as pd


def prepare(context: Any) -> None:
    """Write the rows to score."""
    context.write(pd.DataFrame({"amount": [1.0, 2.0, 3.0], "plan": ["basic"] * 3}))


def order(context: Any) -> float:
    """Return the sum of all scores, which are available only once the scoring step has run."""
    total = float(context.frame("scores")["prediction"].sum())
    context.write(pd.DataFrame({"total": [total]}))
    return total
