"""Run the built-in trainers on one and two workers of a local Ray cluster, and print model quality as JSON.

Run as `python whole_training.py` with the runtime on the path.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import ray

from modelyard_runtime.metrics.scores import score
from modelyard_runtime.models.answers import answer, predictions
from modelyard_runtime.training.data import TrainingData
from modelyard_runtime.training.together import train_together
from modelyard_runtime.training.trainers import grow
from modelyard_runtime.workload.records import Step
from tests.runtime.described import record

ROUNDS = 40
WORKER = {"num_cpus": 1, "num_gpus": 0, "resources": {"group-a": 0.99}}
METRICS = {
    "binary-classification": "auc_pr",
    "multiclass-classification": "accuracy",
    "regression": "r2",
    "ranking": "ndcg",
}


def data(task: str, count: int = 3000) -> TrainingData:
    """Return rows with two numeric columns and one string column. A ranking has ten rows per query."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.normal(size=count), "b": random.normal(size=count)})
    frame["c"] = random.choice(["x", "y"], count)
    value = frame.a + frame.b**2 + (frame.c == "x") + random.normal(0, 0.3, count)
    grades = np.clip(value.round(), 0, 3).astype(int)
    labels = {"binary-classification": (value > 1).astype(int), "regression": value}
    frame["label"] = labels.get(task, grades)
    if task == "ranking":
        frame["__group"] = np.arange(count) // 10
    classes = {"binary-classification": (0, 1), "multiclass-classification": (0, 1, 2, 3)}.get(task, ())
    cut = count * 4 // 5
    return TrainingData(frame[:cut], frame[cut:], ("a", "b", "c"), "label", classes)


def quality(model: Any, task: str, rows: TrainingData) -> float:
    """Return the quality of a model on held-out data."""
    held_out = rows.held_out

    class Asked:
        def predict(self, frame: Any) -> Any:
            return model.predict(frame)

        def classifier(self) -> Any:
            return model if rows.classes else None

    predicted = predictions(answer(Asked(), task, held_out[list(rows.features)]), task, list(rows.classes))
    return score(METRICS[task], rows.truth(held_out), predicted, rows.groups(held_out))


def step(trainer: str, least: int) -> dict[str, Any]:
    """Return a pipeline step with up to two workers and one retry."""
    return {"trainer": trainer, "workers": {"min": least, "max": 2}, "retries": 1}


def workers() -> list[int]:
    """Return the process IDs of Ray Train workers that are grandchildren of this process."""
    pids: list[int] = []
    for entry in Path("/proc").iterdir():
        try:
            title = (entry / "cmdline").read_bytes()
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            above = Path("/proc", parent, "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        # Losing a worker before it has started is a different case, in which Ray Train starts the whole group again.
        is_training = title.startswith(b"ray::RayTrainWorker") and b".init" not in title
        if is_training and above == str(os.getpid()):
            pids.append(int(entry.name))
    return pids


def kill_one(killed: list[int]) -> None:
    """Kill one of the two workers after both have been running for a while."""
    until = time.monotonic() + 120
    while time.monotonic() < until:
        pids = workers()
        if len(pids) == 2:
            time.sleep(2)
            os.kill(pids[1], signal.SIGKILL)
            killed.append(pids[1])
            return
        time.sleep(0.05)


def main() -> None:
    """Run each trainer on each task, and then a run that loses a worker."""
    os.environ["RAY_TRAIN_HEALTH_CHECK_INTERVAL_S"] = "0.1"  # the controller checks its workers every two seconds
    ray.init(address="local", num_cpus=2, resources={"group-a": 2}, include_dashboard=False, log_to_driver=False)
    facts: dict[str, Any] = {}
    for trainer, task in (
        ("xgboost", "multiclass-classification"),
        ("lightgbm", "binary-classification"),
        ("lightgbm", "ranking"),
    ):
        rows, parameters = data(task), {"n_estimators": ROUNDS}
        joint = train_together(record(Step, step(trainer, 2)), task, parameters, rows, WORKER)
        *_, alone = grow(trainer, task, parameters, rows)
        facts[f"{trainer} {task}"] = [quality(joint, task, rows), quality(alone, task, rows)]
    killed: list[int] = []
    threading.Thread(target=kill_one, args=(killed,), daemon=True).start()
    rows = data("regression", 20000)
    model = train_together(
        record(Step, step("xgboost", 1)), "regression", {"n_estimators": 2000, "max_depth": 4}, rows, WORKER
    )
    facts["lost"] = len(killed)
    facts["rounds"] = model[-1].get_booster().num_boosted_rounds()
    facts["quality"] = quality(model, "regression", rows)
    ray.shutdown()
    sys.stdout.write(json.dumps(facts) + "\n")


if __name__ == "__main__":
    main()
