"""Tests that tuning picks the best trial, records every trial, and continues after its driver is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import mlflow
import pytest
from mlflow import MlflowClient

from modelyard_runtime.refusals import Refusal
from modelyard_runtime.training.data import TrainingData
from modelyard_runtime.training.trainers import grow, rungs_of
from modelyard_runtime.training.tuning import RUNGS, WHOLE, best, search_folder
from tests.runtime.compared import loans

PROGRAM = Path(__file__).parents[1] / "searching.py"
ROOT = PROGRAM.parents[2]


def ended(value: float, rung: int, **more: Any) -> dict[str, Any]:
    """Return the last report of a trial that reached the given rung."""
    return {"auc_pr": value, "training_iteration": rung, **more}


def test_best_trial_is_chosen_at_the_last_rung() -> None:
    """Trials stopped early are ignored, because their final results are unknown."""
    trials: Any = [
        ({"depth": 9}, ended(0.95, 1)),
        ({"depth": 3}, ended(0.8, RUNGS)),
        ({"depth": 4}, ended(0.7, 2, **{WHOLE: 1.0})),  # this trial has only two rungs
        ({"depth": 5}, ended(float("nan"), RUNGS)),
    ]

    assert best(trials, "auc_pr", greatest=True) == ({"depth": 3}, 0.8)
    assert best(trials, "auc_pr", greatest=False) == ({"depth": 4}, 0.7)
    assert best(trials[:1], "auc_pr", greatest=True) == ({"depth": 9}, 0.95)
    with pytest.raises(Refusal, match="no trial of the search has a value of 'auc_pr'"):
        best(trials[3:], "auc_pr", greatest=True)


@pytest.mark.parametrize(
    ("trainer", "parameters", "rungs"),
    [
        ("scikit-learn", {"max_iter": 8}, 4),
        ("scikit-learn", {"max_iter": 3}, 3),
        ("scikit-learn", {"estimator": "linear"}, 1),
        ("xgboost", {"n_estimators": 2}, 2),
        ("xgboost", {}, 4),
        ("lightgbm", {"n_estimators": 4}, 4),
    ],
)
def test_trial_detects_its_last_rung(trainer: str, parameters: dict[str, Any], rungs: int) -> None:
    frame = loans(200)
    data = TrainingData(frame, frame, ("income", "age"), "late", (0, 1))

    assert rungs_of(trainer, "binary-classification", parameters, RUNGS) == rungs
    assert len(list(grow(trainer, "binary-classification", parameters, data, RUNGS))) == rungs


def searched(folder: Path, killed_after: int) -> subprocess.CompletedProcess[str]:
    """Run the parameter search in a separate process, which can be killed."""
    paths = os.pathsep.join((str(ROOT / "runtime"), str(ROOT)))
    environment = {**os.environ, "PYTHONPATH": paths, "TMPDIR": str(folder / "tmp"), "RAY_TMPDIR": "/tmp"}
    return subprocess.run(
        [sys.executable, str(PROGRAM), str(folder), str(killed_after)],
        env=environment, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip


def test_killed_search_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed search resumes without repeating finished trials.

    Each trial is a nested run, trials share a process, and no folder remains.
    """
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    (tmp_path / "tmp").mkdir()
    first = searched(tmp_path, 3)
    assert first.returncode < 0, first.stderr
    assert len((tmp_path / "tried.txt").read_text().split()) == 3

    second = searched(tmp_path, 0)

    assert second.returncode == 0, second.stderr
    report = json.loads((tmp_path / "told.json").read_text())
    tried = [int(trial) for trial in (tmp_path / "tried.txt").read_text().split()]
    assert report["done"] == 3
    assert len(tried) == 6
    assert len(list(tmp_path.glob("process-*"))) == 2  # one before the kill and one after
    # The smallest depth is best at the last rung, and the greatest at the first rung.
    assert report["found"] == {"depth": min(tried)}
    assert not list((tmp_path / "tmp").glob("modelyard-search-*"))
    mlflow.set_tracking_uri(f"file://{tmp_path}/registry")
    client = MlflowClient()
    experiment = client.get_experiment_by_name("cards/fraud")
    assert experiment is not None
    nested = client.search_runs([experiment.experiment_id], f"tags.`mlflow.parentRunId` = '{report['run']}'")
    assert sorted(int(trial.data.params["depth"]) for trial in nested) == sorted(tried)
    assert {trial.info.status for trial in nested} == {"FINISHED"}
    for trial in nested:
        steps = client.get_metric_history(trial.info.run_id, "auc_pr")
        depth = int(trial.data.params["depth"]) / 2000
        assert [step.value for step in steps] == pytest.approx([0.5 + depth, *[0.5 - depth] * 3])
        assert set(trial.data.metrics) == {"auc_pr", WHOLE}


def test_folders_of_killed_searches_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    process = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True, check=True
    )
    left, own = (
        tmp_path / f"modelyard-search-{process.stdout.strip()}-a",
        tmp_path / f"modelyard-search-{os.getpid()}-b",
    )
    left.mkdir()
    own.mkdir()

    with search_folder() as folder:
        assert Path(folder).is_dir()

    assert list(tmp_path.iterdir()) == [own]
