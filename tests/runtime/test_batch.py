"""What scoring writes: every file once, of one type, also where some are empty."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from modelyard_runtime.answers import Answer
from modelyard_runtime.batch import Handed, Piece, Scorer, pieces, read_marker, with_answers
from modelyard_runtime.datasets import dataset_place
from modelyard_runtime.registry import Version


class Model:
    """Answers the half of `amount`."""

    def columns(self) -> tuple[Any, ...]:
        return ()

    def predict(self, rows: pd.DataFrame) -> Any:
        return (rows["amount"] / 2).to_numpy()


class Given(Handed):
    """A model that is at hand."""

    def load(self, workload: Any) -> Any:
        return Model()


@pytest.fixture
def workload(tmp_path: Path) -> dict[str, Any]:
    """A regression over files of `rows`, one of which is empty."""
    folder = tmp_path / "rows"
    folder.mkdir()
    for name, amounts in (("a", [2.0, 4.0]), ("b", [3.0]), ("c", [])):
        pd.DataFrame({"amount": np.array(amounts, dtype=float)}).to_parquet(folder / f"{name}.parquet")
    data = {name: {"uri": f"file://{tmp_path}/{name}", "format": "parquet"} for name in ("rows", "scores")}
    return {"pipeline": {"model": {"task": "regression"}, "data": data, "output": "scores", "batchSize": 1}}


def scored(workload: dict[str, Any]) -> list[Piece]:
    """All files are scored in this process."""
    scorer = Scorer(workload, "scores", Given(Version("m", "1", "", {}, "")))
    found = list(pieces(workload, ("rows",)))
    columns = {key: [getattr(one, key) for one in found] for key in ("dataset", "path", "state", "name")}
    scorer(columns)
    return found


def test_numbers_are_of_one_type_whole_or_not(workload: dict[str, Any], tmp_path: Path) -> None:
    """The first file has whole answers only, and each batch of it; a reader of both finds one type."""
    scored(workload)

    kinds = {parquet.read_schema(one).field("prediction").type for one in (tmp_path / "scores").glob("*.parquet")}
    assert kinds == {pa.float64()}
    assert sorted(pd.read_parquet(tmp_path / "scores")["prediction"]) == [1.0, 1.5, 2.0]


def test_an_empty_file_is_done_and_leaves_nothing(workload: dict[str, Any], tmp_path: Path) -> None:
    """It is not scored again, and what it had before it was emptied is gone."""
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "c.parquet.scored.parquet").write_text("from before")
    found = scored(workload)
    target = dataset_place(workload, workload["pipeline"]["data"]["scores"])

    assert all(read_marker(target, one) is not None for one in found)
    assert sorted(one.name for one in (tmp_path / "scores").glob("*.parquet")) == [
        "a.parquet.scored.parquet",
        "b.parquet.scored.parquet",
    ]


def test_classes_stay_whole_numbers() -> None:
    table = with_answers(pa.table({"a": [1]}), Answer(np.array([1.0])), "7", "binary-classification")

    assert table.column("prediction").type == pa.int64()
