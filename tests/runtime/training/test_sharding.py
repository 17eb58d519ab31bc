"""Tests that sharded data is split like unsharded data, with each row on exactly one worker."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from modelyard_runtime.training.data import TrainingData, training_data
from modelyard_runtime.training.sharding import Shards, read_in_shards, reason_to_read_whole
from modelyard_runtime.training.splits import KEY, TIME
from modelyard_runtime.training.together import parts_of, train_together
from modelyard_runtime.training.trainers import grow, prepared
from modelyard_runtime.workload.records import PipelineWorkload, Step
from tests.runtime.described import record

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")  # Ray warns about its own default settings

TASK = "binary-classification"
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
WORKER: dict[str, Any] = {"num_cpus": 1, "num_gpus": 0, "resources": {}}
BY: dict[str, dict[str, Any]] = {
    "random": {"fraction": 0.2, "by": "random", "seed": 3},
    "time": {"fraction": 0.2, "by": "time", "seed": 0},
    "key": {"fraction": 0.2, "by": "random", "seed": 0, "key": ["ward"]},
}


def cells() -> pd.DataFrame:
    """Return real rows sorted by label, with many distinct wards, timestamps, patient IDs and missing labels."""
    frame = load_breast_cancer(as_frame=True).frame.rename(columns=lambda name: str(name).replace(" ", "_"))
    frame = frame.sort_values("target", ignore_index=True)
    random = np.random.default_rng(0)
    frame["ward"] = random.choice([f"w{at}" for at in range(130)], len(frame), p=np.arange(1, 131) / (65 * 131))
    frame.loc[::50, "ward"] = None
    frame["at"] = pd.Timestamp("2026-01-01", tz="UTC") + pd.to_timedelta(random.permutation(len(frame)), unit="h")
    frame["patient"] = np.arange(len(frame))
    frame["target"] = frame["target"].astype("float64").where(frame.index % 97 != 0).astype("Int64")
    return pd.concat([frame, frame[-20:]], ignore_index=True)  # some rows are duplicated


def workload(folder: Path, by: str, kind: str = "parquet") -> dict[str, Any]:
    """Describe a training run whose data spans several files, the last of which has no labels yet."""
    (folder / "cells").mkdir(exist_ok=True)
    unlabelled = cells()[:30].assign(at=pd.Timestamp("2026-06-01", tz="UTC"))
    for at, rows in enumerate([*(cells().iloc[part] for part in np.array_split(np.arange(589), 5)), unlabelled]):
        path = folder / "cells" / f"{at}.{kind}"
        if kind == "parquet":
            rows.to_parquet(path, index=False)
        else:
            rows.to_csv(path, index=False)
    features = [name for name in cells().columns if name not in {"target", "at", "patient"}]
    dataset = {"uri": f"file://{folder}/cells", "format": kind, "label": "target", "timestamp": "at"}
    data = {"cells": {**dataset, "features": features, "delaySeconds": 86400}}
    return {"type": "training", "pipeline": {"data": data, "split": BY[by], "model": {"task": TASK}}}


def step(trainer: str) -> dict[str, Any]:
    """Describe a training step with two workers."""
    return {"trainer": trainer, "inputs": ["cells"], "workers": {"min": 2, "max": 2}, "retries": 0}


def shares(shards: Shards) -> list[pd.DataFrame]:
    """Return the rows of each shard."""
    return [shard.to_pandas() for shard in shards.parts]


def alike(first: pd.DataFrame, second: pd.DataFrame) -> bool:
    """Assert that two frames have equal rows in the same order, regardless of column order."""
    pd.testing.assert_frame_equal(first[sorted(first)], second[sorted(second)], check_dtype=False)
    return True


@pytest.mark.usefixtures("ray_here")
def test_shards_together_equal_the_unsharded_data(tmp_path: Path) -> None:
    """Held-out rows, row marks, preprocessing and classes match those of the unsharded dataset."""
    for by, kind in (("random", "parquet"), ("time", "csv"), ("key", "parquet")):
        folder = tmp_path / by
        folder.mkdir()
        described = workload(folder, by, kind)
        unsharded = training_data(record(PipelineWorkload, described), ("cells",), TASK, NOW)

        shards = read_in_shards(
            record(PipelineWorkload, described), record(Step, step("lightgbm")), TASK, 16, WORKER, NOW
        )

        data = shards.data
        assert alike(data.held_out, unsharded.held_out)
        assert (data.features, data.label, data.classes) == (unsharded.features, unsharded.label, unsharded.classes)
        assert shards.counts == unsharded.train["target"].map(int).value_counts().to_dict()
        assert data.seen is not None
        assert unsharded.seen is not None
        assert data.seen.table().equals(unsharded.seen.table(), check_metadata=True)
        assert alike(data.train[list(unsharded.train)], unsharded.train)  # fewer rows than the limit of the sample
        _each_row_once(shards, unsharded)
        _prepared_alike(shards, unsharded)


def _each_row_once(shards: Shards, whole: TrainingData) -> None:
    parts = shares(shards)
    assert len(parts) == 16
    sizes = [len(part) for part in parts]
    assert max(sizes) - min(sizes) <= 1
    assert all(0 < part["target"].astype(float).mean() < 1 for part in parts)  # the files are sorted by label
    columns = [*whole.features, "target"]
    actual, expected = (
        rows[columns].astype(object).sort_values(columns[:4], ignore_index=True)
        for rows in (pd.concat(parts), whole.train)
    )
    assert alike(actual, expected)
    assert not {KEY, TIME, "patient"} & set(parts[0])


def _prepared_alike(shards: Shards, whole: TrainingData) -> None:
    """Assert that preprocessing gives equal results, even for strings too rare to get a column of their own."""
    before, ready = prepared("lightgbm", None, whole)
    rows = whole.train[list(whole.features)]
    assert list(shards.before.get_feature_names_out()) == list(before.get_feature_names_out())
    assert np.array_equal(shards.before.transform(rows), ready, equal_nan=True)


@pytest.mark.usefixtures("ray_here")
def test_two_workers_train_the_same_model_as_one(tmp_path: Path) -> None:
    from sklearn.metrics import roc_auc_score

    described = workload(tmp_path, "random")
    unsharded = training_data(record(PipelineWorkload, described), ("cells",), TASK, NOW)
    held_out, truth = unsharded.held_out[list(unsharded.features)], unsharded.truth(unsharded.held_out)
    parameters: dict[str, Any] = {"n_estimators": 20}
    for trainer in ("xgboost", "lightgbm"):
        shards = read_in_shards(
            record(PipelineWorkload, described),
            record(Step, step(trainer)),
            TASK,
            parts_of(record(Step, step(trainer))),
            WORKER,
            NOW,
        )

        together = train_together(record(Step, step(trainer)), TASK, parameters, shards, WORKER)

        *_, alone = grow(trainer, TASK, parameters, unsharded)
        assert [name for name, _ in together.steps] == ["columns", "model"]
        assert type(together[-1]) is type(alone[-1])
        quality = [roc_auc_score(truth, model.predict_proba(held_out)[:, 1]) for model in (together, alone)]
        assert quality[0] == pytest.approx(quality[1], abs=0.02)
        assert quality[0] > 0.97


def test_unsharded_data_are_reported(tmp_path: Path) -> None:
    described = workload(tmp_path, "random")
    data = described["pipeline"]["data"]

    assert reason_to_read_whole(record(PipelineWorkload, described), record(Step, step("xgboost")), TASK) == ""
    assert "scales each row" in reason_to_read_whole(
        record(PipelineWorkload, described), record(Step, step("pytorch")), TASK
    )
    assert "queries" in reason_to_read_whole(
        record(PipelineWorkload, described), record(Step, step("xgboost")), "ranking"
    )
    assert "2 inputs are joined" in reason_to_read_whole(
        record(PipelineWorkload, described), record(Step, {**step("xgboost"), "inputs": ["cells", "wards"]}), TASK
    )
    data["cells"]["schema"] = {"patient": "string"}
    assert reason_to_read_whole(record(PipelineWorkload, described), record(Step, step("xgboost")), TASK) == ""
    data["cells"]["group"] = "ward"
    reason = reason_to_read_whole(record(PipelineWorkload, described), record(Step, step("xgboost")), TASK)
    assert "rows of a group" in reason
    del data["cells"]["group"]
    cells().assign(old=True).to_parquet(tmp_path / "cells" / "0.parquet", index=False)
    assert "'old' is of type bool" in reason_to_read_whole(
        record(PipelineWorkload, described), record(Step, step("xgboost")), TASK
    )
