"""Which rows a model learns from, and which it is judged by."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.training_data import TrainingData, training_data

TASK = "binary-classification"


def read(folder: Path, events: pd.DataFrame, labels: pd.DataFrame, split: Any = None, **label: Any) -> TrainingData:
    """Training data of two datasets."""
    data: dict[str, Any] = {"events": {"timestamp": "at"}, "labels": {"label": "fraud", **label}}
    for name, frame in (("events", events), ("labels", labels)):
        (folder / name).mkdir(exist_ok=True)
        frame.to_parquet(folder / name / "a.parquet")
        data[name] |= {"uri": f"file://{folder}/{name}", "format": "parquet"}
    pipeline: dict[str, Any] = {"data": data, "split": split or {"fraction": 0.2, "by": "random", "seed": 0}}
    return training_data({"pipeline": pipeline}, ("events", "labels"), TASK)


def events(count: int = 100) -> pd.DataFrame:
    """One event a day until now."""
    ages = pd.to_timedelta(np.arange(count)[::-1] + 0.5, unit="D")
    return pd.DataFrame({"id": np.arange(count), "amount": 1.5, "at": pd.Timestamp.now(tz="UTC") - ages})


def labels(count: int = 100) -> pd.DataFrame:
    """Every second event was fraud."""
    return pd.DataFrame({"id": np.arange(count), "fraud": np.arange(count) % 2})


def test_rows_whose_labels_are_not_all_there_are_left_out(tmp_path: Path) -> None:
    """The labels of a young row that came early are not those of all young rows."""
    found = read(tmp_path, events(), labels(), delaySeconds=45 * 86400)

    newest = max(found.train["__time"].max(), found.held_out["__time"].max())
    assert len(found.train) + len(found.held_out) == 55
    assert newest <= datetime.now(UTC) - timedelta(days=45)


def test_a_split_by_time_orders_instants_and_not_texts(tmp_path: Path) -> None:
    """With offsets, the text that sorts last is not the newest."""
    texts = events()
    stamps = [
        one.tz_convert("Asia/Tokyo" if place % 2 else "America/New_York") for place, one in enumerate(texts["at"])
    ]
    texts["at"] = [one.isoformat() for one in stamps]

    found = read(tmp_path, texts, labels(), {"fraction": 0.2, "by": "time"})

    assert len(found.held_out) == 20
    assert found.train["__time"].max() < found.held_out["__time"].min()


def test_rows_that_would_count_several_times_are_refused(tmp_path: Path) -> None:
    twice = pd.concat([events(), events()], ignore_index=True)
    assert len(read(tmp_path, twice, labels()).train) == 160

    with pytest.raises(Refusal, match="counted several times"):
        read(tmp_path, twice, pd.concat([labels(), labels()]))


def test_keys_of_different_kinds_are_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot be joined by id"):
        read(tmp_path, events(), labels().assign(id=[f"e{one}" for one in range(100)]))


def test_a_split_that_leaves_one_class_to_learn_from_is_refused(tmp_path: Path) -> None:
    """All frauds are among the newest rows."""
    late = labels().assign(fraud=(np.arange(100) >= 85).astype(int))

    with pytest.raises(Refusal, match="one value of 'fraud' only"):
        read(tmp_path, events(), late, {"fraction": 0.2, "by": "time"})
