"""Tests that a Ray Train run resumes after its driver is killed, and that short runs don't use Ray Train."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

PROGRAM = Path(__file__).parents[1] / "growing.py"
ROOT = PROGRAM.parents[2]
ROUNDS = 60
TRAINERS = ("xgboost", "lightgbm", "scikit-learn")
SETTINGS = {
    "RAY_DEDUP_LOGS": "0",
    "RAY_TMPDIR": "/tmp",
    "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": "600",
    # A report waits until the controller looks for it, by default every two seconds.
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.1",
}


def grown(folder: Path, *trainers: str, killed_after: int = 0, spacing: float = 0) -> subprocess.CompletedProcess[str]:
    """Train in a separate process, which can be killed."""
    folder.mkdir(exist_ok=True)
    paths = os.pathsep.join((str(ROOT / "runtime"), str(ROOT)))
    return subprocess.run(
        [sys.executable, str(PROGRAM), str(folder), ",".join(trainers), str(killed_after), "1", str(spacing)],
        env={**os.environ, **SETTINGS, "PYTHONPATH": paths},
        capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip


def result(folder: Path, trainer: str) -> dict[str, Any]:
    """Return the results written by a training run."""
    results: dict[str, Any] = json.loads((folder / f"{trainer}.json").read_text())
    return results


def reported(run: subprocess.CompletedProcess[str]) -> list[int]:
    """Return the round count of each checkpoint reported by the training worker, according to Ray's log."""
    return [
        int(rounds) for rounds in re.findall(r"Reporting training result .*'rounds': (\d+)", run.stdout + run.stderr)
    ]


def test_killed_driver_resumes_boosting(tmp_path: Path) -> None:
    """A resumed run repeats no rounds and yields the same model as an uninterrupted one.

    No checkpoint folder remains.
    """
    killed, complete = tmp_path / "killed", tmp_path / "whole"
    first = grown(killed, "xgboost", killed_after=12)
    assert first.returncode < 0, first.stderr

    second = grown(killed, "xgboost")
    uninterrupted = grown(complete, "xgboost")

    assert (second.returncode, uninterrupted.returncode) == (0, 0), second.stderr + uninterrupted.stderr
    before = result(killed, "xgboost")["before"]
    assert before >= 12
    assert reported(second) == list(range(before + 3, ROUNDS, 3))
    assert reported(uninterrupted) == list(range(3, ROUNDS, 3))
    assert result(complete, "xgboost")["before"] == 0
    assert result(killed, "xgboost")["said"] == result(complete, "xgboost")["said"]
    assert result(complete, "xgboost")["right"] > 0.9
    assert not list((killed / "checkpoints").iterdir())


def test_training_starts_without_ray_train(tmp_path: Path) -> None:
    """A run that ends before its first checkpoint never starts Ray Train. A longer run continues in Ray Train."""
    short = grown(tmp_path / "short", *TRAINERS, spacing=600)
    long = grown(tmp_path / "long", *TRAINERS, spacing=0.0001)

    assert (short.returncode, long.returncode) == (0, 0), short.stderr + long.stderr
    assert reported(short) == []
    assert reported(long) == [*range(3, ROUNDS, 3)] * len(TRAINERS)
    for trainer in TRAINERS:
        assert result(tmp_path / "short", trainer)["said"] == result(tmp_path / "long", trainer)["said"]
    assert not list((tmp_path / "long" / "checkpoints").iterdir())
