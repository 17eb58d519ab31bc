"""Reads a file or part of a file as tables of equal size, reading ahead in a thread while rows are scored."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import RawIOBase
from typing import TYPE_CHECKING, Any, TypeVar

from modelyard_runtime.batch.files import Part, Piece
from modelyard_runtime.batch.unfit import content_of
from modelyard_runtime.storage.datasets import (
    FORMATS,
    PARTITIONING,
    dataset_place,
    parts_of_parquet,
    parts_of_text,
    typed,
)
from modelyard_runtime.storage.filesystem import Place
from modelyard_runtime.workload.records import Dataset, PipelineWorkload

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.dataset as ds

_AHEAD = 2
_BLOCK = 4 * 1024**2  # bytes of text parsed at a time
_T = TypeVar("_T")


def read(workload: PipelineWorkload, dataset: Dataset, piece: Piece, part: Part, rows: int) -> Iterator[pa.Table]:
    """Yield tables of `rows` rows (the last may be smaller) with the declared columns and types.

    Raises Unfit if the file can't be read or is missing a declared column or type.
    """
    where = dataset_place(workload, dataset)
    return _ahead(_read(where, dataset, piece, part, rows))


def _read(where: Place, dataset: Dataset, piece: Piece, part: Part, rows: int) -> Iterator[pa.Table]:
    import pyarrow.dataset as arrow_dataset

    kind = dataset.format
    with content_of(where.at(piece.path), kind):
        source = arrow_dataset.dataset(
            piece.path,
            filesystem=where.filesystem,
            format=FORMATS[kind],
            partitioning=PARTITIONING,
            partition_base_dir=where.path,
        )
        if kind == "parquet":
            groups = range(part.begin, part.end) if part.end else None
            tables = parts_of_parquet(source, groups=groups, rows=rows)
        else:
            tables = _part_of_text(source, where, piece, part, kind) if part.end else parts_of_text(source)
        for table in _even(tables, rows):
            yield typed(table, dataset)


def _even(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Regroup tables of any size so that all but the last have exactly `rows` rows."""
    import pyarrow as pa

    parts: list[pa.Table] = []
    for table in tables:
        if table.num_rows:
            parts.append(table)
        while sum(part.num_rows for part in parts) >= rows:
            joined = pa.concat_tables(parts)
            yield joined.slice(0, rows)
            parts = [joined.slice(rows)] if joined.num_rows > rows else []
    if parts:
        yield pa.concat_tables(parts)


def _ahead(items: Iterator[_T]) -> Generator[_T]:
    """Iterate in a background thread that stays a few items ahead."""
    with ThreadPoolExecutor(1, "reader") as pool:
        waiting = deque(pool.submit(next, items, None) for _ in range(_AHEAD))
        while (item := waiting.popleft().result()) is not None:
            waiting.append(pool.submit(next, items, None))
            yield item


def _part_of_text(source: ds.Dataset, where: Place, piece: Piece, part: Part, kind: str) -> Iterator[pa.Table]:
    """Read one part of a text file.

    Types are inferred from the beginning of the file so that they are the same in every part.
    """
    import pyarrow as pa
    import pyarrow.dataset as arrow_dataset

    (fragment,) = source.get_fragments()
    constant: dict[str, Any] = arrow_dataset.get_partition_keys(fragment.partition_expression)
    with where.filesystem.open_input_file(piece.path) as file:
        lines = pa.PythonFile(_Bytes(file, part.begin, part.end), mode="r")
        for batch in _parsed(lines, kind, fragment.physical_schema, header=part.begin == 0):
            table = pa.Table.from_batches([batch])
            for name in source.schema.names:
                if name not in table.column_names:
                    table = table.append_column(
                        name, pa.repeat(pa.scalar(constant.get(name), source.schema.field(name).type), len(batch))
                    )
            yield table.select(source.schema.names)


def _parsed(lines: Any, kind: str, schema: pa.Schema, header: bool) -> Iterable[pa.RecordBatch]:
    import pyarrow.csv as csv
    import pyarrow.json as json

    if kind == "json":
        read_json = json.ReadOptions(use_threads=False, block_size=_BLOCK)
        objects: Iterable[pa.RecordBatch] = json.open_json(lines, read_json, json.ParseOptions(explicit_schema=schema))
        return objects
    read_csv = csv.ReadOptions(
        use_threads=False, block_size=_BLOCK, column_names=schema.names, skip_rows=1 if header else 0
    )
    types = {field.name: field.type for field in schema}
    rows: Iterable[pa.RecordBatch] = csv.open_csv(
        lines, read_csv, convert_options=csv.ConvertOptions(column_types=types)
    )
    return rows


class _Bytes(RawIOBase):
    """A byte range of a file as a stream."""

    def __init__(self, file: Any, begin: int, end: int) -> None:
        super().__init__()
        self._file, self._remaining = file, end - begin
        file.seek(begin)

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """Return the next bytes, or an empty bytes object at the end."""
        count = self._remaining if size < 0 else min(size, self._remaining)
        content: bytes = self._file.read(count)
        self._remaining -= len(content)
        return content
