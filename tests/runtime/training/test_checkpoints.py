"""Tests that training resumed from a checkpoint gives the same model and leaves no files behind."""

from __future__ import annotations

import os
import pickle
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import UnsupportedOperation
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import fs

from modelyard_runtime.storage.filesystem import place
from modelyard_runtime.training import boosting, histograms
from modelyard_runtime.training.boosting import grow_lightgbm, grow_xgboost, parameters_of
from modelyard_runtime.training.checkpoints import Checkpoints
from modelyard_runtime.training.histograms import grow_histograms, read_histograms
from modelyard_runtime.training.shares import RUNGS, Progress
from modelyard_runtime.training.together import goes_on, run_storage
from modelyard_runtime.training.trainers import estimator
from modelyard_runtime.workload.description import Json, digest
from modelyard_runtime.workload.records import PipelineWorkload, Step, Workload
from tests.narrowing import present
from tests.runtime.described import record
from tests.runtime.object_store import BUCKET, ObjectStore

TASK = "binary-classification"
ROUNDS = 60
DRAWN: dict[str, dict[str, Any]] = {
    "xgboost": {"n_estimators": ROUNDS, "subsample": 0.5, "colsample_bytree": 0.5},
    "lightgbm": {"n_estimators": ROUNDS, "subsample": 0.5, "subsample_freq": 1, "colsample_bytree": 0.5},
    "scikit-learn": {"max_iter": ROUNDS, "max_features": 0.5},
}
WHOLE: dict[str, dict[str, Any]] = {
    "xgboost": {"n_estimators": ROUNDS},
    "lightgbm": {"n_estimators": ROUNDS},
    "scikit-learn": {"max_iter": ROUNDS},
}


class Stopped(Exception):
    """Raised at the point where a real training run would be killed."""


class Alone(Progress):
    """Progress of a training run without Ray that is aborted after a given number of parts."""

    left = RUNGS + 1
    parts_done = 0

    def moved(self, rounds: int, total: int, grown: Callable[[], bytes] | None = None) -> None:
        self.done = rounds
        self.grown = self.grown if grown is None else grown()
        Alone.parts_done += 1
        if Alone.parts_done == Alone.left:
            raise Stopped


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Any, int]]:
    """Return a function that trains on real rows in this process and returns predictions and the part count."""
    from sklearn.datasets import load_breast_cancer

    rows, target = load_breast_cancer(return_X_y=True)
    progress: list[Alone] = []
    for module in (boosting, histograms):
        monkeypatch.setattr(module, "own_rows", lambda _: [rows, target, None, None])

    def begun(cls: type[Progress], config: dict[str, Any]) -> Alone:
        attempt = Alone(None, 0.0, first=True)
        if config["killed"]:
            attempt.done, attempt.grown = config["killed"]
        progress.append(attempt)
        return attempt

    monkeypatch.setattr(Progress, "of", classmethod(begun))

    def grown(trainer: str, parameters: dict[str, Any], killed_after: int = 0) -> tuple[Any, int]:
        model = estimator(trainer, TASK, parameters)
        Alone.parts_done, Alone.left = 0, killed_after or RUNGS + 1
        config: dict[str, Any] = {"rounds": ROUNDS, "killed": None}
        if trainer == "scikit-learn":
            config["model"] = model
        else:
            config["parameters"] = parameters_of(trainer, TASK, model, 2, 1)
        grow = {"xgboost": grow_xgboost, "lightgbm": grow_lightgbm, "scikit-learn": grow_histograms}[trainer]
        if killed_after:
            with pytest.raises(Stopped):
                grow(config)
            config["killed"] = progress[-1].done, progress[-1].grown
            Alone.parts_done, Alone.left = 0, RUNGS + 1
        raw = present(grow(config))
        if trainer == "scikit-learn":
            restored = read_histograms(raw)
        else:
            restored = boosting.restored(
                trainer, estimator(trainer, TASK, parameters), raw, config["parameters"], (0, 1)
            )
        return restored.predict_proba(rows)[:, 1], Alone.parts_done

    return grown


@pytest.mark.parametrize("trainer", list(DRAWN))
def test_resumed_model_equals_the_uninterrupted_one(trainer: str, alone: Callable[..., tuple[Any, int]]) -> None:
    """The models are bit-identical even with sampled rows and columns, and resuming repeats no work."""
    uninterrupted, parts = alone(trainer, DRAWN[trainer])
    resumed, rest = alone(trainer, DRAWN[trainer], killed_after=7)

    assert np.array_equal(resumed, uninterrupted)
    assert (parts, rest) == (RUNGS, RUNGS - 7)


@pytest.mark.parametrize("trainer", list(WHOLE))
def test_training_in_parts_matches_the_library(trainer: str, alone: Callable[..., tuple[Any, int]]) -> None:
    from sklearn.datasets import load_breast_cancer

    rows, target = load_breast_cancer(return_X_y=True)
    bare = estimator(trainer, TASK, WHOLE[trainer]).fit(rows, target)

    predicted, _ = alone(trainer, WHOLE[trainer])

    assert np.abs(predicted - bare.predict_proba(rows)[:, 1]).max() < 1e-4


@pytest.mark.parametrize("trainer", ["xgboost", "lightgbm"])
def test_each_part_samples_different_rows(
    trainer: str, alone: Callable[..., tuple[Any, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each part of a training run uses a different seed. Otherwise, all parts would sample the same rows."""
    library: Any = __import__(trainer)
    seeds: list[Any] = []
    train = library.train

    def watched(parameters: dict[str, Any], *arguments: Any, **more: Any) -> Any:
        seeds.append(parameters.get("seed"))
        return train(parameters, *arguments, **more)

    monkeypatch.setattr(library, "train", watched)

    alone(trainer, DRAWN[trainer])

    assert len(set(seeds)) == RUNGS


def test_lightgbm_parts_use_the_random_state(
    alone: Callable[..., tuple[Any, int]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """LightGBM's parts use the random state, as seen in LightGBM's own seeds.

    Feature bins are the same in all parts of a training run.
    """
    import lightgbm

    seeds: list[dict[str, str]] = []
    train = lightgbm.train

    def watched(*arguments: Any, **more: Any) -> Any:
        booster = train(*arguments, **more)
        seeds.append(dict(re.findall(r"\[(\w+_seed): (\d+)\]", booster.model_to_string())))
        return booster

    monkeypatch.setattr(lightgbm, "train", watched)
    for state in (7, 8):
        alone("lightgbm", {**DRAWN["lightgbm"], "random_state": state})

    seven, eight = seeds[:RUNGS], seeds[RUNGS:]
    for name in ("bagging_seed", "feature_fraction_seed"):
        assert all(part[name] != other[name] for part, other in zip(seven, eight, strict=True))
    assert len({part["data_random_seed"] for part in seven}) == 1


def test_early_stopping_prevents_further_parts(alone: Callable[..., tuple[Any, int]]) -> None:
    """After an estimator has stopped early, no further part adds trees."""
    from sklearn.datasets import load_breast_cancer

    rows, target = load_breast_cancer(return_X_y=True)
    early = {"max_iter": ROUNDS, "early_stopping": True, "n_iter_no_change": 2, "learning_rate": 0.5}
    bare = estimator("scikit-learn", TASK, early).fit(rows, target)
    assert bare.n_iter_ < ROUNDS - 5

    predicted, parts = alone("scikit-learn", early)

    assert np.array_equal(predicted, bare.predict_proba(rows)[:, 1])
    assert parts < RUNGS


def grown_parts(progress: Progress, clock: list[float], joined: bool, pace: float = 1.0) -> list[int]:
    """Return the part sizes of a 100-round training run in which a round takes `pace` seconds."""
    parts: list[int] = []
    for part in progress.parts(100, joined):
        parts.append(part)
        clock[0] += part * pace
        progress.done += part
        if clock[0] - progress.kept_at >= progress.spacing and not progress.without_train:
            progress.kept_at = clock[0]
    return parts


def test_merged_parts_end_before_the_next_checkpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure loses at most one checkpoint interval and one part. The first part is used to time the rounds."""
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])

    def progress(**more: Any) -> Progress:
        return Progress(None, 30.0, first=True, kept_at=clock[0], **more)

    assert grown_parts(progress(), clock, joined=False) == [5] * RUNGS
    assert grown_parts(progress(), clock, joined=True) == [5, 25, 30, 30, 10]
    assert grown_parts(progress(), clock, joined=True, pace=0.1) == [5, 95]
    assert grown_parts(progress(), clock, joined=True, pace=9.0) == [5] * RUNGS
    assert grown_parts(progress(without_train=True), clock, joined=True) == [5, 25]
    assert grown_parts(progress(without_train=True), clock, joined=False, pace=9.0) == [5]


def step(trainer: str, **parameters: Any) -> dict[str, Any]:
    """Describe a pipeline step that uses a built-in trainer."""
    return {"trainer": trainer, "inputs": ["cells"], "workers": {"min": 1, "max": 1}, "parameters": parameters}


def described(folder: str) -> dict[str, Any]:
    """Describe a training pipeline that stores checkpoints in a folder."""
    data = {"cells": {"uri": f"{folder}/cells", "format": "parquet", "label": "target"}}
    return {"pipeline": {"checkpoints": {"uri": f"{folder}/checkpoints", "store": "artifacts"}, "data": data}}


def test_incremental_training_is_resumed(tmp_path: Path) -> None:
    workload = described(f"file://{tmp_path}")

    assert [
        goes_on(record(PipelineWorkload, workload), record(Step, settings))
        for settings in (
            step("xgboost"),
            step("pytorch"),
            step("scikit-learn"),
            step("scikit-learn", estimator="linear"),
        )
    ] == [True, True, True, False]
    assert not goes_on(record(PipelineWorkload, {"pipeline": {}}), record(Step, step("xgboost")))
    assert Checkpoints.of(record(PipelineWorkload, {"pipeline": {}}), record(Step, step("xgboost"))) is None


def test_checkpoint_folder_depends_on_step_and_data(tmp_path: Path) -> None:
    """The next driver finds the same folder and start time. Different rows or parameters use another folder."""
    (tmp_path / "cells").mkdir()
    (tmp_path / "cells" / "a.parquet").write_bytes(b"rows")
    workload = described(f"file://{tmp_path}")

    first, second = (
        present(Checkpoints.of(record(PipelineWorkload, workload), record(Step, step("xgboost")))) for _ in range(2)
    )
    other = present(Checkpoints.of(record(PipelineWorkload, workload), record(Step, step("xgboost", max_depth=3))))
    (tmp_path / "cells" / "b.parquet").write_bytes(b"more")
    grown = present(Checkpoints.of(record(PipelineWorkload, workload), record(Step, step("xgboost"))))

    assert first == second
    assert len({first.path, other.path, grown.path}) == 3
    for checkpoints in (first, other, grown):
        checkpoints.discard()
    assert not list((tmp_path / "checkpoints").iterdir())


def test_abandoned_checkpoints_are_removed(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    workload = described(f"file://{tmp_path}")
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    long_ago = (datetime.now(UTC) - timedelta(days=15)).timestamp()
    for name, old in (
        ("training-0123~began", True),
        ("training-0123~run~grown", True),
        ("training-4567~began", True),
        ("training-4567~run~grown", False),
        ("run-1", True),
    ):
        (folder / name).write_text(datetime.now(UTC).isoformat())
        if old:
            os.utime(folder / name, (long_ago, long_ago))

    checkpoints = present(Checkpoints.of(record(PipelineWorkload, workload), record(Step, step("xgboost"))))

    left = {"training-4567~began", "training-4567~run~grown", "run-1", f"{checkpoints.name}~began"}
    assert {path.name for path in folder.iterdir()} == left


def test_ray_folders_leave_no_markers_in_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray's folders become store prefixes, because Arrow would create a marker for each folder."""
    store = ObjectStore()
    root = place(
        record(Workload, store.described(monkeypatch)), f"s3://{BUCKET}/mlflow/models/fraud/checkpoints/a", "artifacts"
    )
    checkpoints = Checkpoints(root, "training-0123", datetime.now(UTC))
    files, folder = checkpoints.files(), f"{checkpoints.path}/run/checkpoint_1"

    files.create_dir(folder)
    with files.open_output_stream(f"{folder}/grown") as stream:
        stream.write(b"trees")

    assert store.names() == ["mlflow/models/fraud/checkpoints/a/training-0123~run~checkpoint_1~grown"]
    kinds = [
        files.get_file_info(path).type
        for path in (f"{folder}/grown", folder, f"{checkpoints.path}/run", f"{checkpoints.path}/r")
    ]
    assert kinds == [fs.FileType.File, fs.FileType.Directory, fs.FileType.Directory, fs.FileType.NotFound]
    assert files == checkpoints.files()
    assert pickle.loads(pickle.dumps(files)) == files  # Ray sends it to workers
    with files.open_input_stream(f"{folder}/grown") as stream:
        assert stream.read() == b"trees"

    files.copy_file(f"{folder}/grown", f"{checkpoints.path}/run/checkpoint_2/grown")
    files.move(folder, f"{checkpoints.path}/run/checkpoint_3")
    entries = files.get_file_info(fs.FileSelector(f"{checkpoints.path}/run", recursive=True))
    below = [entry.path.removeprefix(f"{checkpoints.path}/run/") for entry in entries]
    assert below == ["checkpoint_2", "checkpoint_2/grown", "checkpoint_3", "checkpoint_3/grown"]
    assert [entry.base_name for entry in files.get_file_info(fs.FileSelector(f"{checkpoints.path}/run"))] == [
        "checkpoint_2",
        "checkpoint_3",
    ]
    with pytest.raises(FileNotFoundError):
        files.get_file_info(fs.FileSelector(folder))
    with pytest.raises(UnsupportedOperation, match="objects can only be written whole"):
        files.open_append_stream(f"{folder}/grown")
    with pytest.raises(UnsupportedOperation, match="delete by name"):
        files.delete_dir_contents("", accept_root_dir=True)
    checkpoints.discard()
    assert files.get_file_info(folder).type == fs.FileType.NotFound
    assert [name for name in store.names() if "training-" in name] == []


@pytest.mark.parametrize(("content", "remains"), [(b"", False), (b'{"ray_version": "2.', False), (b"{}", True)])
def test_a_half_written_list_of_checkpoints_is_deleted(tmp_path: Path, content: bytes, remains: bool) -> None:
    """A truncated checkpoint list is deleted.

    Ray Train writes the list in place, and every later run would fail to start.
    """
    root = place(record(Workload, {}), tmp_path.as_uri(), "artifacts")
    checkpoints = Checkpoints(root, "training-0123", datetime.now(UTC))
    identity: dict[str, Json] = {"rows": "1"}
    path = f"{checkpoints.path}/{digest(identity)}/checkpoint_manager_snapshot.json"
    with checkpoints.files().open_output_stream(path) as stream:
        stream.write(content)

    with run_storage(checkpoints, {}, identity) as run:
        assert run["storage_path"] == checkpoints.path

    assert (checkpoints.files().get_file_info(path).type == fs.FileType.File) is remains
