"""Training data that no one memory holds: read by Ray Data file by file, split as ever, and shared among workers.

What is gathered in one place is a few numbers of each row (its key, its time, a label that is a number), the rows that
are held out, and a sample of those to learn from. These go to workers in parts, through Ray Train.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from modelyard_runtime.answers import CLASSIFICATION, plain
from modelyard_runtime.datasets import frame_of, opened, paths, read_batches, typed
from modelyard_runtime.description import Section, names, section, sections, text
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.seen import Identity, Seen
from modelyard_runtime.splits import KEY, TIME, split_rows
from modelyard_runtime.trainers import MOST_CATEGORIES, preprocessing
from modelyard_runtime.training_data import (
    FEWEST_ROWS,
    SAMPLE,
    Joined,
    TrainingData,
    arranged,
    check_classes,
    cleaned,
    numeric,
)

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

_LEARNED_SAMPLE = 100_000
"""Rows to learn from by which profiles and explanations are made."""

_SHARDED = ("xgboost", "lightgbm")
_PLACE = "__place"


@dataclass(frozen=True, slots=True)
class Shards:
    """Training data whose rows to learn from are apart: `parts` are datasets of Ray, `data.train` is a sample."""

    data: TrainingData
    parts: Sequence[Any]
    before: Any  # the preprocessing, fitted
    counts: Mapping[Any, int]  # rows to learn from by class; none where there are no classes


@dataclass(frozen=True, slots=True)
class _Reading:
    """What reads a file needs to know."""

    workload: Section
    dataset: Section
    table: Joined
    split: Section
    task: str
    now: datetime
    identity: Identity
    schema: pa.Schema


def why_whole(workload: Section, step: Section, task: str) -> str:
    """Why the rows of a step have to be read in one memory; empty where they can be read in shards."""
    trainer, inputs = text(step, "trainer"), names(step, "inputs")
    if trainer not in _SHARDED:
        return f"{trainer} scales its rows by all of them"
    if task == "ranking":
        return "queries must not be torn apart"
    if len(inputs) != 1:
        return f"{len(inputs)} inputs are joined"
    dataset = sections(section(workload, "pipeline"), "data")[inputs[0]]
    if text(dataset, "group"):
        return "rows belong together by group"
    schema = typed(opened(workload, dataset).schema.empty_table(), dataset).schema
    strange = [one.name for one in schema if str(one.type) in {"bool", "null"} or "<" in str(one.type)]
    strange = [name for name in strange if not str(schema.field(name).type).startswith("decimal")]
    return f"column {strange[0]!r} is of type {schema.field(strange[0]).type}" if strange else ""


def read_in_shards(
    workload: Section, step: Section, task: str, parts: int, worker: Mapping[str, Any], now: datetime | None = None
) -> Shards:
    """Read, split and prepare the input of a step, on the machines of its workers."""
    import ray.data

    pipeline = section(workload, "pipeline")
    (name,) = names(step, "inputs")
    dataset, split = sections(pipeline, "data")[name], section(pipeline, "split")
    schema = opened(workload, dataset).schema
    empty = frame_of(typed(schema.empty_table(), dataset))
    table = Joined.of({name: empty}, pipeline, (name,))
    _, identity = arranged(empty, table, split)
    reading = _Reading(workload, dataset, table, split, task, now or datetime.now(UTC), identity, schema)
    beside = dict.fromkeys(worker["resources"], 0.001)
    files = [{"path": one} for one in paths(workload, dataset)]
    given = ray.data.from_items(files, override_num_blocks=len(files))
    given.context.execution_options.preserve_order = True  # which of equal rows is held out goes by their order
    reads: Any = _read
    read = given.map_batches(
        reads, batch_size=1, batch_format="pandas", fn_kwargs={"reading": reading}, num_cpus=1, resources=beside
    )
    blocks = read.materialize().to_pandas_refs()
    return _split(blocks, reading, parts, beside)


def _read(batch: pd.DataFrame, reading: _Reading) -> Iterator[pd.DataFrame]:
    """The rows of some files as a model takes them, with what they are known by and the other columns of the data."""
    import pandas as pd

    files = list(batch["path"])
    for frame in read_batches(reading.workload, reading.dataset, files=files, schema=reading.schema):
        kept = cleaned(replace(reading.table, frame=frame), reading.split, reading.task, reading.now)
        if not len(kept):
            continue
        chosen, _ = arranged(kept, reading.table, reading.split, reading.identity)
        others = kept.drop(columns=[name for name in kept.columns if name in chosen.columns])
        yield pd.concat([chosen, others], axis=1)


def _split(blocks: Sequence[Any], reading: _Reading, parts: int, beside: Mapping[str, float]) -> Shards:
    import numpy as np
    import pandas as pd
    import ray
    import ray.data

    table, options = reading.table, {"num_cpus": 1, "resources": dict(beside)}
    look = ray.remote(_narrow).options(**options)
    found = ray.get([look.remote(one, table.label, reading.task) for one in blocks])
    narrow = pd.concat(found, ignore_index=True) if found else pd.DataFrame()
    if len(narrow) < FEWEST_ROWS:
        raise Refusal(f"{len(narrow)} rows with a label are too few to learn from and to judge by")
    train, held = split_rows(narrow.assign(**{_PLACE: np.arange(len(narrow))}), reading.split)
    sampled = train[_PLACE].to_numpy()[np.linspace(0, len(train) - 1, min(_LEARNED_SAMPLE, len(train))).astype(int)]
    side = np.zeros(len(narrow), dtype=np.int8)
    side[sampled] = 1
    side[held[_PLACE].to_numpy()] = 2
    part: Any = ray.remote(_apart).options(num_returns=2, **options)
    ends = np.cumsum([len(one) for one in found])[:-1]
    told = [
        part.remote(one, own, list(table.features), table.label, reading.task in CLASSIFICATION)
        for one, own in zip(blocks, np.split(side, ends), strict=True)
    ]
    kept: list[dict[Any, Any]] = [ray.get(one) for _, one in told]
    classes: tuple[Any, ...] = ()
    if reading.task in CLASSIFICATION:
        alike = {value for one in kept for value in (*one["train"], *one["held"])}
        classes = check_classes(alike, {value for one in kept for value in one["train"]}, table.label, reading.task)
    places = {1: np.sort(sampled), 2: np.sort(held[_PLACE].to_numpy())}
    learned = _gathered(kept, 1, sampled, places)
    until = train[TIME].max().isoformat() if text(reading.split, "by") == "time" else ""
    seen = Seen.of(reading.identity, train[KEY].to_numpy(), table.timestamp if until else "", until)
    whole = TrainingData(train, held, tuple(table.features), table.label, classes)
    data = TrainingData(
        learned,
        _gathered(kept, 2, held[_PLACE].to_numpy(), places),
        tuple(table.features),
        table.label,
        classes,
        seen,
        learned[:SAMPLE],
        naive=whole.naive_error() if reading.task not in CLASSIFICATION else float("nan"),
    )
    mixed = ray.data.from_pandas_refs([one for one, _ in told]).random_shuffle(seed=0)  # what is sorted is mixed
    shards = mixed.repartition(min(parts, len(train))).materialize()
    counts: Counter[Any] = sum((one["train"] for one in kept), Counter())
    return Shards(data, shards.split(shards.num_blocks()), _preprocessing(kept, data), counts)


def _narrow(block: pd.DataFrame, label: str, task: str) -> pd.DataFrame:
    """The few numbers of each row that the split goes by."""
    wanted = [KEY, *([TIME] if TIME in block.columns else []), *([] if task in CLASSIFICATION else [label])]
    return as_read(block[wanted], ())


def _apart(
    block: pd.DataFrame, side: npt.NDArray[np.int8], features: list[str], label: str, classes: bool
) -> tuple[pd.DataFrame, dict[Any, Any]]:
    """The rows to learn from, and what is told of them beside those that are held out or sampled."""
    import pandas as pd

    block = as_read(block, features)
    learned = block[side < 2][list(dict.fromkeys((*features, label)))].reset_index(drop=True)
    texts = [name for name in features if not pd.api.types.is_numeric_dtype(block[name].dtype)]
    told: dict[Any, Any] = {
        "train": Counter(learned[label].map(plain)) if classes else Counter(),
        "held": {plain(value) for value in block[side == 2][label].unique()} if classes else set(),
        "present": {name for name in features if learned[name].notna().any()},
        "texts": {name: Counter(learned[name]) for name in texts},
        1: block[side == 1],
        2: block[side == 2],
    }
    return learned, told


def as_read(block: pd.DataFrame, features: Iterable[str]) -> pd.DataFrame:
    """Columns in the types in which they were made: Ray hands them on in those of Arrow, where a gap is NA."""
    import pandas as pd
    import pyarrow as pa

    changed = [name for name in block.columns if isinstance(block[name].dtype, pd.StringDtype | pd.ArrowDtype)]
    table = pa.Table.from_pandas(block[changed], preserve_index=False)
    read = frame_of(table.replace_schema_metadata(None))  # which says that they were in Arrow's types
    return numeric(block.reset_index(drop=True).assign(**{name: read[name] for name in changed}), features)


def _gathered(
    kept: Sequence[Mapping[Any, Any]], side: int, order: npt.NDArray[np.int64], places: Mapping[int, Any]
) -> pd.DataFrame:
    """Rows of all blocks, in the order that the split gave them."""
    import numpy as np
    import pandas as pd

    rows = pd.concat([one[side] for one in kept], ignore_index=True)
    return rows.iloc[np.searchsorted(places[side], order)].reset_index(drop=True)


def _preprocessing(kept: Sequence[Mapping[Any, Any]], data: TrainingData) -> Any:
    """The preprocessing, as if it had been fitted on all rows: of numbers it knows nothing, of texts how often."""
    import pandas as pd

    for name in data.features:
        if not any(name in one["present"] for one in kept):
            raise Refusal(f"feature {name!r} has no value in any row to learn from; leave it out, or mend the data")
    columns: dict[str, list[Any]] = {}
    for name in {name for one in kept for name in one["texts"]}:
        columns[name] = _as_often(sum((one["texts"].get(name, Counter()) for one in kept), Counter()))
    longest = max((len(one) for one in columns.values()), default=1)
    rows = {
        name: pd.Series(columns[name] + columns[name][:1] * (longest - len(columns[name])), dtype=object)
        if name in columns
        else pd.Series([0.0] * longest)
        for name in data.features
    }
    return preprocessing(pd.DataFrame(rows), scaled=False).fit(pd.DataFrame(rows))


def _as_often(counts: Counter[Any]) -> list[Any]:
    """Few values of which the same are frequent: each once, and the most frequent ones a second time.

    Of values that are equally frequent, the encoder keeps the last ones in order.
    """
    ordered = sorted(counts, key=lambda value: (value is None, "" if value is None else value))
    rising = sorted(ordered, key=lambda value: counts[value])
    return rising[:-MOST_CATEGORIES:-1] + ordered  # the last column is for all others
