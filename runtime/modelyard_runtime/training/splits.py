"""Splits training data by time or at random with a seed, keeping the rows of a query or key together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.statistics.hashes import mixed
from modelyard_runtime.workload.records import Split

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

GROUP = "__group"  # the query of a row as a number, where rows of a query are adjacent
TIME = "__time"  # the time of a row, stored next to its features for later splits
KEY = "__key"  # the identity of a row as a number that does not depend on other rows


def split_rows(frame: pd.DataFrame, split: Split) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split rows into two parts, either at random with the seed or with the newest rows in the second part.

    A row's part depends on its identity rather than its position, so it stays the same when the data grows. Otherwise,
    a champion would have been trained on most of the rows used to compare a new version with it.
    """
    import numpy as np

    by_time = split.by == "time"
    if split.key and not by_time:
        return _split_keys(frame, split)
    if GROUP in frame.columns:
        return _split_groups(frame, split)
    held_out = _held_out_count(len(frame), split)
    if by_time:
        order = np.argsort(frame[TIME].to_numpy(), kind="stable")
    else:
        order = np.argsort(_drawn(_each_its_own(frame[KEY]), split.seed), kind="stable")
    cut = len(frame) - held_out
    return frame.iloc[order[:cut]].reset_index(drop=True), frame.iloc[order[cut:]].reset_index(drop=True)


def numbered_at_random(column: pd.Series, seed: int) -> npt.NDArray[np.int64]:
    """Assign a random number to each value, using the seed. New values don't change the order of existing ones."""
    import numpy as np
    import pandas as pd

    numbers, values = pd.factorize(column)
    drawn = _drawn(pd.util.hash_array(np.array([str(value) for value in values], dtype=object)), seed)
    ranks: npt.NDArray[np.int64] = np.argsort(np.argsort(drawn, kind="stable"), kind="stable")[numbers]
    return ranks


def _held_out_count(count: int, split: Split) -> int:
    """Return the number of rows to hold out: at least one, but not all."""
    return min(max(round(count * split.fraction), 1), count - 1)


def _each_its_own(keys: pd.Series) -> npt.NDArray[np.uint64]:
    """Assign distinct numbers to all rows, even equal ones."""
    occurrence = keys.groupby(keys).cumcount().to_numpy(dtype="uint64")
    distinct: npt.NDArray[np.uint64] = keys.to_numpy() ^ mixed(occurrence)
    return distinct


def _drawn(hashed: npt.NDArray[np.uint64], seed: int) -> npt.NDArray[np.uint64]:
    import numpy as np

    return mixed(hashed + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64))


def _split_keys(frame: pd.DataFrame, split: Split) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split whole keys at random using the seed. Queries also stay whole, and each part is sorted by query."""
    import numpy as np

    keys, places = np.unique(frame[KEY].to_numpy(), return_inverse=True)
    if len(keys) < 2:
        raise Refusal(f"all rows have the same {', '.join(split.key)}; a split by that key needs at least two values")
    order = np.argsort(_drawn(keys, split.seed), kind="stable")
    second = np.zeros(len(keys), dtype=bool)
    second[order[len(keys) - _held_out_count(len(keys), split) :]] = True
    in_second = second[places]
    if GROUP not in frame.columns:
        return frame[~in_second].reset_index(drop=True), frame[in_second].reset_index(drop=True)
    if frame.groupby(GROUP)[KEY].nunique().max() > 1:
        raise Refusal(f"rows of one query differ in {', '.join(split.key)}; the split would divide the query")
    first, rest = (
        frame[side].sort_values(GROUP, kind="stable").reset_index(drop=True) for side in (~in_second, in_second)
    )
    return first, rest


def _split_groups(frame: pd.DataFrame, split: Split) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Split whole groups at random, or with the newest groups in the second part. Each part is sorted by group."""
    import numpy as np

    groups = np.unique(frame[GROUP].to_numpy())
    if len(groups) < 2:
        raise Refusal("all rows are in one group; training and evaluation need at least two")
    if split.by == "time":
        latest = frame.groupby(GROUP)[TIME].max().reindex(groups)
        order = groups[np.argsort(latest.to_numpy(), kind="stable")]
    else:
        order = groups  # groups are numbered at random
    ordered = frame.sort_values(GROUP, kind="stable")
    newest = ordered[GROUP].isin(order[len(groups) - _held_out_count(len(groups), split) :])
    return ordered[~newest].reset_index(drop=True), ordered[newest].reset_index(drop=True)
