"""Tests that converting a whole column gives the same result or refusal as converting value by value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from modelyard_runtime.models import checker
from modelyard_runtime.models.checker import BadRequest, Checker, FrameRows
from modelyard_runtime.models.frame_columns import whole_column
from modelyard_runtime.registry.client import Column

KINDS = ("double", "float", "long", "integer", "string", "boolean")
COLUMNS = {
    "wholes": pd.Series([1, -2, 3]),
    "small": pd.Series([1, 2, 3], dtype=np.int8),
    "unsigned": pd.Series([2**63 + 1, 0, 1], dtype=np.uint64),
    "beyond int32": pd.Series([2**40, 1, 2]),
    "fractions": pd.Series([0.5, -0.0, 1e300]),
    "floats": pd.Series([0.5, 2.0, 3.0], dtype=np.float32),
    "whole fractions": pd.Series([1.0, 2.0, -3.0]),
    "beyond int64": pd.Series([1e19, 1.0, 2.0]),
    "not finite": pd.Series([np.nan, np.inf, 1.0]),
    "truths": pd.Series([True, False, True]),
    "texts": pd.Series(["a", "b", None]),
    "objects": pd.Series(["a", None, float("nan")], dtype=object),
    "mixed": pd.Series(["a", 1, 2.5], dtype=object),
    "none": pd.Series([None, None, None], dtype=object),
    "classes": pd.Series(["a", "b", "a"], dtype="category"),
    "times": pd.Series(pd.date_range("2026-01-01", periods=3)),
    "empty": pd.Series([], dtype=float),
}


def fitted(column: pd.Series, kind: str) -> pd.DataFrame | str:
    """Convert a file's only column to model input and return the result, or the reason it was rejected."""
    try:
        return Checker([Column("a", kind, True)]).frame(FrameRows(pd.DataFrame({"a": column})))
    except BadRequest as problem:
        return str(problem)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", COLUMNS)
def test_fast_conversion_matches_the_slow_one(name: str, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fast = fitted(COLUMNS[name], kind)
    monkeypatch.setattr(checker, "whole_column", lambda column, kind: None)
    slow = fitted(COLUMNS[name], kind)

    if isinstance(slow, str):
        assert fast == slow
    else:
        assert isinstance(fast, pd.DataFrame)
        pd.testing.assert_frame_equal(fast, slow)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("fractions", "double"), ("wholes", "double"), ("wholes", "long"), ("texts", "string"), ("truths", "boolean")],
)
def test_common_columns_use_the_fast_conversion(name: str, kind: str) -> None:
    assert whole_column(COLUMNS[name], kind) is not None
