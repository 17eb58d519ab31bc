"""Converts file columns to the types in a model's signature without checking each value in Python."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Array = npt.NDArray[Any]


def whole_column(column: pd.Series, kind: str) -> Array | None:
    """Convert a column to an array of an MLflow type, with the same result as converting each value.

    Returns None if that can't be guaranteed for the whole column, in which case its values must be checked one by one.
    """
    make = _MAKE.get(kind)
    return None if make is None else make(column)


def _reals(column: pd.Series, kind: str) -> Array | None:
    import numpy as np

    if getattr(column.dtype, "kind", "O") not in "fiub" or not isinstance(column.dtype, np.dtype):
        return None
    values = column.to_numpy(np.float64)
    finite = np.isfinite(values)
    with np.errstate(over="ignore"):
        array = np.where(finite, values, np.nan).astype(kind, copy=False)
    return None if np.isinf(array).any() else array


def _wholes(column: pd.Series, kind: str) -> Array | None:
    import numpy as np

    if not isinstance(column.dtype, np.dtype) or column.dtype.kind not in "fiu" or column.dtype == np.uint64:
        return None
    values, limits = column.to_numpy(), np.iinfo(kind)
    if values.dtype.kind == "f":
        values = values.astype(np.float64)
        if not ((np.abs(values) < 2**53) & (values == np.floor(values))).all():
            return None
        values = values.astype(np.int64)
    fits = not len(values) or (values.min() >= limits.min and values.max() <= limits.max)
    return values.astype(kind) if fits else None


def _texts(column: pd.Series) -> Array | None:
    import pandas as pd

    if not isinstance(column.dtype, pd.StringDtype) and (
        column.dtype != object or pd.api.types.infer_dtype(column, skipna=True) not in {"string", "empty"}
    ):
        return None
    array: Array = column.astype(object).where(column.notna(), None).to_numpy()
    return array


def _truths(column: pd.Series) -> Array | None:
    return column.to_numpy() if column.dtype == bool else None


_MAKE: dict[str, Callable[[pd.Series], Array | None]] = {
    "double": partial(_reals, kind="float64"),
    "float": partial(_reals, kind="float32"),
    "long": partial(_wholes, kind="int64"),
    "integer": partial(_wholes, kind="int32"),
    "string": _texts,
    "boolean": _truths,
}
