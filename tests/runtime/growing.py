"""Runs training on a local Ray cluster, and can kill itself midway.

`python growing.py FOLDER TRAINERS KILLED_AFTER [WORKERS [SPACING]]`: unless KILLED_AFTER is 0, the process kills itself
as soon as a checkpoint with that number of rounds is recorded. SPACING is the time between checkpoints in seconds. Each
training run writes its results to `FOLDER/TRAINER.json`.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import ray
from sklearn.datasets import load_breast_cancer

from modelyard_runtime.training.checkpoints import Checkpoints
from modelyard_runtime.training.data import training_data
from modelyard_runtime.training.together import goes_on, train_together
from modelyard_runtime.workload.records import PipelineWorkload, Step
from tests.narrowing import present
from tests.runtime.described import record

FOLDER, TRAINERS, KILLED_AFTER = Path(sys.argv[1]), sys.argv[2].split(","), int(sys.argv[3])
WORKERS = int(sys.argv[4]) if len(sys.argv) > 4 else 1
SPACING = float(sys.argv[5]) if len(sys.argv) > 5 else 0.0
TASK = "binary-classification"
PARAMETERS: dict[str, dict[str, Any]] = {
    "xgboost": {"n_estimators": 60, "max_depth": 3, "subsample": 0.6, "colsample_bytree": 0.5},
    "lightgbm": {"n_estimators": 60, "subsample": 0.6, "subsample_freq": 1, "colsample_bytree": 0.5},
    "scikit-learn": {"max_iter": 60, "max_features": 0.5, "early_stopping": False},
}
WORKLOAD: dict[str, Any] = {
    "pipeline": {
        "model": {"task": TASK},
        "checkpoints": {"uri": f"file://{FOLDER}/checkpoints"},
        "data": {"cells": {"uri": f"file://{FOLDER}/cells.parquet", "format": "parquet", "label": "target"}},
        "split": {"fraction": 0.2, "by": "random", "seed": 0},
    },
}


def kill_after(rounds: int) -> None:
    """Kill this process once a checkpoint with the given number of boosting rounds is recorded."""
    while recorded() < rounds:
        time.sleep(0.005)
    os.kill(os.getpid(), signal.SIGKILL)


def recorded() -> int:
    """Return the round count of the newest checkpoint Ray Train recorded, even if its file is incomplete."""
    rounds = [0]
    for file in FOLDER.glob("checkpoints/training-*~*~checkpoint_manager_snapshot.json"):
        try:
            snapshot = json.loads(file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        rounds += [result["metrics"]["rounds"] for result in snapshot["checkpoint_results"]]
    return max(rounds)


def train(trainer: str) -> dict[str, Any]:
    """Train once and return the model's predictions for held-out rows."""
    step: dict[str, Any] = {
        "trainer": trainer,
        "inputs": ["cells"],
        "workers": {"min": WORKERS, "max": WORKERS},
        "retries": 0,
        "parameters": PARAMETERS[trainer],
    }
    assert goes_on(record(PipelineWorkload, WORKLOAD), record(Step, step))
    checkpoints = present(Checkpoints.of(record(PipelineWorkload, WORKLOAD), record(Step, step)))
    before = recorded()
    data = training_data(record(PipelineWorkload, WORKLOAD), ("cells",), TASK, checkpoints.began)
    worker = {"num_cpus": 1, "num_gpus": 0, "resources": {}}
    model = train_together(record(Step, step), TASK, PARAMETERS[trainer], data, worker, checkpoints, spacing=SPACING)
    checkpoints.discard()
    rows = data.held_out[list(data.features)]
    scores = np.ascontiguousarray(model.predict_proba(rows)[:, 1])
    right = float(((scores > 0.5) == data.truth(data.held_out)).mean())
    digest = hashlib.sha256(scores.tobytes()).hexdigest()
    return {"said": digest, "right": right, "began": checkpoints.began.isoformat(), "before": before}


def main() -> None:
    """Run each trainer, one after the other."""
    file = FOLDER / "cells.parquet"
    if not file.exists():
        load_breast_cancer(as_frame=True).frame.to_parquet(file)
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=True)
    if KILLED_AFTER:
        threading.Thread(target=kill_after, args=(KILLED_AFTER,), daemon=True).start()
    for trainer in TRAINERS:
        (FOLDER / f"{trainer}.json").write_text(json.dumps(train(trainer)), encoding="utf-8")
    ray.shutdown()


main()
