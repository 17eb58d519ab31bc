"""Repeatedly trains a model on local files to test how its gate compares versions."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from mlflow import artifacts

from modelyard_runtime.registry import client as registry
from modelyard_runtime.training.data import TrainingData, training_data
from modelyard_runtime.training.trained import Trained, finish
from modelyard_runtime.training.trainers import grow
from modelyard_runtime.workload.records import PipelineWorkload
from tests.runtime.described import record

TASK = "binary-classification"
BETTER = {"name": "better", "metric": "auc_roc", "versus": "champion", "minDelta": 0.0}
FOREST = {"estimator": "random-forest", "n_estimators": 15, "n_jobs": 1}
"""The parameters of a random forest that memorizes its training data."""


@dataclass(frozen=True)
class Loans:
    """A pipeline that trains one model, and the description the compiler would emit for it."""

    folder: Path
    workload: dict[str, Any]

    @classmethod
    def at(cls, folder: Path) -> Loans:
        """Create a pipeline with an empty registry and no data."""
        (folder / "loans").mkdir()
        dataset = {"uri": f"file://{folder}/loans", "format": "parquet", "label": "late"}
        pipeline = {
            "model": {"registeredName": "loans", "experiment": "bank/loans", "task": TASK},
            "data": {"loans": {**dataset, "features": ["income", "age"]}},
            "steps": {"learn": {"inputs": ["loans"], "trainer": "scikit-learn"}},
            "split": {"fraction": 0.2, "by": "random", "seed": 0},
            "validation": [BETTER],
            "promoteTo": "champion",
        }
        registered = {"uri": f"file://{folder}/registry"}
        return cls(folder, {"type": "training", "registry": registered, "pipeline": pipeline})

    def changed(self, **changes: Any) -> Loans:
        """Return a copy with the given pipeline sections replaced. `dataset` updates the dataset's fields."""
        workload = copy.deepcopy(self.workload)
        workload["pipeline"]["data"]["loans"] |= changes.pop("dataset", {})
        for name, value in changes.items():
            workload["pipeline"][name] = {**workload["pipeline"][name], **value} if isinstance(value, dict) else value
        return Loans(self.folder, workload)

    def write(self, frame: pd.DataFrame) -> None:
        """Write or replace the dataset."""
        frame.to_parquet(self.folder / "loans" / "a.parquet")

    def data(self) -> TrainingData:
        """Return the training and held-out data."""
        return training_data(record(PipelineWorkload, self.workload), ("loans",), TASK)

    def train(self, **parameters: Any) -> str:
        """Run the pipeline without a cluster and return its result."""
        data = self.data()
        *_, model = grow("scikit-learn", TASK, parameters, data)
        return finish(record(PipelineWorkload, self.workload), "learn", Trained(model, {}, parameters), data, "run")

    def champion(self) -> str:
        """Return the version the `champion` alias points to, or an empty string."""
        version = registry.version_at("loans", "champion")
        return "" if version is None else version.version

    def gate(self, number: str, line: int = 0) -> dict[str, Any]:
        """Return the recorded result of one check in a version's gate."""
        run = registry.version("loans", number).run_id
        result: dict[str, Any] = artifacts.load_dict(f"runs:/{run}/modelyard/gate.json")["gate"][line]
        return result


def loans(count: int = 3000, seed: int = 1) -> pd.DataFrame:
    """Generate borrowers whose late payments depend mostly on debt and partly on income, age and chance."""
    random = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {"id": np.arange(count), "income": random.normal(size=count), "age": random.normal(size=count)}
    )
    frame["debt"] = random.normal(size=count)
    risk = frame["income"] + frame["age"] + 1.5 * frame["debt"] + random.normal(0, 1.5, count)
    frame["late"] = (risk > 0).astype(int)
    frame["very_late"] = (risk > 0.2).astype(int)
    frame["country"] = random.choice(["ch", "de", "fr"], count, p=[0.6, 0.3, 0.1])
    return frame
