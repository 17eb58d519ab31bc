"""Trains adapters of a tiny language model on local files."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from mlflow import artifacts

from modelyard_runtime.registry import client as registry
from modelyard_runtime.training.data import training_data
from modelyard_runtime.training.language.tuned import Adapter, fine_tuned
from modelyard_runtime.training.trained import Trained, finish
from modelyard_runtime.workload.records import PipelineWorkload
from tests.runtime.described import record
from tests.runtime.serving.language import MODEL as BASE
from tests.runtime.serving.language import NAME as BASE_NAME

NAME = "support-tone"
QUICK: dict[str, Any] = {"rank": 4, "alpha": 8, "learning_rate": 0.02, "epochs": 4, "batch_size": 8}
NO_WORSE = {"name": "better", "metric": "perplexity", "versus": "champion", "minDelta": 0.0}
PHRASES = [f"the cat number {number} sat on the mat and said hello" for number in range(160)]
MODEL = {"name": "tone", "registeredName": NAME, "task": "text-generation", "framework": "transformers"}


@dataclass(frozen=True)
class Tone:
    """A pipeline that trains an adapter, and the workload description the compiler would emit for it."""

    folder: Path
    workload: dict[str, Any]

    @classmethod
    def at(cls, folder: Path, texts: list[str]) -> Tone:
        """Create a pipeline whose dataset consists of `texts`. The base model is already in the registry."""
        pd.DataFrame({"text": texts, "id": range(len(texts))}).to_parquet(folder / "texts.parquet")
        dataset = {"uri": f"file://{folder}/texts.parquet", "format": "parquet", "label": "text"}
        base = {**BASE, "uri": f"models:/{BASE_NAME}@champion", "alias": "champion"}
        pipeline = {
            "model": {**MODEL, "experiment": "support/tone", "base": base},
            "data": {"texts": dataset},
            "steps": {"learn": {"inputs": ["texts"], "trainer": "transformers"}},
            "split": {"fraction": 0.2, "by": "random", "seed": 0, "key": ["id"]},
            "validation": [NO_WORSE],
            "promoteTo": "champion",
        }
        registered = {"uri": f"sqlite:///{folder}/registry.db"}
        return cls(folder, {"type": "training", "registry": registered, "pipeline": pipeline})

    def changed(self, **changes: Any) -> Tone:
        """Return a copy with the given pipeline sections replaced. `dataset` updates the dataset's fields."""
        workload = copy.deepcopy(self.workload)
        workload["pipeline"]["data"]["texts"] |= changes.pop("dataset", {})
        workload["pipeline"] |= changes
        return Tone(self.folder, workload)

    def record(self) -> PipelineWorkload:
        """Return the workload's description as a typed record."""
        return record(PipelineWorkload, self.workload)

    def grow(self, **parameters: Any) -> tuple[Adapter, Any]:
        """Train an adapter without a cluster. Return it with its training data."""
        workload = self.record()
        data = training_data(workload, ("texts",), "text-generation")
        worker = {"num_cpus": 1, "num_gpus": 0, "resources": {}}
        return fine_tuned(workload, workload.pipeline.steps["learn"], {**QUICK, **parameters}, data, worker), data

    def train(self, **parameters: Any) -> str:
        """Run the pipeline without a cluster and return its result."""
        adapter, data = self.grow(**parameters)
        return finish(self.record(), "learn", Trained(adapter, {}, parameters), data, "run")

    def champion(self) -> str:
        """Return the version the `champion` alias points to, or an empty string."""
        found = registry.version_at(NAME, "champion")
        return "" if found is None else found.version

    def gate(self, number: str) -> dict[str, Any]:
        """Return the recorded result of the first check in the given version's gate."""
        run = registry.version(NAME, number).run_id
        kept: dict[str, Any] = artifacts.load_dict(f"runs:/{run}/modelyard/gate.json")["gate"][0]
        return kept
