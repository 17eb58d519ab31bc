"""Sets up batch inference on local files, with a registry and a description like the compiler's."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd

from modelyard_runtime.batch.run import score_datasets
from modelyard_runtime.batch.scorer import ModelHandle, Scorer, Task
from modelyard_runtime.registry import client as registry
from modelyard_runtime.workload.records import PipelineWorkload, Workload
from tests.runtime.described import record

NAME = "churn"


def times(factor: float) -> Any:
    """Return a model that predicts `amount` times `factor` and fails on rows whose plan is `broken`."""
    import mlflow.pyfunc  # warns when it is imported

    class Times(mlflow.pyfunc.PythonModel):  # type: ignore[misc,name-defined]
        def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> Any:
            if (model_input["plan"] == "broken").any():
                raise RuntimeError("unknown plan")
            return (model_input["amount"] * factor).to_numpy()

    return Times()


class Scoring:
    """A folder with inputs, outputs and a registry."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.folder = folder
        self.rows, self.scores = folder / "rows", folder / "scores"
        self.rows.mkdir()
        data = {
            name: {"uri": f"file://{folder}/{name}", "store": "", "format": "parquet"} for name in ("rows", "scores")
        }
        model = {"task": "regression", "uri": f"models:/{NAME}@champion", "registeredName": NAME, "alias": "champion"}
        pipeline = {"model": model, "data": data, "output": "scores", "batchSize": 3, **more}
        self.workload: dict[str, Any] = {
            "system": "growth",
            "name": "nightly",
            "address": "pipelines.nightly",
            "type": "batch-inference",
            "registry": {"uri": f"file://{folder}/registry"},
            "pipeline": pipeline,
        }

    def promote(self, factor: float) -> str:
        """Register a new version of the model and point the alias to it."""
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, DataType, Schema

        registry.connect(record(Workload, self.workload))
        signature = ModelSignature(Schema([ColSpec(DataType.double, "amount"), ColSpec(DataType.string, "plan")]))
        with mlflow.start_run():
            model_info = mlflow.pyfunc.log_model(
                name="model", python_model=times(factor), signature=signature, pip_requirements=[]
            )
        version = registry.register(NAME, model_info.model_uri, {})
        registry.set_alias(NAME, "champion", version.version)
        return version.version

    def put(self, name: str, content: Mapping[str, Any] | bytes, age_s: float = 0.0) -> Path:
        """Write an input file with the given rows or raw bytes."""
        path = self.rows / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            pd.DataFrame(content).to_parquet(path)
        then = time.time() - age_s
        os.utime(path, (then, then))
        return path

    def large(self, name: str, count: int, broken_at: int = -1) -> Path:
        """Write an input file whose rows are numbered from 0, in many row groups if the format supports them."""
        path = self.rows / name
        path.parent.mkdir(parents=True, exist_ok=True)
        plans = ["broken" if at == broken_at else "basic" for at in range(count)]
        frame = pd.DataFrame({"amount": np.arange(count, dtype=float), "plan": plans})
        if path.suffix == ".parquet":
            frame.to_parquet(path, row_group_size=50)
        elif path.suffix == ".csv":
            frame.to_csv(path, index=False)
        else:
            frame.to_json(path, orient="records", lines=True)
        return path

    def parts(self, name: str) -> int:
        """Return the number of parts into which a file's scores are split."""
        return len(list((self.scores / name).parent.glob(f"{Path(name).name}.scored-*-of-*.parquet")))

    def all_answers(self, name: str) -> list[float]:
        """Return the scores of a file scored in parts, in row order."""
        parts = sorted((self.scores / name).parent.glob(f"{Path(name).name}.scored-*.parquet"))
        return [float(score) for part in parts for score in pd.read_parquet(part)["prediction"]]

    def run(self) -> dict[str, int]:
        """Run the pipeline's scoring step once."""
        return score_datasets(record(PipelineWorkload, self.workload), ("rows",), "scores", {"num_cpus": 1}, (1, 1))

    def answers(self, name: str) -> list[float]:
        """Return the scores of a file scored as a whole, in row order."""
        return [float(score) for score in pd.read_parquet(self.scores / f"{name}.scored.parquet")["prediction"]]

    def versions(self) -> dict[str, set[str]]:
        """Return the model versions that wrote the scores of each output file."""
        outputs = sorted(self.scores.rglob("*.scored*"))
        return {path.name.partition(".")[0]: set(pd.read_parquet(path)["model_version"]) for path in outputs}

    def refused(self) -> dict[str, str]:
        """Return the input files that were refused, each with the reason."""
        files = json.loads((self.scores / "_modelyard" / "refused.json").read_text())["files"]
        return {Path(file["path"]).name: file["reason"] for file in files}

    def records(self) -> list[dict[str, Any]]:
        """Return the records of all runs of the step, in order."""
        paths = sorted((self.scores / "_modelyard" / "runs").glob("*.json"), key=lambda path: path.stat().st_mtime_ns)
        return [json.loads(path.read_text()) for path in paths]


def amounts(*values: float, plan: str = "basic") -> dict[str, Any]:
    """Return rows that fit the input schema."""
    return {"amount": np.array(values, dtype=float), "plan": [plan] * len(values)}


def in_this_process(
    workload: Any, output: str, handed: ModelHandle, tasks: list[Task], *_: Any
) -> Iterator[Mapping[str, Any]]:
    """Run each scoring task in this process, and yield the results that a worker would report."""
    scorer = Scorer(record(PipelineWorkload, workload), output, handed)
    for task in tasks:
        results = scorer({"task": [task.packed()]})
        yield {key: values[0] for key, values in results.items()}
