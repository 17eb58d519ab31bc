"""Times a training pipeline with a search and its handwritten equivalent on bare Ray Tune, printing JSON.

Run as `python search_times.py FOLDER ROUNDS` in the runtime's environment, with the runtime on the path. The bare
version is code that a careful author would write: it reads, splits and shares the data once, trains each trial in four
stages with a report after each, stops bad trials with ASHA, trains the best model on all training rows, evaluates it on
held-out data and registers it. It has no trial logs, data profile, gates, checkpoints or resumption. Both run in the
same Ray cluster.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import ray
from ray import tune
from ray.tune.schedulers import ASHAScheduler
from ray.tune.search import BasicVariantGenerator

from modelyard_runtime.pipelines.driver import work
from modelyard_runtime.registry import client as registry
from modelyard_runtime.workload.records import PipelineWorkload
from tests.runtime.described import record

FOLDER, ROUNDS = Path(sys.argv[1]), int(sys.argv[2])
ROWS = int(os.environ.get("SEARCH_ROWS", "150000"))
COLUMNS = [f"n{at}" for at in range(20)]
TRIALS, AT_ONCE, RUNGS, SEED = 12, 2, 4, 7
SPACE: dict[str, Any] = {
    "max_iter": {"kind": "int", "low": 80, "high": 120},
    "learning_rate": {"kind": "loguniform", "low": 0.01, "high": 0.3},
    "max_leaf_nodes": {"kind": "int", "low": 15, "high": 63},
}


def main() -> None:
    """Alternate between the two variants so that other load on the machine affects them equally."""
    workers = {"env_vars": {"PYTHONPATH": os.pathsep.join(sys.path)}}
    ray.init(
        address="local", num_cpus=AT_ONCE, resources={"group-a": AT_ONCE},
        include_dashboard=False, log_to_driver=False, runtime_env=workers,
    )  # fmt: skip
    data()
    ways: dict[str, Callable[[str], None]] = {"ours": ours, "bare": bare}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(ROUNDS):
        for name, way in ways.items():
            began = time.perf_counter()
            way(f"{name}-{number}")
            seconds[name].append(time.perf_counter() - began)
            print(name, seconds[name][-1], file=sys.stderr, flush=True)
    print(json.dumps(seconds))


def data() -> None:
    """Write rows with a label that is hard enough to predict to justify a parameter search."""
    random = np.random.default_rng(1)
    frame = pd.DataFrame({column: random.normal(size=ROWS) for column in COLUMNS})
    chance = frame.n0 * frame.n1 + frame.n2**2 + frame.n3 - frame.n4 + random.normal(0, 1, ROWS)
    frame["late"] = (chance > 1.5).astype(int)
    (FOLDER / "rows").mkdir()
    frame.to_parquet(FOLDER / "rows" / "0.parquet", index=False)


def ours(run: str) -> None:
    """Run a training pipeline that searches, checks its gate and registers a model version."""
    rows = {"uri": f"file://{FOLDER}/rows", "store": "", "format": "parquet", "label": "late"}
    resources = {"cpus": 1, "gpus": 0, "group": "group-a"}
    step = {
        "needs": [], "trainer": "scikit-learn", "inputs": ["rows"], "workers": {"min": 1, "max": AT_ONCE},
        "resources": resources, "parameters": {}, "retries": 0, "timeoutSeconds": 1800,
    }  # fmt: skip
    searched = {"metric": "auc_pr", "goal": "maximize", "trials": TRIALS, "parallel": AT_ONCE, "seed": SEED}
    model = {
        "name": "late", "registeredName": "late", "task": "binary-classification", "experiment": "bench/late",
        "framework": "scikit-learn", "card": {},
    }  # fmt: skip
    pipeline = {
        "model": model, "steps": {"train": step}, "data": {"rows": rows}, "timeoutSeconds": 3600,
        "tuning": {**searched, "earlyStopping": "asha", "space": SPACE},
        "checkpoints": {"uri": f"file://{FOLDER}/checkpoints", "store": ""},
        "split": {"by": "random", "fraction": 0.2, "seed": 0}, "promoteTo": "champion",
        "validation": [{"name": "good", "metric": "auc_pr", "min": 0.1}],
    }  # fmt: skip
    workload: dict[str, Any] = {
        "type": "training", "system": "bench", "name": "late", "address": "pipelines.late",
        "registry": {"uri": f"file://{FOLDER}/registry"}, "pipeline": pipeline,
    }  # fmt: skip
    described = record(PipelineWorkload, workload)
    registry.connect(described)
    registry.open_experiment(described.pipeline.trained_model)
    assert work(described, run) == 0


def bare(run: str) -> None:
    """Run a handwritten search on bare Ray Tune."""
    import mlflow
    import mlflow.sklearn
    from sklearn.metrics import average_precision_score
    from sklearn.model_selection import train_test_split

    frame = pd.read_parquet(FOLDER / "rows")
    train, held_out = train_test_split(frame, test_size=0.2, random_state=0)
    inner = tuple(train_test_split(train, test_size=0.2, random_state=0))
    space = {
        "max_iter": tune.randint(80, 121),
        "learning_rate": tune.loguniform(0.01, 0.3),
        "max_leaf_nodes": tune.randint(15, 64),
    }
    with tempfile.TemporaryDirectory() as folder:
        tuner = tune.Tuner(
            tune.with_resources(tune.with_parameters(bare_trial, inner=inner), {"CPU": 1}),
            param_space=space,
            tune_config=tune.TuneConfig(
                metric="auc_pr",
                mode="max",
                num_samples=TRIALS,
                scheduler=ASHAScheduler(max_t=RUNGS, grace_period=1, reduction_factor=2),
                search_alg=BasicVariantGenerator(max_concurrent=AT_ONCE, random_state=SEED),
            ),
            run_config=tune.RunConfig(storage_path=folder, verbose=0),
        )
        best = tuner.fit().get_best_result("auc_pr", "max", scope="last").config
    if best is None:
        raise SystemExit("the search has found no parameters")
    model = ray.get(ray.remote(num_cpus=1)(fitted).remote(best, train))
    with mlflow.start_run(run_name=run):
        scores = model.predict_proba(held_out[COLUMNS])[:, 1]
        mlflow.log_params(best)
        mlflow.log_metric("auc_pr", float(average_precision_score(held_out["late"], scores)))
        signature = mlflow.models.infer_signature(train[COLUMNS].head(), model.predict(train[COLUMNS].head()))
        mlflow.sklearn.log_model(
            model, name="model", signature=signature, serialization_format="cloudpickle",
            pip_requirements=["scikit-learn"], registered_model_name="bare",
        )  # fmt: skip


def bare_trial(parameters: dict[str, Any], inner: Any) -> None:
    """Train one trial in four stages, and report after each stage."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import average_precision_score

    train, held_out = inner
    model = HistGradientBoostingClassifier(**parameters, random_state=0, warm_start=True)
    for rung in range(1, RUNGS + 1):
        model.set_params(max_iter=parameters["max_iter"] * rung // RUNGS)
        model.fit(train[COLUMNS], train["late"])
        scores = model.predict_proba(held_out[COLUMNS])[:, 1]
        tune.report({"auc_pr": float(average_precision_score(held_out["late"], scores))})


def fitted(parameters: dict[str, Any], rows: pd.DataFrame) -> Any:
    """Train the final model on a worker."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(**parameters, random_state=0).fit(rows[COLUMNS], rows["late"])


main()
