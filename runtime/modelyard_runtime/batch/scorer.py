"""The actor that loads the model once and then scores files, or parts of large files."""

from __future__ import annotations

import io
import json
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard_runtime.batch.files import Part, Piece
from modelyard_runtime.batch.reader import read
from modelyard_runtime.batch.state import Mark, packed_marks, part_place, publish, unpacked_marks, work_of
from modelyard_runtime.batch.unfit import Unfit, answers_of_model, content_of
from modelyard_runtime.bundles.bundle import MODEL
from modelyard_runtime.bundles.tar import unpacked
from modelyard_runtime.captures.capture import MODEL_VERSION, PREDICTION, SCORE
from modelyard_runtime.models.answers import CLASSIFICATION, Answer, answer, plain
from modelyard_runtime.models.checker import Checker, FrameRows
from modelyard_runtime.models.loading import load
from modelyard_runtime.registry import client as registry
from modelyard_runtime.storage.datasets import dataset_place, frame_of, typed
from modelyard_runtime.storage.filesystem import Place, make_folder, move, remove
from modelyard_runtime.workload.records import Dataset, PipelineWorkload

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

_ROWS = 1 << 14
"""The minimum number of rows that are read, checked and written at a time. The spec sets the model's batch size."""


_BATCH = 8192  # rows, unless the spec sets another number


@dataclass(frozen=True, slots=True)
class ModelHandle:
    """The model version used by all workers. Bundles are passed by reference so that workers needn't fetch them."""

    version: registry.Version
    bundle: Any = None  # a reference to the packed bundle

    def load(self, workload: PipelineWorkload) -> registry.Model:
        """Load the model on a worker."""
        if self.bundle is None:
            registry.connect(workload)
            return load(workload, workload.pipeline.trained_model, self.version)
        import ray

        # Keep the files on the worker's disk, because a model may read them again when it predicts.
        folder = unpacked(io.BytesIO(ray.get(self.bundle)), Path(tempfile.mkdtemp(prefix="bundle-")))
        return registry.load(str(folder / MODEL))


@dataclass(frozen=True, slots=True)
class Task:
    """A file to score, or one of its parts. `before` contains the markers of its existing output."""

    piece: Piece
    part: Part
    parts: int
    before: tuple[Mark, ...]

    def packed(self) -> str:
        """Serialize the task to JSON for a worker."""
        fields = {"piece": asdict(self.piece), "part": asdict(self.part), "parts": self.parts}
        return json.dumps({**fields, "before": packed_marks(self.before)})

    @staticmethod
    def unpacked(packed: str) -> Task:
        """Parse a task from JSON."""
        fields = json.loads(packed)
        before = tuple(unpacked_marks(fields["before"]))
        return Task(Piece(**fields["piece"]), Part(**fields["part"]), int(fields["parts"]), before)


class Scorer:
    """A worker in the actor pool."""

    def __init__(self, workload: PipelineWorkload, output: str, model_handle: ModelHandle) -> None:
        pipeline = workload.pipeline
        self._workload = workload
        self._data = pipeline.data
        self._output = self._data[output]
        self._target = dataset_place(workload, self._output)
        self._task = pipeline.trained_model.task
        self._size = pipeline.batch_size or _BATCH
        self._rows = self._size * max(_ROWS // self._size, 1)
        self._model = model_handle.load(workload)
        self._checker = Checker(self._model.columns())
        self._version = model_handle.version.version

    def __call__(self, batch: Mapping[str, Any]) -> dict[str, Any]:
        """Score a batch of tasks, reporting unusable files while still scoring the others."""
        tasks = [Task.unpacked(str(packed)) for packed in batch["task"]]
        results = [self._tried(task) for task in tasks]
        return {
            key: [result[key] for result in results] for key in ("name", "number", "rows", "path", "reason", "by_model")
        }

    def _tried(self, task: Task) -> dict[str, Any]:
        result = {"name": task.piece.name, "number": task.part.number, "rows": 0, "path": ""}
        try:
            rows, path = self._score(task)
        except Unfit as problem:
            return {**result, "reason": str(problem), "by_model": problem.by_model}
        return {**result, "rows": rows, "path": path, "reason": "", "by_model": False}

    def _score(self, task: Task) -> tuple[int, str]:
        """Score one task. Returns the number of rows, and the path of the scored part if the file has several parts."""
        piece, is_whole = task.piece, task.parts == 1
        output = self._target.below(piece.name) if is_whole else self._waiting(task, 0)
        folder = output.folder()
        make_folder(folder)
        # Unique to this attempt, because another run may score the same file at the same time.
        staged = folder.below(f"_{uuid.uuid4().hex}-staged")
        try:
            rows = write_all(staged, self._output.format, self._scored(task))
            if is_whole:
                publish(self._target, piece, [staged] if rows else [], rows, self._version, list(task.before))
            elif rows:
                waiting = self._waiting(task, rows)
                move(staged, waiting)
                return rows, waiting.path
            return rows, ""
        finally:
            remove(staged)

    def _waiting(self, task: Task, rows: int) -> Place:
        work = work_of(self._workload, task.piece, self._version, task.parts)
        return part_place(self._target, task.piece, work, task.part.number, rows)

    def _scored(self, task: Task) -> Iterator[pa.Table]:
        dataset = self._data[task.piece.dataset]
        where, now = dataset_place(self._workload, dataset).at(task.piece.path), datetime.now(UTC)
        for table in read(self._workload, dataset, task.piece, task.part, self._rows):
            yield self._with_predictions(table, task.piece, where, now)

    def _with_predictions(self, table: pa.Table, piece: Piece, where: Place, now: datetime) -> pa.Table:
        with answers_of_model():
            with content_of(where, "rows of the model"):
                rows = self._checker.frame(FrameRows(frame_of(table)))
            answers = self._predict(rows)
        with content_of(where, "rows of the output"):
            table = with_time(with_answers(table, answers, self._version, self._task), self._output.timestamp, now)
            output = projected(table, self._output)
        in_path = {part.partition("=")[0] for part in piece.name.split("/")[:-1] if "=" in part}
        return output.drop_columns([name for name in output.column_names if name in in_path])  # already in the path

    def _predict(self, rows: pd.DataFrame) -> Answer:
        """Predict in batches no larger than the batch size in the spec."""
        if len(rows) <= self._size:
            return answer(self._model, self._task, rows)
        starts = range(0, len(rows), self._size)
        parts = (rows.iloc[start : start + self._size].reset_index(drop=True) for start in starts)
        return together([answer(self._model, self._task, part) for part in parts])


def together(answers: list[Answer]) -> Answer:
    """Concatenate predictions."""
    import numpy as np

    scores = [part.scores for part in answers if part.scores is not None]
    if scores and len(scores) < len(answers):
        raise Unfit("the model returns probabilities for only some of its rows", by_model=True)
    values = np.concatenate([part.values for part in answers])
    return Answer(values, np.concatenate(scores) if scores else None, answers[0].classes)


def write_all(where: Place, kind: str, tables: Iterator[pa.Table]) -> int:
    """Write tables to a single file and return the number of rows, refusing a file without any."""
    import pyarrow as pa

    total, writer = 0, None
    with where.filesystem.open_output_stream(where.path) as stream:
        for table in tables:
            try:
                writer = writer or _writer(stream, kind, table.schema)
                writer.write_table(table.cast(writer.schema) if kind == "parquet" else table)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as problem:
                raise Unfit(f"its scores cannot be written as {kind}: {problem}") from None
            total += table.num_rows
        if writer is not None:
            writer.close()
    return total


def _writer(stream: Any, kind: str, schema: pa.Schema) -> Any:
    import pyarrow as pa
    import pyarrow.csv as csv
    import pyarrow.parquet as parquet

    if kind != "parquet":
        return csv.CSVWriter(stream, schema)
    # Floating-point numbers rarely repeat. Building a dictionary takes six times as long as writing them.
    repeating = [field.name for field in schema if not pa.types.is_floating(field.type)]
    return parquet.ParquetWriter(stream, schema, use_dictionary=repeating)


def with_answers(table: pa.Table, answers: Answer, version: str, task: str) -> pa.Table:
    """Add the model's predictions as columns, replacing input columns of the same name."""
    import pyarrow as pa

    # Integral numbers stay floating-point, because all batches of all files must have the same type.
    added: dict[str, Any] = {
        PREDICTION: _classes(answers.values) if task in CLASSIFICATION else _column(answers.values)
    }
    if answers.scores is not None:
        added[SCORE] = _column(answers.scores)
    added[MODEL_VERSION] = pa.repeat(pa.scalar(version), table.num_rows)
    table = table.drop_columns([name for name in added if name in table.column_names])
    for name, values in added.items():
        table = table.append_column(name, values)
    return table


def with_time(table: pa.Table, timestamp: str, now: datetime) -> pa.Table:
    """Add the output's timestamp column with the time of scoring, unless the input already has that column."""
    import pyarrow as pa

    if not timestamp or timestamp in table.column_names:
        return table
    scored_at = pa.scalar(now, pa.timestamp("us", tz="UTC"))
    return table.append_column(timestamp, pa.repeat(scored_at, table.num_rows))


def _classes(values: npt.NDArray[Any]) -> pa.Array:
    """Convert classes like `plain` does: booleans to numbers, and integral floats to integers."""
    import numpy as np
    import pyarrow as pa

    if values.ndim == 1 and values.dtype.kind in "biu":
        return pa.array(values.astype(np.int64))
    if values.ndim == 1 and values.dtype.kind == "f":
        is_integral = bool((np.isfinite(values) & (values == np.floor(values)) & (np.abs(values) < 2**53)).all())
        return pa.array(values.astype(np.int64 if is_integral else np.float64))
    return pa.array([plain(value) for value in values])


def _column(values: npt.NDArray[np.generic]) -> pa.Array:
    import pyarrow as pa

    if values.ndim == 1 and values.dtype.kind in "iuf":
        return pa.array(values)
    return pa.array(values.tolist())


def projected(table: pa.Table, dataset: Dataset) -> pa.Table:
    """Select the declared output columns and convert their types, or return the table as is if none are declared."""
    declared = list(dataset.schema)
    return typed(table, dataset).select(declared) if declared else table
