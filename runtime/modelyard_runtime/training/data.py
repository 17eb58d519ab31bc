"""A pipeline's training data: its inputs, joined into one table and split into training and held-out rows."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from modelyard_runtime.capabilities import TEXT
from modelyard_runtime.models.answers import CLASSIFICATION, coded, plain
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.datasets import feature_columns, finite, read_frame, times
from modelyard_runtime.training.seen import Identity, Seen
from modelyard_runtime.training.splits import GROUP, KEY, TIME, numbered_at_random, split_rows
from modelyard_runtime.workload.records import Dataset, Pipeline, PipelineWorkload, Split

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Training rows, held-out rows, and the roles of their columns.

    Held-out rows keep all columns of the data, since other versions may have been trained on different ones.
    """

    train: pd.DataFrame
    held_out: pd.DataFrame
    features: tuple[str, ...]
    label: str
    classes: tuple[Any, ...]  # for classification, sorted, and otherwise empty
    seen: Seen | None = None  # identifies the training rows, and is stored with the version
    sample: pd.DataFrame | None = None  # some training rows, with all columns of the data
    naive: float | None = None  # the naive error if `train` is only a sample of the training rows

    def truth(self, rows: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Return the labels as numbers. A class becomes its index in `classes`."""
        import numpy as np

        column = rows[self.label]
        return coded(column, list(self.classes)) if self.classes else column.to_numpy(dtype=np.float64)

    def groups(self, rows: pd.DataFrame) -> npt.NDArray[np.int64] | None:
        """Return each row's query as a number, or None if the data has no group column."""
        import numpy as np

        return rows[GROUP].to_numpy(dtype=np.int64) if GROUP in rows.columns else None

    def naive_error(self) -> float:
        """Return the mean absolute error of predicting the previous value in each series of the training rows.

        The result is NaN if the rows don't form series because there are no timestamps, or a series has several rows
        with the same timestamp.
        """
        import numpy as np

        if self.naive is not None:
            return self.naive
        series = [name for name in (GROUP, TIME) if name in self.train.columns]
        if self.classes or TIME not in series or self.train.duplicated(series).any():
            return float("nan")
        ordered = self.train.sort_values(series, kind="stable")
        label = ordered[self.label].astype("float64")
        steps = label.groupby(ordered[GROUP]).diff() if GROUP in series else label.diff()
        return float(np.abs(steps).mean())

    def inner(self, split: Split) -> TrainingData:
        """Split the training rows again for a search, which must not use the rows held out for the gate."""
        train, held_out = split_rows(self.train, split)
        return TrainingData(train, held_out, self.features, self.label, self.classes)


def training_data(
    workload: PipelineWorkload, inputs: Iterable[str], task: str, now: datetime | None = None
) -> TrainingData:
    """Read, join and split the inputs as declared, keeping only rows whose labels are complete by `now`."""
    split = workload.pipeline.effective_split
    table = Joined.read(workload, tuple(inputs))
    frame = cleaned(table, split, task, now or datetime.now(UTC))
    if len(frame) < FEWEST_ROWS:
        raise Refusal(f"{len(frame)} rows with a label are too few for training and evaluation")
    selected, identity = arranged(frame, table, split)
    train, held_out = split_rows(selected.assign(**{_ROW: range(len(selected))}), split)
    other_columns = frame.drop(columns=[name for name in frame.columns if name in selected.columns])
    held_out, sample = _widened(held_out, other_columns), _widened(train[:SAMPLE], other_columns)
    train = train.drop(columns=_ROW)
    classes = _classes(selected, train, table.label, task) if task in CLASSIFICATION else ()
    until = train[TIME].max().isoformat() if split.by == "time" else ""
    seen = Seen.of(identity, train[KEY].to_numpy(), table.timestamp if until else "", until)
    return TrainingData(train, held_out, tuple(table.features), table.label, classes, seen, sample)


def cleaned(table: Joined, split: Split, task: str, now: datetime) -> pd.DataFrame:
    """Select rows that have all values needed for training and whose labels are complete."""
    prompts = table.features if task == TEXT else ()
    required = [name for name in (table.label, table.group, *table.key, *prompts) if name]
    frame = table.frame.dropna(subset=required).reset_index(drop=True)
    if table.timestamp:
        frame = frame.assign(**{table.timestamp: times(frame[table.timestamp])})
        if split.by == "time":
            frame = frame.dropna(subset=[table.timestamp]).reset_index(drop=True)
    if task not in CLASSIFICATION and task != TEXT:
        frame = frame.assign(**{table.label: label_numbers(frame[table.label], task)})
    return _ripe(frame, table, now)


def arranged(
    frame: pd.DataFrame, table: Joined, split: Split, known_by: Identity | None = None
) -> tuple[pd.DataFrame, Identity]:
    """Select the features, the label and the columns needed for the split, and return how rows are identified."""
    selected = numeric(frame[list(dict.fromkeys((*table.features, table.label)))], table.features)
    if table.timestamp:
        selected = selected.assign(**{TIME: frame[table.timestamp]})
    elif split.by == "time":
        raise Refusal("a split by time needs a dataset with a timestamp column")
    if table.group:
        selected = selected.assign(**{GROUP: numbered_at_random(frame[table.group], split.seed)})
    identity = known_by or _identity(table, frame)
    return selected.assign(**{KEY: identity.hashes(frame)}), identity


def _widened(rows: pd.DataFrame, other_columns: pd.DataFrame) -> pd.DataFrame:
    """Add the remaining columns of the data to the rows."""
    import pandas as pd

    extra = other_columns.take(rows[_ROW]).reset_index(drop=True)
    return pd.concat([rows.drop(columns=_ROW).reset_index(drop=True), extra], axis=1)


def _classes(selected: pd.DataFrame, train: pd.DataFrame, label: str, task: str) -> tuple[Any, ...]:
    return check_classes({plain(value) for value in selected[label].unique()}, set(train[label].unique()), label, task)


def check_classes(classes: Set[Any], learned: Set[Any], label: str, task: str) -> tuple[Any, ...]:
    """Sort the classes, refusing too few or too many for the task, or too few among the training rows."""
    if len(classes) < 2 or (task == "binary-classification" and len(classes) > 2):
        required = "two" if task == "binary-classification" else "at least two"
        raise Refusal(f"the label {label!r} has {len(classes)} classes; {task} needs {required}")
    if len(learned) < 2:
        raise Refusal(f"the training rows have only one value of {label!r}; the split leaves no other")
    return tuple(sorted(classes))


FEWEST_ROWS = 10
_ROW = "__row"  # the position of a row in the data before the split
SAMPLE = 1000
"""The number of training rows to store with all columns."""


def _identity(table: Joined, frame: pd.DataFrame) -> Identity:
    """Return how rows are identified, either by the key in the spec, by query, or by all features and the time.

    The label isn't included, so correcting a label doesn't create a new row.
    """
    if table.key:
        return Identity.of(frame, table.key, declared=True)
    if table.group:
        return Identity.of(frame, (table.group,), declared=True)
    times_too = [table.timestamp] if table.timestamp else []
    columns = table.features or [table.label]  # a text without a prompt identifies its own row
    return Identity.of(frame, list(dict.fromkeys((*columns, *times_too))), declared=False)


def label_numbers(label: pd.Series, task: str) -> npt.NDArray[np.float64]:
    """Convert the label to numbers for a task that needs a numeric label."""
    import numpy as np
    import pandas as pd

    try:
        numbers: npt.NDArray[np.float64] = label.to_numpy(dtype=np.float64)
    except (ValueError, TypeError):
        strange = label[pd.to_numeric(label, errors="coerce").isna()].iloc[0]
        raise Refusal(f"{task} needs numbers, but the label {label.name!r} contains {strange!r}") from None
    if not np.isfinite(numbers).all():
        raise Refusal(f"{task} needs numbers, but the label {label.name!r} contains values that are not finite")
    return numbers


def _ripe(frame: pd.DataFrame, table: Joined, now: datetime) -> pd.DataFrame:
    """Select rows old enough for all labels to have arrived. The labels of newer rows would be a biased sample."""
    if not table.delay_s or not table.timestamp:
        return frame
    ripe = frame[table.timestamp] <= now - timedelta(seconds=table.delay_s)
    if not ripe.all():
        _log.info("skipping %d rows that are too recent to have labels", int((~ripe).sum()))
    return frame[ripe].reset_index(drop=True)


def group_numbers(column: pd.Series) -> npt.NDArray[np.int64]:
    """Assign numbers to the values of a group column, using -1 for rows without a value."""
    import pandas as pd

    numbers: npt.NDArray[np.int64] = pd.factorize(column)[0]
    return numbers


def numeric(frame: pd.DataFrame, features: Iterable[str]) -> pd.DataFrame:
    """Convert features for models. Numbers and booleans become floats, which may be missing, and all others text.

    Non-finite numbers count as missing, as they do for monitors.
    """
    import pandas as pd

    cast: dict[str, Any] = {}
    for name in features:
        kind = frame[name].dtype
        if pd.api.types.is_numeric_dtype(kind):
            cast[name] = finite(frame[name].astype("float64"))
        elif pd.api.types.is_datetime64_any_dtype(kind):
            raise Refusal(f"feature {name!r} is a time; built-in trainers accept numbers and text, so leave it out")
        else:
            cast[name] = frame[name].astype(object).where(frame[name].notna(), None)
    return frame.assign(**cast)


@dataclass(frozen=True, slots=True)
class Joined:
    """Several datasets, joined into one table."""

    frame: pd.DataFrame
    features: list[str]
    label: str
    timestamp: str
    group: str
    delay_s: int
    key: tuple[str, ...]  # the columns that identify a row according to the spec

    @classmethod
    def read(cls, workload: PipelineWorkload, inputs: tuple[str, ...]) -> Joined:
        """Read and join the datasets, exactly one of which must have a label."""
        pipeline = workload.pipeline
        datasets = pipeline.data
        return cls.of({name: read_frame(workload, datasets[name]) for name in inputs}, pipeline, inputs)

    @classmethod
    def of(cls, frames: dict[str, pd.DataFrame], pipeline: Pipeline, inputs: tuple[str, ...]) -> Joined:
        """Join datasets that have already been read."""
        all_datasets = pipeline.data
        datasets = {name: all_datasets[name] for name in inputs}
        labelled = [name for name, dataset in datasets.items() if dataset.label]
        if len(labelled) != 1:
            raise Refusal(f"exactly one of the inputs {', '.join(inputs)} must have a label; {len(labelled)} have one")
        frame, keys = join(frames, datasets)
        key = pipeline.effective_split.key
        for column in key:
            if column not in frame.columns:
                raise Refusal(f"the split is by {column!r}, which the inputs {', '.join(inputs)} do not have")
        declared = [column for dataset in datasets.values() for column in dataset.features]
        for name, dataset in datasets.items():
            feature_columns(dataset, list(frames[name].columns))
        roles = (role for dataset in datasets.values() for role in (dataset.label, dataset.timestamp, dataset.group))
        hidden = {*keys, *key, *roles}
        texts = pipeline.task == TEXT  # the prompt must be declared, and no other text column is used
        features = list(dict.fromkeys(declared))
        features = features or [name for name in frame.columns if name not in hidden and not texts]
        if not features and not texts:
            raise Refusal(f"no feature columns remain in the inputs {', '.join(inputs)}")
        timestamp = next((dataset.timestamp for dataset in datasets.values() if dataset.timestamp), "")
        group = next((dataset.group for dataset in datasets.values() if dataset.group), "")
        labelled_dataset = datasets[labelled[0]]
        return cls(frame, features, labelled_dataset.label, timestamp, group, labelled_dataset.delay_seconds, key)


def join(frames: dict[str, pd.DataFrame], datasets: Mapping[str, Dataset]) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Inner-join all datasets, and also return the columns they were joined on.

    These are the columns found on both sides. Labels and timestamps are excluded, since they differ between an event
    and its label.
    """
    (first, frame), *others = frames.items()
    excluded = {name for dataset in datasets.values() for name in (dataset.label, dataset.timestamp)}
    join_columns: dict[str, None] = {}
    for name, other in others:
        keys = [column for column in frame.columns if column in other.columns and column not in excluded]
        if not keys:
            raise Refusal(f"datasets {first!r} and {name!r} share no key column")
        join_columns |= dict.fromkeys(keys)
        frame, other = frame.dropna(subset=keys), other.dropna(subset=keys)  # missing values must not match each other
        repeated = [column for column in other.columns if column in frame.columns and column not in keys]
        if frame.duplicated(keys).any() and other.duplicated(keys).any():
            raise Refusal(
                f"several rows of {name!r} and of the joined data have the same {', '.join(keys)}: "
                "each would be counted several times"
            )
        try:
            frame = frame.merge(other.drop(columns=repeated), on=keys, how="inner")
        except ValueError as problem:
            raise Refusal(f"{name!r} cannot be joined by {', '.join(keys)}: {problem}") from None
    return frame, tuple(join_columns)
