"""The input files of a batch inference run, with large files split into parts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage.datasets import dataset_place
from modelyard_runtime.storage.filesystem import Place, files
from modelyard_runtime.workload.records import PipelineWorkload

PART_BYTES = 256 * 1024**2
"""Larger files are scored in parts of about this many bytes, which consist of row groups or whole lines."""

_CHUNK = 1 << 16
_COMPRESSED = (".gz", ".bz2", ".zst", ".lz4", ".br")


@dataclass(frozen=True, slots=True)
class Piece:
    """A file to score, with its location, size, modification time and output name."""

    dataset: str
    path: str
    size: int
    changed_ns: int
    name: str

    @property
    def state(self) -> str:
        """Return an identifier that changes whenever the file changes."""
        return f"{self.size}-{self.changed_ns}"


@dataclass(frozen=True, slots=True)
class Part:
    """A half-open range of row groups or bytes in a file. An `end` of 0 means the whole file."""

    number: int = 0
    begin: int = 0
    end: int = 0


WHOLE = Part()


def pieces(workload: PipelineWorkload, inputs: tuple[str, ...]) -> Iterator[Piece]:
    """Yield the input files in order.

    Outputs are named after their input files. If there are several inputs, each has its own output folder.
    """
    pipeline = workload.pipeline
    data = pipeline.data
    kind = data[pipeline.output].format if pipeline.output in data else "parquet"
    for name in inputs:
        where = dataset_place(workload, data[name])
        entries = files(where)
        if not entries:
            raise Refusal(f"there is nothing at {data[name].uri} that this workload can read")
        for entry in entries:
            if entry.size:
                relative = entry.path.removeprefix(where.path).strip("/") or entry.base_name
                output = f"{name}/{relative}" if len(inputs) > 1 else relative
                yield Piece(name, str(entry.path), int(entry.size), int(entry.mtime_ns or 0), f"{output}.scored.{kind}")


def outputs(name: str, parts: int) -> list[str]:
    """Return the output names, e.g. `a.parquet.scored.parquet` or, for parts, `…scored-00001-of-00012.parquet`."""
    if parts <= 1:
        return [name] * parts
    stem, _, kind = name.rpartition(".")
    return [f"{stem}-{number:05d}-of-{parts:05d}.{kind}" for number in range(1, parts + 1)]


def parts_of(workload: PipelineWorkload, piece: Piece) -> list[Part]:
    """Split a file into parts. Small files, and damaged files that can't be split, are a single part."""
    import pyarrow as pa

    if piece.size <= PART_BYTES:
        return [WHOLE]
    dataset = workload.pipeline.data[piece.dataset]
    file = dataset_place(workload, dataset).at(piece.path)
    try:
        cuts = _row_groups(file) if dataset.format == "parquet" else _lines(file, piece.size)
    except (pa.ArrowException, OSError):
        return [WHOLE]
    return [Part(number, *bounds) for number, bounds in enumerate(pairwise(cuts))] if len(cuts) > 2 else [WHOLE]


def _row_groups(file: Place) -> list[int]:
    """Return the index of the first row group in each part, followed by the total number of row groups."""
    import pyarrow.parquet as parquet

    with file.filesystem.open_input_file(file.path) as stream:
        metadata = parquet.ParquetFile(stream).metadata
        sizes = [metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups)]
    cuts, filled = [0], 0
    for group, size in enumerate(sizes):
        if filled and filled + size > PART_BYTES:
            cuts.append(group)
            filled = 0
        filled += size
    return [*cuts, len(sizes)]


def _lines(file: Place, size: int) -> list[int]:
    """Return the byte offset of each part, which always starts on a new line, followed by the file size."""
    if file.path.endswith(_COMPRESSED):
        return [0, size]
    cuts = [0]
    with file.filesystem.open_input_file(file.path) as stream:
        for goal in range(PART_BYTES, size, PART_BYTES):
            position = stream.seek(max(goal, cuts[-1]))
            while chunk := stream.read(_CHUNK):
                newline = chunk.find(b"\n")
                if newline >= 0:
                    cuts.append(position + newline + 1)
                    break
                position += len(chunk)
    return [offset for offset in dict.fromkeys(cuts) if offset < size] + [size]
