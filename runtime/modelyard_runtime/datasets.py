"""Datasets of the description: read as tables, with the columns that the spec says, and written whole or not at all."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from modelyard_runtime.description import Section, integer, names, section, text
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage import Place, place

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    import ray.data

FORMATS = {"parquet": "parquet", "csv": "csv", "json": "json"}
PARTITIONING = "hive"


def dataset_place(workload: Section, dataset: Section) -> Place:
    """Where a dataset lies."""
    return place(workload, text(dataset, "uri"), text(dataset, "store"))


def read_table(
    workload: Section, dataset: Section, newest_s: int | None = None, now: datetime | None = None
) -> pa.Table:
    """A dataset as one Arrow table, its columns of the declared types.

    `newest_s` keeps the rows of the last so many seconds by the dataset's timestamp column.
    """
    import pyarrow.dataset as arrow_dataset
    from pyarrow import fs

    where = dataset_place(workload, dataset)
    if where.filesystem.get_file_info(where.path).type == fs.FileType.NotFound:
        raise Refusal(f"nothing lies at {text(dataset, 'uri')}")
    found = arrow_dataset.dataset(
        where.path,
        filesystem=where.filesystem,
        format=FORMATS[text(dataset, "format")],
        partitioning=PARTITIONING,
        exclude_invalid_files=False,
        ignore_prefixes=["_", "."],
    )
    return typed(found.to_table(filter=_newest(found.schema, dataset, newest_s, now)), dataset)


def read_frame(
    workload: Section, dataset: Section, newest_s: int | None = None, now: datetime | None = None
) -> pd.DataFrame:
    """The same as a pandas data frame."""
    return read_table(workload, dataset, newest_s, now).to_pandas()


def read_ray(workload: Section, dataset: Section) -> ray.data.Dataset:
    """The same as a Ray dataset, read in parallel and not held in one memory."""
    import ray.data

    where = dataset_place(workload, dataset)
    readers = {"parquet": ray.data.read_parquet, "csv": ray.data.read_csv, "json": ray.data.read_json}
    return readers[text(dataset, "format")](where.path, filesystem=where.filesystem)


def feature_columns(dataset: Section, columns: list[str]) -> list[str]:
    """The columns that a model may see: those declared, or all but label, timestamp and group."""
    declared = names(dataset, "features")
    missing = [name for name in declared if name not in columns]
    if missing:
        raise Refusal(f"the data lacks the feature column {missing[0]!r}; it has {', '.join(columns[:20])}")
    hidden = {text(dataset, "label"), text(dataset, "timestamp"), text(dataset, "group")}
    return declared or [name for name in columns if name not in hidden]


def write_table(workload: Section, dataset: Section, table: pa.Table, name: str) -> str:
    """Write one file `<name>.<format>` of a dataset; a reader sees the old file or the new one. Returns its path."""
    where = dataset_place(workload, dataset)
    kind = text(dataset, "format")
    if kind == "json":
        raise Refusal("datasets of format json are read only; write parquet or csv")
    final = where.below(f"{name}.{kind}")
    staged = where.below(f"_{name}-{uuid.uuid4().hex}.{kind}")
    where.filesystem.create_dir(where.path, recursive=True)
    with where.filesystem.open_output_stream(staged.path) as stream:
        if kind == "parquet":
            import pyarrow.parquet as parquet

            parquet.write_table(table, stream)
        else:
            import pyarrow.csv as csv

            csv.write_csv(table, stream)
    where.filesystem.move(staged.path, final.path)
    return final.path


def _newest(schema: pa.Schema, dataset: Section, newest_s: int | None, now: datetime | None) -> object:
    if newest_s is None:
        return None
    import pyarrow as pa
    import pyarrow.dataset as arrow_dataset

    column = text(dataset, "timestamp")
    if not column:
        raise Refusal(f"a window of {text(dataset, 'uri')} needs its timestamp column in the spec")
    since = (now or datetime.now(UTC)) - timedelta(seconds=newest_s)
    kind = schema.field(column).type
    if pa.types.is_timestamp(kind):
        limit = pa.scalar(since if kind.tz else since.replace(tzinfo=None), type=kind)
    elif pa.types.is_string(kind):  # ISO 8601 sorts like time
        limit = pa.scalar(since.isoformat(), type=kind)
    else:
        raise Refusal(f"column {column!r} of {text(dataset, 'uri')} holds no time")
    return arrow_dataset.field(column) >= limit


def typed(table: pa.Table, dataset: Section) -> pa.Table:
    """A table with the declared columns in their types; one that lacks a column, or holds another type, is refused."""
    import pyarrow as pa

    kinds = {
        "string": pa.string(),
        "integer": pa.int64(),
        "number": pa.float64(),
        "boolean": pa.bool_(),
        "timestamp": pa.timestamp("us", "UTC"),
    }
    declared = section(dataset, "schema")
    for name, kind in declared.items():
        if name not in table.column_names:
            raise Refusal(f"{text(dataset, 'uri')} lacks column {name!r}, which its schema declares")
        at = table.column_names.index(name)
        try:
            table = table.set_column(at, name, table.column(name).cast(kinds[str(kind)]))
        except pa.ArrowInvalid as problem:
            raise Refusal(f"column {name!r} of {text(dataset, 'uri')} is not of type {kind}: {problem}") from None
    return table


def delay(dataset: Section) -> timedelta:
    """How late the labels of a dataset come."""
    return timedelta(seconds=integer(dataset, "delaySeconds"))
