"""Code of a user before and after a step that scores: it makes the rows, and reads the scores of the same run."""

from __future__ import annotations

from typing import Any

import pandas as pd


def prepare(context: Any) -> None:
    """Rows with a name that says which run made them."""
    context.write(pd.DataFrame({"amount": [1.0, 2.0, 3.0], "plan": ["basic"] * 3}))


def order(context: Any) -> float:
    """The sum of all scores, which only a step after the scoring finds."""
    total = float(context.frame("scores")["prediction"].sum())
    context.write(pd.DataFrame({"total": [total]}))
    return total
