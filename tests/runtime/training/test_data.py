"""Tests that training data is read and split into training and held-out rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.training.data import TrainingData, training_data
from modelyard_runtime.workload.records import PipelineWorkload
from tests.runtime.described import record

TASK = "binary-classification"


def read(folder: Path, events: pd.DataFrame, labels: pd.DataFrame, split: Any = None, **label: Any) -> TrainingData:
    """Return training data joined from an events dataset and a labels dataset."""
    data: dict[str, Any] = {"events": {"timestamp": "at"}, "labels": {"label": "fraud", **label}}
    for name, frame in (("events", events), ("labels", labels)):
        (folder / name).mkdir(exist_ok=True)
        frame.to_parquet(folder / name / "a.parquet")
        data[name] |= {"uri": f"file://{folder}/{name}", "format": "parquet"}
    pipeline: dict[str, Any] = {"data": data, "split": split or {"fraction": 0.2, "by": "random", "seed": 0}}
    return training_data(record(PipelineWorkload, {"pipeline": pipeline}), ("events", "labels"), TASK)


def events(count: int = 100) -> pd.DataFrame:
    """Generate one event per day up to today."""
    ages = pd.to_timedelta(np.arange(count)[::-1] + 0.5, unit="D")
    return pd.DataFrame({"id": np.arange(count), "amount": 1.5, "at": pd.Timestamp.now(tz="UTC") - ages})


def labels(count: int = 100) -> pd.DataFrame:
    """Label every second event as fraud."""
    return pd.DataFrame({"id": np.arange(count), "fraud": np.arange(count) % 2})


def test_rows_with_pending_labels_are_excluded(tmp_path: Path) -> None:
    """Rows with pending labels are excluded, because early labels are a biased sample."""
    data = read(tmp_path, events(), labels(), delaySeconds=45 * 86400)

    newest = max(data.train["__time"].max(), data.held_out["__time"].max())
    assert len(data.train) + len(data.held_out) == 55
    assert newest <= datetime.now(UTC) - timedelta(days=45)


def test_time_split_orders_by_instant(tmp_path: Path) -> None:
    """Times with UTC offsets are compared as instants, since their string order may differ."""
    texts = events()
    stamps = [
        stamp.tz_convert("Asia/Tokyo" if place % 2 else "America/New_York") for place, stamp in enumerate(texts["at"])
    ]
    texts["at"] = [stamp.isoformat() for stamp in stamps]

    data = read(tmp_path, texts, labels(), {"fraction": 0.2, "by": "time"})

    assert len(data.held_out) == 20
    assert data.train["__time"].max() < data.held_out["__time"].min()


def test_duplicate_labels_are_refused(tmp_path: Path) -> None:
    twice = pd.concat([events(), events()], ignore_index=True)
    assert len(read(tmp_path, twice, labels()).train) == 160

    with pytest.raises(Refusal, match="counted several times"):
        read(tmp_path, twice, pd.concat([labels(), labels()]))


def test_keys_of_different_types_are_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(Refusal, match="cannot be joined by id"):
        read(tmp_path, events(), labels().assign(id=[f"e{number}" for number in range(100)]))


def test_split_with_a_single_training_class_is_refused(tmp_path: Path) -> None:
    """A time split is rejected if training would see a single class, e.g. with all fraud in the newest rows."""
    late = labels().assign(fraud=(np.arange(100) >= 85).astype(int))

    with pytest.raises(Refusal, match="only one value of 'fraud'"):
        read(tmp_path, events(), late, {"fraction": 0.2, "by": "time"})


def sides(folder: Path, count: int, seed: int = 0) -> tuple[set[int], set[int]]:
    """Shuffle and split `count` events, and return the IDs of the training and held-out rows."""
    at = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(np.arange(count), unit="min")
    shuffled = events(count).assign(amount=np.arange(count) * 1.5, at=at).sample(frac=1, random_state=count)
    data = read(folder, shuffled, labels(count), {"fraction": 0.2, "by": "random", "seed": seed})
    return set(data.train["amount"]), set(data.held_out["amount"])


def test_rows_stay_on_their_side_when_the_data_grow(tmp_path: Path) -> None:
    """As the data grows, hardly any training rows become held-out rows, so champions are compared on unseen rows."""
    learned, judged = sides(tmp_path, 2000)

    _, later = sides(tmp_path, 3000)

    assert len(judged) == 400
    assert len(later) == 600
    assert len(learned & later) < 40
    assert sides(tmp_path, 2000, seed=1)[1] != judged


def test_queries_stay_on_their_side_when_the_data_grow(tmp_path: Path) -> None:
    splits = []
    for count in (1000, 1500):
        rows = pd.DataFrame({"query": np.repeat(np.arange(count // 5), 5), "rank": 1.5, "good": np.arange(count) % 2})
        rows.sample(frac=1, random_state=count).to_parquet(tmp_path / "a.parquet")
        data = {"uri": f"file://{tmp_path}", "format": "parquet", "group": "query", "label": "good"}
        pipeline: dict[str, Any] = {
            "data": {"rows": {**data, "features": ["query"]}},
            "split": {"fraction": 0.2, "by": "random"},
        }
        result = training_data(record(PipelineWorkload, {"pipeline": pipeline}), ("rows",), "ranking")
        splits.append((set(result.train["query"]), set(result.held_out["query"])))

    assert len(splits[0][1]) == 40
    assert len(splits[0][0] & splits[1][1]) < 10
    assert not splits[1][0] & splits[1][1]


def test_missing_keys_do_not_match(tmp_path: Path) -> None:
    """Events without an ID get no label, even if there is a label without an ID."""
    nameless = events().assign(id=np.where(np.arange(100) < 5, np.nan, np.arange(100)))
    truth = labels().assign(id=np.where(np.arange(100) == 7, np.nan, np.arange(100)))

    data = read(tmp_path, nameless, truth)

    assert len(data.train) + len(data.held_out) == 94


def test_rows_without_a_time_are_excluded_from_a_time_split(tmp_path: Path) -> None:
    """Rows without a time are excluded from a time split, because they could be new or old."""
    late = events()
    late.loc[:9, "at"] = pd.NaT

    data = read(tmp_path, late, labels(), {"fraction": 0.2, "by": "time"})

    assert len(data.train) + len(data.held_out) == 90


@pytest.mark.parametrize(
    ("value", "message"), [("n/a", "contains 'n/a'"), (np.inf, "contains values that are not finite")]
)
def test_error_shows_the_label_that_is_not_a_number(tmp_path: Path, value: Any, message: str) -> None:
    truth = [value if at == 3 else type(value)(at) for at in range(50)]
    pd.DataFrame({"size": np.arange(50.0), "price": truth}).to_parquet(tmp_path / "a.parquet")
    data = {"flats": {"uri": f"file://{tmp_path}", "format": "parquet", "label": "price"}}
    pipeline: dict[str, Any] = {"data": data, "split": {"fraction": 0.2, "by": "random"}}

    with pytest.raises(Refusal, match=f"regression needs numbers, but the label 'price' {message}"):
        training_data(record(PipelineWorkload, {"pipeline": pipeline}), ("flats",), "regression")


def test_infinity_counts_as_missing(tmp_path: Path) -> None:
    """Infinity is treated as missing in training, as it is in monitors."""
    data = read(tmp_path, events().assign(amount=np.where(np.arange(100) < 3, np.inf, 1.5)), labels())

    assert int(pd.concat([data.train, data.held_out])["amount"].isna().sum()) == 3
