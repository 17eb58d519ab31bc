"""Reads datasets in the description as tables with the declared columns, and writes dataset files atomically."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.filesystem import Place, make_folder, move, place, remove
from modelyard_runtime.storage.filesystem import files as files_of
from modelyard_runtime.workload.records import Dataset, Workload

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.dataset as ds
    import ray.data

FORMATS = {"parquet": "parquet", "csv": "csv", "json": "json"}
PARTITIONING = "hive"

_BATCH_ROWS = 65536
_BUFFER = 1 << 20  # the number of bytes of a column to fetch at a time


def dataset_place(workload: Workload, dataset: Dataset) -> Place:
    """Return the location of a dataset."""
    return place(workload, dataset.uri, dataset.store)


def read_table(workload: Workload, dataset: Dataset) -> pa.Table:
    """Read a dataset as an Arrow table with the declared column types."""
    return typed(opened(workload, dataset).to_table(), dataset)


def read_frame(workload: Workload, dataset: Dataset) -> pd.DataFrame:
    """Read a dataset as a pandas data frame."""
    return frame_of(read_table(workload, dataset))


def read_batches(
    workload: Workload,
    dataset: Dataset,
    since: datetime | None = None,
    until: datetime | None = None,
    files: Sequence[str] | None = None,
    schema: pa.Schema | None = None,
) -> Iterator[pd.DataFrame]:
    """Read a dataset in batches of bounded size, optionally limited to a period of its timestamp column.

    `files` selects some of its files, which are read with the `schema` of the whole dataset.
    """
    source = opened(workload, dataset, files, schema)
    chosen = _between(source.schema, dataset, since, until)
    for table in _parts(source, chosen, dataset):
        if not table.num_rows:
            continue
        frame = frame_of(typed(table, dataset))
        if since is not None or until is not None:
            frame = _exactly(frame, dataset.timestamp, since, until)
        if len(frame):
            yield frame


def opened(
    workload: Workload, dataset: Dataset, files: Sequence[str] | None = None, schema: pa.Schema | None = None
) -> ds.Dataset:
    """Open a dataset or some of its files."""
    import pyarrow as pa
    import pyarrow.dataset as arrow_dataset

    where = dataset_place(workload, dataset)
    try:
        return arrow_dataset.dataset(
            list(paths(workload, dataset) if files is None else files),
            schema=schema,
            filesystem=where.filesystem,
            format=FORMATS[dataset.format],
            partitioning=PARTITIONING,
            partition_base_dir=where.path,
            exclude_invalid_files=False,
        )
    except pa.ArrowInvalid as problem:
        raise Refusal(f"{dataset.uri} cannot be read as {dataset.format}: {problem}") from None


def paths(workload: Workload, dataset: Dataset) -> list[str]:
    """Return the paths of a dataset's files. Refuse a dataset without files."""
    file_paths = [str(file.path) for file in files_of(dataset_place(workload, dataset))]
    if not file_paths:
        raise Refusal(f"there is nothing at {dataset.uri} that this workload can read")
    return file_paths


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Convert a table to a data frame for calculations, turning decimals into floats and dates into timestamps."""
    import pyarrow as pa

    for at, field in enumerate(table.schema):
        if pa.types.is_decimal(field.type):
            table = table.set_column(at, field.name, table.column(at).cast(pa.float64()))
        elif pa.types.is_date(field.type):
            table = table.set_column(at, field.name, table.column(at).cast(pa.timestamp("ms")))
    return table.to_pandas()


def finite(column: pd.Series) -> pd.Series:
    """Replace non-finite numbers with missing values, as most models refuse infinity."""
    import numpy as np

    return column.where(np.isfinite(column))


def times(column: pd.Series) -> pd.Series:
    """Convert a column to UTC times. Naive times are assumed to be UTC, and text is parsed as ISO 8601."""
    import pandas as pd

    try:
        return pd.to_datetime(column, utc=True, format="ISO8601")
    except (ValueError, TypeError) as problem:
        raise Refusal(f"column {column.name!r} contains no time: {problem}") from None


def read_ray(workload: Workload, dataset: Dataset) -> ray.data.Dataset:
    """Read a dataset as a Ray dataset in parallel, without loading it into the memory of a single process."""
    import ray.data

    where = dataset_place(workload, dataset)
    readers = {"parquet": ray.data.read_parquet, "csv": ray.data.read_csv, "json": ray.data.read_json}
    return readers[dataset.format](paths(workload, dataset), filesystem=where.filesystem)


def feature_columns(dataset: Dataset, columns: list[str]) -> list[str]:
    """Return the columns a model may use, either as declared, or all except the label, timestamp and group."""
    declared = dataset.features
    missing = [name for name in declared if name not in columns]
    if missing:
        raise Refusal(f"the data lacks the feature column {missing[0]!r}; it has {', '.join(columns[:20])}")
    hidden = {dataset.label, dataset.timestamp, dataset.group}
    return list(declared) or [name for name in columns if name not in hidden]


def write_table(workload: Workload, dataset: Dataset, table: pa.Table, name: str) -> str:
    """Atomically write a dataset's file `<name>.<format>`, and return its path."""
    where = dataset_place(workload, dataset)
    kind = dataset.format
    if kind == "json":
        raise Refusal("datasets of format json can only be read; write parquet or csv")
    final = where.below(f"{name}.{kind}")
    staged = where.below(f"_{name}-{uuid.uuid4().hex}.{kind}")
    make_folder(where)
    try:
        with where.filesystem.open_output_stream(staged.path) as stream:
            if kind == "parquet":
                import pyarrow.parquet as parquet

                parquet.write_table(table, stream)
            else:
                import pyarrow.csv as csv

                csv.write_csv(table, stream)
        move(staged, final)
    finally:
        remove(staged)
    return final.path


def _parts(source: ds.Dataset, chosen: Any, dataset: Dataset) -> Iterator[pa.Table]:
    """Yield the rows in tables of bounded size, possibly including rows excluded by the `chosen` filter."""
    import pyarrow as pa

    parts = parts_of_parquet(source, chosen) if dataset.format == "parquet" else parts_of_text(source, chosen)
    try:
        yield from parts
    except pa.ArrowInvalid as problem:
        raise Refusal(f"{dataset.uri} cannot be read as {dataset.format}: {problem}") from None


def parts_of_text(source: ds.Dataset, chosen: Any = None) -> Iterator[pa.Table]:
    """Yield the rows of CSV or JSON files in tables of bounded size."""
    import pyarrow as pa

    for batch in source.to_batches(filter=chosen, batch_size=_BATCH_ROWS, batch_readahead=2, fragment_readahead=1):
        yield pa.Table.from_batches([batch])


def parts_of_parquet(
    source: ds.Dataset, chosen: Any = None, groups: Sequence[int] | None = None, rows: int = _BATCH_ROWS
) -> Iterator[pa.Table]:
    """Yield rows of Parquet files in tables of bounded size. `groups` selects row groups of a single file.

    Arrow's own scan loads whole row groups, which have a million rows by default.
    """
    import pyarrow as pa
    import pyarrow.dataset as arrow_dataset
    import pyarrow.parquet as parquet

    for fragment in source.get_fragments(filter=chosen):
        if chosen is not None:
            groups = [item.id for item in fragment.subset(chosen, source.schema).row_groups]
        constant = arrow_dataset.get_partition_keys(fragment.partition_expression)
        with fragment.open() as stream:
            file = parquet.ParquetFile(stream, buffer_size=_BUFFER, pre_buffer=False)
            there = [name for name in source.schema.names if name in file.schema_arrow.names]
            for batch in file.iter_batches(rows, row_groups=groups, columns=there):
                columns = [
                    batch.column(item.name).cast(item.type)
                    if item.name in there
                    else pa.repeat(pa.scalar(constant.get(item.name), item.type), len(batch))
                    for item in source.schema
                ]
                yield pa.Table.from_arrays(columns, schema=source.schema)


def _between(schema: pa.Schema, dataset: Dataset, since: datetime | None, until: datetime | None) -> Any:
    """Return a time filter for the file reader. It may select too many rows, since text is only parsed later."""
    if since is None and until is None:
        return None
    import pyarrow as pa
    import pyarrow.dataset as arrow_dataset

    column = dataset.timestamp
    if not column:
        raise Refusal(f"a window over {dataset.uri} needs the dataset's timestamp column in the spec")
    if column not in schema.names:
        raise Refusal(f"{dataset.uri} lacks its timestamp column {column!r}")
    kind = schema.field(column).type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return None

    def limit(when: datetime) -> Any:
        if pa.types.is_timestamp(kind):
            return pa.scalar(when if kind.tz else when.replace(tzinfo=None), type=pa.timestamp("us", kind.tz))
        return pa.scalar(when.date(), type=pa.date32())

    if not (pa.types.is_timestamp(kind) or pa.types.is_date(kind)):
        raise Refusal(f"column {column!r} of {dataset.uri} contains no time")
    field: Any = arrow_dataset.field(column)
    bounds = [field >= limit(since)] if since is not None else []
    bounds += [field <= limit(until)] if until is not None else []
    return bounds[0] & bounds[1] if len(bounds) == 2 else bounds[0]


def _exactly(frame: pd.DataFrame, column: str, since: datetime | None, until: datetime | None) -> pd.DataFrame:
    moments = times(frame[column])
    mask = moments.notna()
    if since is not None:
        mask &= moments > since
    if until is not None:
        mask &= moments <= until
    return frame if bool(mask.all()) else frame[mask]


def typed(table: pa.Table, dataset: Dataset) -> pa.Table:
    """Convert the declared columns to their types, refusing tables with missing columns or incompatible types."""
    import pyarrow as pa

    kinds = {
        "string": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "timestamp": pa.timestamp("us", "UTC"),
    }
    declared = dataset.schema
    for name, kind in declared.items():
        if name not in table.column_names:
            raise Refusal(f"{dataset.uri} lacks column {name!r}, which its schema declares")
        at = table.column_names.index(name)
        try:
            safe = kind != "timestamp"  # fractions of a microsecond are dropped
            table = table.set_column(at, name, table.column(name).cast(kinds[str(kind)], safe=safe))
        except pa.ArrowInvalid as problem:
            raise Refusal(f"column {name!r} of {dataset.uri} is not of type {kind}: {problem}") from None
    return table
