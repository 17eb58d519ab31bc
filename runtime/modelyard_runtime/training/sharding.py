"""Training data larger than memory. Ray Data reads it file by file, splits the rows and sends them to workers.

A few numbers per row (its key, time and numeric label), the held-out rows, and a sample of the training rows are
gathered in one process. Ray Train passes the training rows to the workers in parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from modelyard_runtime.models.answers import CLASSIFICATION, plain
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.datasets import frame_of, opened, paths, read_batches, typed
from modelyard_runtime.training.data import (
    FEWEST_ROWS,
    SAMPLE,
    Joined,
    TrainingData,
    arranged,
    check_classes,
    cleaned,
    numeric,
)
from modelyard_runtime.training.seen import Identity, Seen
from modelyard_runtime.training.splits import KEY, TIME, split_rows
from modelyard_runtime.training.trainers import MOST_CATEGORIES, preprocessing
from modelyard_runtime.workload.records import Dataset, PipelineWorkload, Split, Step

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

_LEARNED_SAMPLE = 100_000
"""The maximum number of training rows for profiles and explanations."""

_SHARDED = ("xgboost", "lightgbm")
_PLACE = "__place"


@dataclass(frozen=True, slots=True)
class Shards:
    """Training data with distributed training rows. `parts` are Ray datasets, and `data.train` is a sample."""

    data: TrainingData
    parts: Sequence[Any]
    before: Any  # the fitted preprocessing
    counts: Mapping[Any, int]  # training rows by class, which are empty without classes


@dataclass(frozen=True, slots=True)
class _Reading:
    """The settings for a task that reads a file."""

    workload: PipelineWorkload
    dataset: Dataset
    table: Joined
    split: Split
    task: str
    now: datetime
    identity: Identity
    schema: pa.Schema


class _Side(IntEnum):
    """The side of the split to which a row belongs."""

    LEARNED = 0
    SAMPLED = 1  # a training row that is also in the sample
    HELD_OUT = 2


@dataclass(frozen=True, slots=True)
class _Divided:
    """The split of all rows, and the columns that determined it, in split order."""

    train: pd.DataFrame
    held_out: pd.DataFrame
    sampled: npt.NDArray[np.int64]  # positions of the sampled rows among all rows
    sides: list[npt.NDArray[np.int8]]  # the side of each row, block by block

    @classmethod
    def of(cls, blocks: Sequence[pd.DataFrame], split: Split) -> _Divided:
        """Split the rows of all blocks."""
        import numpy as np
        import pandas as pd

        rows = pd.concat(blocks, ignore_index=True) if blocks else pd.DataFrame()
        if len(rows) < FEWEST_ROWS:
            raise Refusal(f"{len(rows)} rows with a label are too few for training and evaluation")
        train, held_out = split_rows(rows.assign(**{_PLACE: np.arange(len(rows))}), split)
        positions = np.linspace(0, len(train) - 1, min(_LEARNED_SAMPLE, len(train))).astype(int)
        sampled = train[_PLACE].to_numpy()[positions]
        sides = np.full(len(rows), _Side.LEARNED, dtype=np.int8)
        sides[sampled] = _Side.SAMPLED
        sides[held_out[_PLACE].to_numpy()] = _Side.HELD_OUT
        return cls(train, held_out, sampled, np.split(sides, np.cumsum([len(block) for block in blocks])[:-1]))


@dataclass(frozen=True, slots=True)
class _Summary:
    """Information about a block, without its training rows."""

    classes: Counter[Any]  # training rows by class, which are empty without classes
    held_out_classes: set[Any]
    present: set[str]  # features that have a value in at least one training row
    texts: dict[str, Counter[Any]]  # how often each text occurs in the training rows, by feature
    sampled: pd.DataFrame
    held_out: pd.DataFrame


def reason_to_read_whole(workload: PipelineWorkload, step: Step, task: str) -> str:
    """Return why a step's rows must be read into the memory of one process, or "" if that isn't necessary."""
    trainer, inputs = step.trainer, step.inputs
    if trainer not in _SHARDED:
        return f"{trainer} scales each row using all of them"
    if task == "ranking":
        return "queries must not be split"
    if len(inputs) != 1:
        return f"{len(inputs)} inputs are joined"
    dataset = workload.pipeline.data[inputs[0]]
    if dataset.group:
        return "rows of a group must stay together"
    schema = typed(opened(workload, dataset).schema.empty_table(), dataset).schema
    strange = next((column for column in schema if not _kept_by_ray(column.type)), None)
    return "" if strange is None else f"column {strange.name!r} is of type {strange.type}"


def _kept_by_ray(kind: pa.DataType) -> bool:
    """Return whether Ray preserves values of the given type. Booleans, lists and structs are changed."""
    name = str(kind)
    return name.startswith("decimal") or not (name in {"bool", "null"} or "<" in name)


def read_in_shards(
    workload: PipelineWorkload,
    step: Step,
    task: str,
    parts: int,
    worker: Mapping[str, Any],
    now: datetime | None = None,
) -> Shards:
    """Read, split and preprocess a step's input on the machines of its workers.

    `parts` is the maximum number of datasets for the training rows. With few rows, there are fewer datasets. Raises
    Refusal if the data can't be used for training, e.g. because there are too few rows or classes, or a feature has no
    values.
    """
    import ray.data

    pipeline = workload.pipeline
    (name,) = step.inputs
    dataset, split = pipeline.data[name], pipeline.effective_split
    schema = opened(workload, dataset).schema
    empty = frame_of(typed(schema.empty_table(), dataset))
    table = Joined.of({name: empty}, pipeline, (name,))
    _, identity = arranged(empty, table, split)
    reading = _Reading(workload, dataset, table, split, task, now or datetime.now(UTC), identity, schema)
    resources = dict.fromkeys(worker["resources"], 0.001)
    files = [{"path": path} for path in paths(workload, dataset)]
    items = ray.data.from_items(files, override_num_blocks=len(files))
    items.context.execution_options.preserve_order = True  # the order of equal rows decides which are held out
    reads: Any = _read
    rows = items.map_batches(
        reads, batch_size=1, batch_format="pandas", fn_kwargs={"reading": reading}, num_cpus=1, resources=resources
    )
    blocks = rows.materialize().to_pandas_refs()
    return _shards(blocks, reading, parts, {"num_cpus": 1, "resources": resources})


def _read(batch: pd.DataFrame, reading: _Reading) -> Iterator[pd.DataFrame]:
    """Read files as model inputs, along with each row's identity and the remaining columns of the data."""
    import pandas as pd

    files = list(batch["path"])
    for frame in read_batches(reading.workload, reading.dataset, files=files, schema=reading.schema):
        rows = cleaned(replace(reading.table, frame=frame), reading.split, reading.task, reading.now)
        if not len(rows):
            continue
        selected, _ = arranged(rows, reading.table, reading.split, reading.identity)
        other_columns = rows.drop(columns=[name for name in rows.columns if name in selected.columns])
        yield pd.concat([selected, other_columns], axis=1)


def _shards(blocks: Sequence[Any], reading: _Reading, parts: int, options: Mapping[str, Any]) -> Shards:
    """Split the rows of all blocks, excluding empty blocks from files without usable rows."""
    import ray

    narrow = ray.remote(_narrow).options(**options)
    narrowed = ray.get([narrow.remote(item, reading.table.label, reading.task) for item in blocks])
    usable = [(block, rows) for block, rows in zip(blocks, narrowed, strict=True) if len(rows)]
    divided = _Divided.of([rows for _, rows in usable], reading.split)
    learned, summaries = _taken_apart([block for block, _ in usable], divided, reading, options)
    data = _training_data(divided, summaries, reading)
    counts: Counter[Any] = sum((item.classes for item in summaries), Counter())
    return Shards(data, _mixed(learned, min(parts, len(divided.train))), _preprocessing(summaries, data), counts)


def _narrow(block: pd.DataFrame, label: str, task: str) -> pd.DataFrame:
    """Select the few numbers the split needs from each row. Blocks without rows may be missing columns."""
    if not len(block):
        return block
    columns = [KEY, *([TIME] if TIME in block.columns else []), *([] if task in CLASSIFICATION else [label])]
    return as_read(block[columns], ())


def _taken_apart(
    blocks: Sequence[Any], divided: _Divided, reading: _Reading, options: Mapping[str, Any]
) -> tuple[list[Any], list[_Summary]]:
    """Return references to the training rows, and each block's summary."""
    import ray

    table, classes = reading.table, reading.task in CLASSIFICATION
    part: Any = ray.remote(_apart).options(num_returns=2, **options)
    results = [
        part.remote(block, sides, list(table.features), table.label, classes)
        for block, sides in zip(blocks, divided.sides, strict=True)
    ]
    learned = [rows for (rows, _), sides in zip(results, divided.sides, strict=True) if (sides != _Side.HELD_OUT).any()]
    return learned, [ray.get(summary) for _, summary in results]


def _apart(
    block: pd.DataFrame, sides: npt.NDArray[np.int8], features: list[str], label: str, classes: bool
) -> tuple[pd.DataFrame, _Summary]:
    """Return a block's training rows and its summary."""
    import pandas as pd

    block = as_read(block, features)
    held_out = block[sides == _Side.HELD_OUT]
    learned = block[sides != _Side.HELD_OUT][list(dict.fromkeys((*features, label)))].reset_index(drop=True)
    texts = [name for name in features if not pd.api.types.is_numeric_dtype(block[name].dtype)]
    summary = _Summary(
        classes=Counter(learned[label].map(plain)) if classes else Counter(),
        held_out_classes={plain(value) for value in held_out[label].unique()} if classes else set(),
        present={name for name in features if learned[name].notna().any()},
        texts={name: Counter(learned[name]) for name in texts},
        sampled=block[sides == _Side.SAMPLED],
        held_out=held_out,
    )
    return learned, summary


def _training_data(divided: _Divided, summaries: Sequence[_Summary], reading: _Reading) -> TrainingData:
    """Combine the rows gathered in one process with the summary of all rows."""
    table, features, train = reading.table, tuple(reading.table.features), divided.train
    classes: tuple[Any, ...] = ()
    naive = float("nan")
    if reading.task in CLASSIFICATION:
        learned = {value for summary in summaries for value in summary.classes}
        all_classes = learned.union(*(summary.held_out_classes for summary in summaries))
        classes = check_classes(all_classes, learned, table.label, reading.task)
    else:
        naive = TrainingData(train, divided.held_out, features, table.label, ()).naive_error()
    until = train[TIME].max().isoformat() if reading.split.by == "time" else ""
    seen = Seen.of(reading.identity, train[KEY].to_numpy(), table.timestamp if until else "", until)
    sample = _gathered((summary.sampled for summary in summaries), divided.sampled)
    held_out = _gathered((summary.held_out for summary in summaries), divided.held_out[_PLACE].to_numpy())
    return TrainingData(sample, held_out, features, table.label, classes, seen, sample[:SAMPLE], naive)


def _gathered(blocks: Iterable[pd.DataFrame], places: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Gather rows from all blocks in split order. The first of `places` is the first row's position."""
    import numpy as np
    import pandas as pd

    rows = pd.concat(blocks, ignore_index=True)
    return rows.iloc[np.searchsorted(np.sort(places), places)].reset_index(drop=True)


def _mixed(learned: Sequence[Any], parts: int) -> list[Any]:
    """Shuffle the training rows into the given number of datasets, since files are often sorted."""
    import ray.data

    mixed = ray.data.from_pandas_refs(list(learned)).random_shuffle(seed=0).repartition(parts).materialize()
    datasets: list[Any] = mixed.split(mixed.num_blocks())
    return datasets


def as_read(block: pd.DataFrame, features: Iterable[str]) -> pd.DataFrame:
    """Convert columns back to their original types. Ray returns Arrow types, where missing values are NA."""
    import pandas as pd
    import pyarrow as pa

    changed = [name for name in block.columns if isinstance(block[name].dtype, pd.StringDtype | pd.ArrowDtype)]
    table = pa.Table.from_pandas(block[changed], preserve_index=False)
    read = frame_of(table.replace_schema_metadata(None))  # without the metadata, which would restore the Arrow types
    return numeric(block.reset_index(drop=True).assign(**{name: read[name] for name in changed}), features)


def _preprocessing(summaries: Sequence[_Summary], data: TrainingData) -> Any:
    """Create the preprocessing as if it had been fitted to all rows, which only requires the text frequencies."""
    import pandas as pd

    for name in data.features:
        if not any(name in item.present for item in summaries):
            raise Refusal(f"feature {name!r} has no value in any training row; leave it out, or fix the data")
    columns: dict[str, list[Any]] = {}
    for name in {name for item in summaries for name in item.texts}:
        columns[name] = _as_often(sum((item.texts.get(name, Counter()) for item in summaries), Counter()))
    longest = max((len(item) for item in columns.values()), default=1)
    rows = {
        name: pd.Series(columns[name] + columns[name][:1] * (longest - len(columns[name])), dtype=object)
        if name in columns
        else pd.Series([0.0] * longest)
        for name in data.features
    }
    return preprocessing(pd.DataFrame(rows), scaled=False).fit(pd.DataFrame(rows))


def _as_often(counts: Counter[Any]) -> list[Any]:
    """Return a short list that makes the encoder keep the same categories as all rows would.

    Frequent values occur twice and others once. Among equally frequent values, the encoder keeps the last in sort
    order.
    """
    ordered = sorted(counts, key=lambda value: (value is None, "" if value is None else value))
    rising = sorted(ordered, key=lambda value: counts[value])
    return rising[:-MOST_CATEGORIES:-1] + ordered  # the last column is for all other values
