"""Training data: the inputs of a pipeline as one table, split into what is learned from and what is held out."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from modelyard_runtime.answers import CLASSIFICATION, coded, plain
from modelyard_runtime.datasets import feature_columns, finite, read_frame, times
from modelyard_runtime.description import Section, integer, names, number, section, sections, text
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.tallies import mixed

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Rows to learn from and rows to judge by, with the meaning of their columns."""

    train: pd.DataFrame
    held_out: pd.DataFrame
    features: tuple[str, ...]
    label: str
    classes: tuple[Any, ...]  # of a classification, in order; empty otherwise

    def truth(self, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
        """The label as numbers: a class as its place in `classes`."""
        import numpy as np

        column = rows[self.label]
        return coded(column, list(self.classes)) if self.classes else column.to_numpy(dtype=np.float64)

    def groups(self, rows: pd.DataFrame) -> npt.NDArray[np.int64] | None:
        """Which rows are of one query, as a number for each row; None where the data say nothing of that."""
        import numpy as np

        return rows[_GROUP].to_numpy(dtype=np.int64) if _GROUP in rows.columns else None

    def naive_error(self) -> float:
        """How wrong "as the time before" is on average, over the rows to learn from, each series by itself.

        It is NaN where no series is found: without a time, or with several rows of one time in a series.
        """
        import numpy as np

        series = [name for name in (_GROUP, _TIME) if name in self.train.columns]
        if self.classes or _TIME not in series or self.train.duplicated(series).any():
            return float("nan")
        ordered = self.train.sort_values(series, kind="stable")
        label = ordered[self.label].astype("float64")
        steps = label.groupby(ordered[_GROUP]).diff() if _GROUP in series else label.diff()
        return float(np.abs(steps).mean())

    def inner(self, split: Section) -> TrainingData:
        """The rows to learn from, split once more: a search must not see what the gate judges by."""
        train, held_out = split_rows(self.train, split, _TIME if _TIME in self.train.columns else "")
        return TrainingData(train, held_out, self.features, self.label, self.classes)


_GROUP = "__group"  # the query that a row is of, as a number; rows of one query stand together
_TIME = "__time"  # when a row happened, kept beside its features for later splits


def training_data(workload: Section, inputs: Iterable[str], task: str) -> TrainingData:
    """The inputs, joined where there are several, split as the pipeline says."""
    pipeline = section(workload, "pipeline")
    table = Joined.read(workload, tuple(inputs))
    frame = table.frame.dropna(subset=[one for one in (table.label, table.group) if one]).reset_index(drop=True)
    if table.timestamp:
        frame = frame.assign(**{table.timestamp: times(frame[table.timestamp])})
        if text(section(pipeline, "split"), "by") == "time":
            frame = frame.dropna(subset=[table.timestamp]).reset_index(drop=True)
    if task not in CLASSIFICATION:
        frame = frame.assign(**{table.label: label_numbers(frame[table.label], task)})
    frame = _ripe(frame, table, datetime.now(UTC))
    if len(frame) < _FEWEST_ROWS:
        raise Refusal(f"{len(frame)} rows with a label are too few to learn from and to judge by")
    features = tuple(table.features)
    keep = list(dict.fromkeys((*features, table.label)))
    split = section(pipeline, "split")
    chosen = numeric(frame[keep], features)
    if table.timestamp:
        chosen = chosen.assign(**{_TIME: frame[table.timestamp]})
    elif text(split, "by") == "time":
        raise Refusal("a split by time needs a dataset with a timestamp column")
    if table.group:
        chosen = chosen.assign(**{_GROUP: _numbered_at_random(frame[table.group], integer(split, "seed"))})
    train, held_out = split_rows(chosen, split, _TIME if table.timestamp else "")
    classes: tuple[Any, ...] = ()
    if task in CLASSIFICATION:
        classes = tuple(sorted({plain(value) for value in chosen[table.label].unique()}))
        if len(classes) < 2 or (task == "binary-classification" and len(classes) > 2):
            wanted = "two" if task == "binary-classification" else "at least two"
            raise Refusal(f"the label {table.label!r} has {len(classes)} classes; {task} needs {wanted}")
        if train[table.label].nunique() < 2:
            raise Refusal(f"the rows to learn from have one value of {table.label!r} only; the split leaves no other")
    return TrainingData(train, held_out, features, table.label, classes)


_FEWEST_ROWS = 10


def label_numbers(label: pd.Series, task: str) -> npt.NDArray[np.float64]:
    """The label of a task that is about numbers."""
    import numpy as np
    import pandas as pd

    try:
        found: npt.NDArray[np.float64] = label.to_numpy(dtype=np.float64)
    except (ValueError, TypeError):
        strange = label[pd.to_numeric(label, errors="coerce").isna()].iloc[0]
        raise Refusal(f"{task} needs numbers, and the label {label.name!r} holds {strange!r}") from None
    if not np.isfinite(found).all():
        raise Refusal(f"{task} needs numbers, and the label {label.name!r} holds one that is not finite")
    return found


def _ripe(frame: pd.DataFrame, table: Joined, now: datetime) -> pd.DataFrame:
    """The rows whose labels have all come by now. Of younger ones only some have, and those are not like the others."""
    if not table.delay_s or not table.timestamp:
        return frame
    ripe = frame[table.timestamp] <= now - timedelta(seconds=table.delay_s)
    if not ripe.all():
        _log.info("%d rows are younger than their labels are late, and are left out", int((~ripe).sum()))
    return frame[ripe].reset_index(drop=True)


def split_rows(frame: pd.DataFrame, split: Section, timestamp: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two parts: at random by the seed, or the newest rows as the second.

    What a row holds decides about it, and not its place: when the data grow, a row stays on its side. Else a champion
    would have learned from most of the rows that a new version is compared with it by.
    """
    import numpy as np

    if _GROUP in frame.columns:
        return _split_groups(frame, split, timestamp)
    held = min(max(round(len(frame) * number(split, "fraction", 0.2)), 1), len(frame) - 1)
    if text(split, "by") == "time":
        order = np.argsort(frame[timestamp].to_numpy(), kind="stable")
    else:
        order = np.argsort(_drawn(_row_hashes(frame), integer(split, "seed")), kind="stable")
    cut = len(frame) - held
    return frame.iloc[order[:cut]].reset_index(drop=True), frame.iloc[order[cut:]].reset_index(drop=True)


def group_numbers(column: pd.Series) -> npt.NDArray[np.int64]:
    """A number for each value of a group column; a row without a value is in none, -1."""
    import pandas as pd

    numbers: npt.NDArray[np.int64] = pd.factorize(column)[0]
    return numbers


def _numbered_at_random(column: pd.Series, seed: int) -> npt.NDArray[np.int64]:
    """The same, in an order by the seed in which two values stay as they are when others come."""
    import numpy as np
    import pandas as pd

    numbers, values = pd.factorize(column)
    drawn = _drawn(pd.util.hash_array(np.array([str(one) for one in values], dtype=object)), seed)
    found: npt.NDArray[np.int64] = np.argsort(np.argsort(drawn, kind="stable"), kind="stable")[numbers]
    return found


def _row_hashes(frame: pd.DataFrame) -> npt.NDArray[np.uint64]:
    """A number for each row by what it holds; of equal rows each has its own."""
    import pandas as pd

    plain_types = (pd.api.types.is_numeric_dtype, pd.api.types.is_datetime64_any_dtype)
    known = {
        name: frame[name] if any(fits(frame[name].dtype) for fits in plain_types) else frame[name].map(str)
        for name in frame.columns
    }
    found = pd.util.hash_pandas_object(pd.DataFrame(known), index=False)
    again = found.groupby(found).cumcount().to_numpy(dtype="uint64")
    hashed: npt.NDArray[np.uint64] = found.to_numpy() ^ mixed(again)
    return hashed


def _drawn(hashed: npt.NDArray[np.uint64], seed: int) -> npt.NDArray[np.uint64]:
    import numpy as np

    return mixed(hashed + np.uint64(seed * 0x9E3779B97F4A7C15 % 2**64))


def _split_groups(frame: pd.DataFrame, split: Section, timestamp: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Whole groups by their number, or the newest of them as the second part; each part ordered by group."""
    import numpy as np

    found = np.unique(frame[_GROUP].to_numpy())
    if len(found) < 2:
        raise Refusal("all rows are of one group; at least two are needed, to learn from and to judge by")
    held = min(max(round(len(found) * number(split, "fraction", 0.2)), 1), len(found) - 1)
    if text(split, "by") == "time":
        last = frame.groupby(_GROUP)[timestamp].max().reindex(found)
        order = found[np.argsort(last.to_numpy(), kind="stable")]
    else:
        order = found  # they are numbered at random
    ordered = frame.sort_values(_GROUP, kind="stable")
    newest = ordered[_GROUP].isin(order[len(found) - held :])
    return ordered[~newest].reset_index(drop=True), ordered[newest].reset_index(drop=True)


def numeric(frame: pd.DataFrame, features: Iterable[str]) -> pd.DataFrame:
    """Features as models take them: numbers and truth values as floats, which may be missing; texts as texts.

    A number that is not finite is missing, as it is to monitors.
    """
    import pandas as pd

    cast: dict[str, Any] = {}
    for name in features:
        kind = frame[name].dtype
        if pd.api.types.is_numeric_dtype(kind):
            cast[name] = finite(frame[name].astype("float64"))
        elif pd.api.types.is_datetime64_any_dtype(kind):
            raise Refusal(f"feature {name!r} is a time; built-in code takes numbers and texts, so leave it out")
        else:
            cast[name] = frame[name].astype(object).where(frame[name].notna(), None)
    return frame.assign(**cast)


@dataclass(frozen=True, slots=True)
class Joined:
    """Several datasets as one table."""

    frame: pd.DataFrame
    features: list[str]
    label: str
    timestamp: str
    group: str
    delay_s: int

    @classmethod
    def read(cls, workload: Section, inputs: tuple[str, ...]) -> Joined:
        """Read the datasets; exactly one of them has the label."""
        found = sections(section(workload, "pipeline"), "data")
        described = {name: found[name] for name in inputs}
        labelled = [name for name, one in described.items() if text(one, "label")]
        if len(labelled) != 1:
            raise Refusal(f"one of the inputs {', '.join(inputs)} must have a label; {len(labelled)} have")
        frames = {name: read_frame(workload, one) for name, one in described.items()}
        frame, keys = join(frames, described)
        declared = [column for one in described.values() for column in names(one, "features")]
        for name, one in described.items():
            feature_columns(one, list(frames[name].columns))
        hidden = {*keys, *(text(one, key) for one in described.values() for key in ("label", "timestamp", "group"))}
        features = list(dict.fromkeys(declared)) or [name for name in frame.columns if name not in hidden]
        if not features:
            raise Refusal(f"the inputs {', '.join(inputs)} leave no column to learn from")
        timestamp = next((text(one, "timestamp") for one in described.values() if text(one, "timestamp")), "")
        group = next((text(one, "group") for one in described.values() if text(one, "group")), "")
        last = described[labelled[0]]
        return cls(frame, features, text(last, "label"), timestamp, group, integer(last, "delaySeconds"))


def join(frames: dict[str, pd.DataFrame], described: dict[str, Section]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """One table of rows that all datasets have, and the columns by which they were brought together.

    These are the columns that both sides have, except labels and timestamps: those of an event and of its label differ.
    """
    (first, frame), *rest = frames.items()
    apart = {text(one, key) for one in described.values() for key in ("label", "timestamp")}
    used: dict[str, None] = {}
    for name, other in rest:
        keys = [column for column in frame.columns if column in other.columns and column not in apart]
        if not keys:
            raise Refusal(f"datasets {first!r} and {name!r} share no column by which their rows belong together")
        used |= dict.fromkeys(keys)
        frame, other = frame.dropna(subset=keys), other.dropna(subset=keys)  # no value is no match of another
        again = [column for column in other.columns if column in frame.columns and column not in keys]
        if frame.duplicated(keys).any() and other.duplicated(keys).any():
            raise Refusal(
                f"rows of {name!r} and of what they are joined to are equal in {', '.join(keys)}: "
                "each would be counted several times"
            )
        try:
            frame = frame.merge(other.drop(columns=again), on=keys, how="inner")
        except ValueError as problem:
            raise Refusal(f"{name!r} cannot be joined by {', '.join(keys)}: {problem}") from None
    return frame, tuple(used)
