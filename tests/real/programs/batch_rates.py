"""Times batch inference in our runtime and on bare Ray Data in the same Ray cluster, printing seconds as JSON.

Run as `python batch_rates.py FOLDER ROUNDS` in the runtime's environment, with the runtime on the path. The bare
version is code that a careful author would write: read_parquet, an actor that loads the model once, write_parquet. It
writes no markers, validates no rows and doesn't separate files, and runs with several batch sizes. Both versions run on
few and on many rows, which separates the cost of starting the actors.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import ray
import ray.data

from modelyard_runtime.batch.run import score_datasets
from modelyard_runtime.registry import client as registry
from modelyard_runtime.workload.records import PipelineWorkload
from tests.runtime.described import record

FOLDER, ROUNDS = Path(sys.argv[1]), int(sys.argv[2])
COLUMNS = [f"n{at}" for at in range(int(os.environ.get("BATCH_COLUMNS", "20")))]
FEW, MANY = 2, 24  # number of files
ROWS = 100_000  # rows per file
SIZES = (4096, 16384, 65536)
URI = "models:/churn/1"


class Bare:
    """The actor of the bare version."""

    def __init__(self, registry_uri: str) -> None:
        import mlflow.sklearn

        os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
        mlflow.set_tracking_uri(registry_uri)
        mlflow.set_registry_uri(registry_uri)
        self.model = mlflow.sklearn.load_model(URI)

    def __call__(self, batch: pd.DataFrame) -> pd.DataFrame:
        chances = self.model.predict_proba(batch[COLUMNS])
        batch["prediction"] = self.model.classes_[chances.argmax(axis=1)]
        batch["score"] = chances[:, 1]
        return batch


def main() -> None:
    """Alternate between the variants so that other load on the machine affects all of them equally."""
    workers = {"env_vars": {"PYTHONPATH": os.pathsep.join(sys.path)}}
    ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, runtime_env=workers)
    for name, count in (("few", FEW), ("many", MANY)):
        data(name, count)
    train()
    ways: dict[str, Callable[[str], None]] = {"ours": ours, **{f"bare {size}": bare(size) for size in SIZES}}
    seconds: dict[str, list[dict[str, float]]] = {name: [] for name in ways}
    for way in ways.values():
        way("few")  # warm-up
    for _ in range(ROUNDS):
        for name, way in ways.items():
            seconds[name].append({rows: timed(way, rows) for rows in ("few", "many")})
            print(name, seconds[name][-1], file=sys.stderr, flush=True)
    print(json.dumps({"rows": {"few": FEW * ROWS, "many": MANY * ROWS}, "seconds": seconds}))


def timed(way: Callable[[str], None], rows: str) -> float:
    """Remove earlier output, run one variant, and return how many seconds it took."""
    shutil.rmtree(FOLDER / "scores", ignore_errors=True)
    began = time.perf_counter()
    way(rows)
    took = time.perf_counter() - began
    scores = pd.read_parquet(FOLDER / "scores", columns=["score"])
    assert len(scores) == ROWS * (FEW if rows == "few" else MANY)
    return took


def data(name: str, count: int) -> None:
    """Write files of random numbers."""
    (FOLDER / name).mkdir()
    random = np.random.default_rng(1)
    for file in range(count):
        frame = pd.DataFrame({column: random.normal(size=ROWS) for column in COLUMNS})
        frame.to_parquet(FOLDER / name / f"{file:03d}.parquet", index=False)


def train() -> None:
    """Train a model that is cheap to run, so that the overhead of the runtime dominates."""
    import mlflow.sklearn
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows = pd.read_parquet(FOLDER / "few" / "000.parquet")
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, rows["n0"] + rows["n1"] > 0)
    registry.connect(workload("few"))
    with mlflow.start_run():
        signature = mlflow.models.infer_signature(rows.head(), np.array([0, 1]))
        logged = mlflow.sklearn.log_model(model, name="model", signature=signature, serialization_format="cloudpickle")
    registry.set_alias("churn", "champion", registry.register("churn", logged.model_uri, {}).version)


def workload(rows: str) -> PipelineWorkload:
    """Return the workload description the compiler would emit, using the default batch size."""
    where = {"input": FOLDER / rows, "scores": FOLDER / "scores"}
    data = {name: {"uri": f"file://{path}", "store": "", "format": "parquet"} for name, path in where.items()}
    model = {"task": "binary-classification", "uri": URI, "registeredName": "churn", "alias": "champion"}
    size = {"batchSize": int(os.environ["BATCH_SIZE"])} if "BATCH_SIZE" in os.environ else {}
    pipeline = {"model": model, "data": data, "output": "scores", **size}
    registered = {"uri": f"file://{FOLDER}/registry"}
    return record(PipelineWorkload, {"registry": registered, "type": "batch-inference", "pipeline": pipeline})


def ours(rows: str) -> None:
    """Run our batch inference, including markers and records, on two CPUs with one actor each."""
    score_datasets(workload(rows), ("input",), "scores", {"num_cpus": 1}, (2, 2))


def bare(size: int) -> Callable[[str], None]:
    """Return the handwritten equivalent: an actor on one CPU, and tasks that read and write on the other."""

    def run(rows: str) -> None:
        read = ray.data.read_parquet(str(FOLDER / rows))
        pool = ray.data.ActorPoolStrategy(size=1)
        uri = f"file://{FOLDER}/registry"
        scored = read.map_batches(
            Bare, fn_constructor_args=(uri,), batch_size=size, batch_format="pandas", compute=pool, num_cpus=1
        )
        scored.write_parquet(str(FOLDER / "scores"))

    return run


main()
