"""Determines which columns join predictions and labels, and whether their types match."""

from __future__ import annotations

import logging
from collections.abc import Sequence, Set
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelyard_runtime.refusals import Refusal

if TYPE_CHECKING:
    import pandas as pd

_log = logging.getLogger(__name__)

_KINDS = {
    "string": "texts",
    "boolean": "truth values",
    "integer": "numbers",
    "floating": "numbers",
    "mixed-integer-float": "numbers",
    "decimal": "numbers",
    "datetime64": "times",
    "datetime": "times",
    "date": "times",
}


@dataclass(frozen=True, slots=True)
class Key:
    """The key columns, including which of them are text on one side and numbers on the other."""

    columns: tuple[str, ...] = ()
    numbers: frozenset[str] = frozenset()


def key_of(columns: Sequence[str], predictions: pd.DataFrame, labels: pd.DataFrame) -> Key:
    """Determine the join key. If one side has text and the other numbers, both are compared as numbers.

    Any other type mismatch is refused.
    """
    numbers: list[str] = []
    for name in columns:
        kind, label_kind = kind_of(predictions[name]), kind_of(labels[name])
        if kind == label_kind or not kind or not label_kind:
            continue
        if {kind, label_kind} != {"texts", "numbers"}:
            raise Refusal(f"the key {name!r} contains {kind} in the predictions, but {label_kind} in the labels")
        _log.warning(
            "the key %r contains %s in the predictions and %s in the labels: comparing numbers, without leading zeros",
            name,
            kind,
            label_kind,
        )
        numbers.append(name)
    return Key(tuple(columns), frozenset(numbers))


def shared(predictions: pd.DataFrame, labels: Sequence[str], excluded: Set[str]) -> list[str]:
    """Return the columns shared by both sides, except for `excluded`, for monitors that don't declare a key."""
    columns = [str(name) for name in predictions.columns if name in labels and name not in excluded]
    if not columns:
        raise Refusal("the monitored data and its labels share no key column")
    _log.info(
        "labels are matched by %s, which both sides have; set the monitor's `key` to match by other columns", columns
    )
    return columns


def kind_of(column: pd.Series) -> str:
    """Return the kind of values in a column, or "" if there are no values or they are mixed."""
    import pandas as pd

    present = column.dropna()
    if isinstance(present.dtype, pd.DatetimeTZDtype):
        return "times"
    return _KINDS.get(pd.api.types.infer_dtype(present, skipna=True), "") if len(present) else ""
