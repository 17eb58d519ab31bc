"""Scoring of whole datasets: Ray Data over an actor pool, one file of the input a piece of work, each exactly once.

The output of an input file has its name, and a marker with the file's state and the model's version. What has a
fitting marker is not scored again; what was interrupted, or has changed, replaces what was there under the same name.
"""

from __future__ import annotations

import hashlib
import io
import json
import logging
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard_runtime import registry
from modelyard_runtime.answers import CLASSIFICATION, Answer, answer, plain
from modelyard_runtime.bundle import MODEL
from modelyard_runtime.bundle_tar import packed, unpacked
from modelyard_runtime.capture import MODEL_VERSION, PREDICTION, SCORE
from modelyard_runtime.checker import BadRequest
from modelyard_runtime.datasets import FORMATS, PARTITIONING, dataset_place, frame_of, typed
from modelyard_runtime.description import Section, integer, section, sections, text
from modelyard_runtime.models import Models, load
from modelyard_runtime.payloads import fitted
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.storage import Place, files, make_folder, reading, remove, write_whole

if TYPE_CHECKING:
    import pyarrow as pa

MARKERS = "_modelyard"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Piece:
    """One file to score: where it lies, its state, and what its output is called."""

    dataset: str
    path: str
    state: str
    name: str


def score_datasets(
    workload: Section, inputs: tuple[str, ...], output: str, worker: dict[str, Any], workers: tuple[int, int]
) -> dict[str, int]:
    """Score what is not scored yet. Returns how many files were, and how many were there."""
    import ray.data

    pipeline = section(workload, "pipeline")
    model = section(pipeline, "model")
    source = Models(workload, model)
    version = source.version()
    if version is None:
        wanted = text(model, "alias")
        raise Refusal(f"{text(model, 'uri')} does not exist yet: no version has been promoted to {wanted!r}")
    found = list(pieces(workload, inputs))
    target = dataset_place(workload, sections(pipeline, "data")[output])
    waiting = [piece for piece in found if read_marker(target, piece) != _mark(piece, version.version)]
    _log.info("%d of %d files are to be scored by version %s", len(waiting), len(found), version.version)
    if waiting:
        least, most = max(workers[0], 1), max(workers[1], 1)
        items = [{"dataset": one.dataset, "path": one.path, "state": one.state, "name": one.name} for one in waiting]
        asked: dict[str, Any] = {key: value for key, value in worker.items() if value}
        handed = Handed(version, None if source.bundles is None else ray.put(packed(Path(version.uri).parent)))
        scored = ray.data.from_items(items, override_num_blocks=len(items)).map_batches(
            Scorer,
            fn_constructor_args=(dict(workload), output, handed),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(min_size=min(least, len(items)), max_size=min(most, len(items))),
            **asked,
        )
        _log.info("scored %d rows", sum(int(row["rows"]) for row in scored.take_all()))
    return {"scored": len(waiting), "found": len(found)}


@dataclass(frozen=True, slots=True)
class Handed:
    """The version that all workers score with; a bundle is handed to them, so that none asks for it again."""

    version: registry.Version
    bundle: Any = None  # a reference to the packed bundle

    def load(self, workload: Section) -> registry.Model:
        """The model, on a worker."""
        if self.bundle is None:
            registry.connect(workload)
            return load(section(section(workload, "pipeline"), "model"), self.version)
        import ray

        # It stays as long as the worker's disk does: a model may read its files again when it is asked.
        folder = unpacked(io.BytesIO(ray.get(self.bundle)), Path(tempfile.mkdtemp(prefix="bundle-")))
        return registry.load(str(folder / MODEL))


class Scorer:
    """An actor of the pool: it loads the model once, and then takes file after file."""

    def __init__(self, workload: Section, output: str, handed: Handed) -> None:
        pipeline = section(workload, "pipeline")
        self._workload = workload
        self._data = sections(pipeline, "data")
        self._output = self._data[output]
        self._task = text(section(pipeline, "model"), "task")
        self._rows = integer(pipeline, "batchSize", 1024)
        self._model = handed.load(workload)
        self._version = handed.version.version

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Score the files that a batch names."""
        names = ("dataset", "path", "state", "name")
        counts = [self._score(Piece(*(str(batch[key][place]) for key in names))) for place in range(len(batch["path"]))]
        return {"path": list(batch["path"]), "rows": counts}

    def _score(self, piece: Piece) -> int:
        target = dataset_place(self._workload, self._output)
        final = target.below(piece.name)
        folder = final.path.rpartition("/")[0]
        make_folder(Place(final.filesystem, folder))
        # Of this try alone: another run that scores the same file at the same time has one of its own.
        staged = Place(final.filesystem, f"{folder}/_{uuid.uuid4().hex}-staged")
        try:
            total = write_all(staged, text(self._output, "format"), self._scored(piece))
            if total:
                final.filesystem.move(staged.path, final.path)
            else:
                remove(final)
        finally:
            remove(staged)
        write_marker(target, piece, _mark(piece, self._version))
        return total

    def _scored(self, piece: Piece) -> Iterator[pa.Table]:
        import pyarrow as pa
        import pyarrow.dataset as arrow_dataset

        described = self._data[piece.dataset]
        where = dataset_place(self._workload, described)
        found = arrow_dataset.dataset(
            piece.path,
            filesystem=where.filesystem,
            format=FORMATS[text(described, "format")],
            partitioning=PARTITIONING,
            partition_base_dir=where.path,
        )
        for batch in found.to_batches(batch_size=self._rows):
            if batch.num_rows:
                yield self._answered(typed(pa.Table.from_batches([batch]), described), piece)

    def _answered(self, table: pa.Table, piece: Piece) -> pa.Table:
        frame = frame_of(table)
        try:
            rows = fitted(frame.astype(object), self._model.columns()) if self._model.columns() else frame
        except BadRequest as problem:
            raise Refusal(f"{piece.path} does not fit the model: {problem}") from None
        said = answer(self._model, self._task, rows)
        whole = projected(with_answers(table, said, self._version, self._task), self._output)
        in_path = {part.partition("=")[0] for part in piece.name.split("/")[:-1] if "=" in part}
        return whole.drop_columns([name for name in whole.column_names if name in in_path])  # a reader adds them again


def pieces(workload: Section, inputs: tuple[str, ...]) -> Iterator[Piece]:
    """The files of the inputs in order. An output is called like its file, below its input if there are several."""
    pipeline = section(workload, "pipeline")
    data = sections(pipeline, "data")
    kind = text(data[text(pipeline, "output")], "format") if text(pipeline, "output") in data else "parquet"
    for name in inputs:
        where = dataset_place(workload, data[name])
        found = files(where)
        if not found:
            raise Refusal(f"nothing lies at {text(data[name], 'uri')} that this workload may read")
        for one in found:
            if one.size:
                relative = one.path.removeprefix(where.path).strip("/") or one.base_name
                below = f"{name}/{relative}" if len(inputs) > 1 else relative
                yield Piece(name, one.path, f"{one.size}-{one.mtime_ns}", f"{below}.scored.{kind}")


def write_all(where: Place, kind: str, tables: Iterator[pa.Table]) -> int:
    """Write tables into one file, one after the other. Returns the number of rows; a file of none is of no use."""
    import pyarrow.csv as csv
    import pyarrow.parquet as parquet

    writers: dict[str, Any] = {"parquet": parquet.ParquetWriter, "csv": csv.CSVWriter}
    total, writer = 0, None
    with where.filesystem.open_output_stream(where.path) as stream:
        for table in tables:
            writer = writer or writers[kind](stream, table.schema)
            writer.write_table(table.cast(writer.schema) if kind == "parquet" else table)
            total += table.num_rows
        if writer is not None:
            writer.close()
    return total


def with_answers(table: pa.Table, said: Answer, version: str, task: str) -> pa.Table:
    """The rows with the model's answers beside them; an input's column of such a name gives way."""
    import pyarrow as pa

    # A number stays one of floating point, whole or not: all batches of all files must have one type.
    values = [plain(value) for value in said.values] if task in CLASSIFICATION else said.values.tolist()
    added: dict[str, Any] = {PREDICTION: values}
    if said.scores is not None:
        added[SCORE] = said.scores.tolist()
    added[MODEL_VERSION] = [version] * table.num_rows
    table = table.drop_columns([name for name in added if name in table.column_names])
    for name, values in added.items():
        table = table.append_column(name, pa.array(values))
    return table


def projected(table: pa.Table, dataset: Section) -> pa.Table:
    """Only the columns that the output declares, where it declares some, in its types."""
    declared = list(section(dataset, "schema"))
    return typed(table, dataset).select(declared) if declared else table


def read_marker(target: Place, piece: Piece) -> dict[str, str] | None:
    """What is remembered of a piece; None where nothing is."""
    try:
        with reading(_marker(target, piece)) as stream:
            found = json.loads(stream.read())
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def write_marker(target: Place, piece: Piece, mark: dict[str, str]) -> None:
    """Remember that a piece is done. Written last: without it the piece is done again, with the same name."""
    write_whole(_marker(target, piece), json.dumps(mark).encode())


def _marker(target: Place, piece: Piece) -> Place:
    return target.below(MARKERS, f"{hashlib.sha256(piece.name.encode()).hexdigest()[:32]}.json")


def _mark(piece: Piece, version: str) -> dict[str, str]:
    return {"name": piece.name, "state": piece.state, "version": version}
