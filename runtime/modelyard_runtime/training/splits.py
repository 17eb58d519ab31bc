"""The split of training data: rows at random by a seed, or the newest; whole queries and whole keys where these are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.statistics.hashes import mixed
from modelyard_runtime.workload.records import Split

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

GROUP = "__group"  # the query that a row is of, as a number; rows of one query stand together
TIME = "__time"  # when a row happened, kept beside its features for later splits
KEY = "__key"  # what a row is known by, as a number that does not depend on the other rows


def split_rows(frame: pd.DataFrame, split: Split) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two parts: at random by the seed, or the newest rows as the second.

    What a row is known by decides about it, and not its place: when the data grow, a row stays on its side. Else a
    champion would have learned from most of the rows that a new version is compared with it by.
    """
    import numpy as np

    by_time = split.by == "time"
    if split.key and not by_time:
        return _split_keys(frame, split)
    if GROUP in frame.columns:
        return _split_groups(frame, split)
    held = _held(len(frame), split)
    if by_time:
        order = np.argsort(frame[TIME].to_numpy(), kind="stable")
    else:
        order = np.argsort(_drawn(_each_its_own(frame[KEY]), split.seed), kind="stable")
    cut = len(frame) - held
    return frame.iloc[order[:cut]].reset_index(drop=True), frame.iloc[order[cut:]].reset_index(drop=True)


def numbered_at_random(column: pd.Series, seed: int) -> npt.NDArray[np.int64]:
    """A number for each value, in an order by the seed in which two values stay as they are when others come."""
    import numpy as np
    import pandas as pd

    numbers, values = pd.factorize(column)
    drawn = _drawn(pd.util.hash_array(np.array([str(one) for one in values], dtype=object)), seed)
    found: npt.NDArray[np.int64] = np.argsort(np.argsort(drawn, kind="stable"), kind="stable")[numbers]
    return found


def _held(count: int, split: Split) -> int:
    """How many of so many are held out: at least one, and not all."""
    return min(max(round(count * split.fraction), 1), count - 1)


def _each_its_own(keys: pd.Series) -> npt.NDArray[np.uint64]:
    """The numbers of rows; of equal rows each gets one of its own."""
    again = keys.groupby(keys).cumcount().to_numpy(dtype="uint64")
    own: npt.NDArray[np.uint64] = keys.to_numpy() ^ mixed(again)
    return own


def _drawn(hashed: npt.NDArray[np.uint64], seed: int) -> npt.NDArray[np.uint64]:
    import numpy as np

    return mixed(hashed + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64))


def _split_keys(frame: pd.DataFrame, split: Split) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Whole keys at random by the seed. Where there are queries, each part is ordered by them and tears none."""
    import numpy as np

    keys, places = np.unique(frame[KEY].to_numpy(), return_inverse=True)
    if len(keys) < 2:
        raise Refusal(f"all rows have the same {', '.join(split.key)}; a split by it needs two values or more")
    order = np.argsort(_drawn(keys, split.seed), kind="stable")
    second = np.zeros(len(keys), dtype=bool)
    second[order[len(keys) - _held(len(keys), split) :]] = True
    apart = second[places]
    if GROUP not in frame.columns:
        return frame[~apart].reset_index(drop=True), frame[apart].reset_index(drop=True)
    if frame.groupby(GROUP)[KEY].nunique().max() > 1:
        raise Refusal(f"rows of one query differ in {', '.join(split.key)}; the split would tear it apart")
    first, rest = (frame[side].sort_values(GROUP, kind="stable").reset_index(drop=True) for side in (~apart, apart))
    return first, rest


def _split_groups(frame: pd.DataFrame, split: Split) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Whole groups by their number, or the newest of them as the second part; each part ordered by group."""
    import numpy as np

    found = np.unique(frame[GROUP].to_numpy())
    if len(found) < 2:
        raise Refusal("all rows are of one group; at least two are needed, to learn from and to judge by")
    if split.by == "time":
        last = frame.groupby(GROUP)[TIME].max().reindex(found)
        order = found[np.argsort(last.to_numpy(), kind="stable")]
    else:
        order = found  # they are numbered at random
    ordered = frame.sort_values(GROUP, kind="stable")
    newest = ordered[GROUP].isin(order[len(found) - _held(len(found), split) :])
    return ordered[~newest].reset_index(drop=True), ordered[newest].reset_index(drop=True)
