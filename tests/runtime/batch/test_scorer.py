"""Tests that scoring writes every file once, with consistent column types even if some inputs are empty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from modelyard_runtime.batch.files import WHOLE, Piece, pieces
from modelyard_runtime.batch.scorer import ModelHandle, Scorer, Task, together, with_answers
from modelyard_runtime.batch.state import Known
from modelyard_runtime.batch.unfit import Unfit
from modelyard_runtime.models.answers import Answer
from modelyard_runtime.registry.client import Version
from modelyard_runtime.storage.datasets import dataset_place
from modelyard_runtime.workload.records import Dataset, PipelineWorkload, Workload
from tests.runtime.described import record


class Model:
    """Predicts half of `amount`."""

    def columns(self) -> tuple[Any, ...]:
        return ()

    def predict(self, rows: pd.DataFrame) -> Any:
        return (rows["amount"] / 2).to_numpy()


class UnregisteredModel(ModelHandle):
    """A handle that returns this model without needing a registry."""

    def load(self, workload: Any) -> Any:
        return Model()


@pytest.fixture
def workload(tmp_path: Path) -> dict[str, Any]:
    """Describe a batch inference workload for a regression model and the files in `rows`, one of them empty."""
    folder = tmp_path / "rows"
    folder.mkdir()
    for name, amounts in (("a", [2.0, 4.0]), ("b", [3.0]), ("c", [])):
        pd.DataFrame({"amount": np.array(amounts, dtype=float)}).to_parquet(folder / f"{name}.parquet")
    data = {name: {"uri": f"file://{tmp_path}/{name}", "format": "parquet"} for name in ("rows", "scores")}
    return {"pipeline": {"model": {"task": "regression"}, "data": data, "output": "scores", "batchSize": 1}}


def scored(workload: dict[str, Any]) -> list[Piece]:
    """Score all input files in this process."""
    scorer = Scorer(record(PipelineWorkload, workload), "scores", UnregisteredModel(Version("m", "1", "", {}, "")))
    file_pieces = list(pieces(record(PipelineWorkload, workload), ("rows",)))
    scorer({"task": [Task(piece, WHOLE, 1, ()).packed() for piece in file_pieces]})
    return file_pieces


def test_all_files_have_the_same_number_type(workload: dict[str, Any], tmp_path: Path) -> None:
    """Both files are written with the same type, even though all predictions for the first are integers."""
    scored(workload)

    kinds = {parquet.read_schema(path).field("prediction").type for path in (tmp_path / "scores").glob("*.parquet")}
    assert kinds == {pa.float64()}
    assert sorted(pd.read_parquet(tmp_path / "scores")["prediction"]) == [1.0, 1.5, 2.0]


def test_empty_file_is_marked_as_done_without_scores(workload: dict[str, Any], tmp_path: Path) -> None:
    """A file that became empty isn't scored again, and its old scores are deleted."""
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "c.parquet.scored.parquet").write_text("from before")
    file_pieces = scored(workload)
    known = Known(dataset_place(record(Workload, workload), record(Dataset, workload["pipeline"]["data"]["scores"])))

    assert [known.mark(entry).state for entry in file_pieces] == [entry.state for entry in file_pieces]  # type: ignore[union-attr]
    assert sorted(entry.name for entry in (tmp_path / "scores").glob("*.parquet")) == [
        "a.parquet.scored.parquet",
        "b.parquet.scored.parquet",
    ]


@pytest.mark.parametrize("has_time", [False, True])
def test_rows_have_the_timestamp_of_the_output(has_time: bool, workload: dict[str, Any], tmp_path: Path) -> None:
    """A missing timestamp column is filled with the scoring time so that monitors can select a window."""
    then, began = pd.Timestamp("2026-01-02T03:04:05Z"), pd.Timestamp.now("UTC")
    if has_time:
        for path in (tmp_path / "rows").glob("*.parquet"):
            pd.read_parquet(path).assign(at=then).to_parquet(path)
    workload["pipeline"]["data"]["scores"]["timestamp"] = "at"
    scored(workload)

    stamps = pd.read_parquet(tmp_path / "scores")["at"]
    assert len(stamps) == 3
    assert (stamps == then).all() if has_time else stamps.between(began, pd.Timestamp.now("UTC")).all()


def test_classes_stay_whole_numbers() -> None:
    table = with_answers(pa.table({"a": [1]}), Answer(np.array([1.0])), "7", "binary-classification")

    assert table.column("prediction").type == pa.int64()


def test_results_do_not_depend_on_the_number_of_calls() -> None:
    """A model must return probabilities either for all batches of a file or for none of them."""
    first, second = Answer(np.array([0]), np.array([0.2]), (0, 1)), Answer(np.array([1]), np.array([0.7]), (0, 1))
    combined = together([first, second])

    assert combined.scores is not None
    assert (combined.values.tolist(), combined.scores.tolist(), combined.classes) == ([0, 1], [0.2, 0.7], (0, 1))
    with pytest.raises(Unfit, match="for only some of its rows"):
        together([first, Answer(np.array([1]))])
