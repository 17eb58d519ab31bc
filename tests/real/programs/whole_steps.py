"""Run user code in pipeline steps on a local Ray cluster, and print the result of each run as JSON.

Run as `python whole_steps.py FOLDER` with the runtime and this folder on the path, because the steps are functions in
this file.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from modelyard_runtime.context import Context
from modelyard_runtime.pipelines import driver
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.workload.records import PipelineWorkload
from tests.runtime.described import completed, record


def flaky(context: Context) -> int:
    """Fail on the first attempt only."""
    flag = Path(str(context.parameters["flag"]))
    if not flag.exists():
        flag.touch()
        raise ValueError("the first try")
    return len(context.frame("rows"))


def count(context: Context) -> None:
    """Write the number of rows that the previous step returned."""
    context.write(pd.DataFrame({"rows": [context.results["first"]]}), "count")


def slow(context: Context) -> None:
    """Run longer than the step's timeout."""
    time.sleep(120)


def train(context: Context) -> Any:
    """Train a model with one column and report a custom metric."""
    from sklearn.linear_model import LogisticRegression

    data = context.training_data()
    context.report(applause=0.5)
    return LogisticRegression().fit(data.train[["amount"]], data.truth(data.train))


def main(root: Path) -> None:
    """Run each scenario, one after the other."""
    import ray

    amounts = np.random.default_rng(0).normal(0, 1, 300)
    (root / "rows").mkdir()
    pd.DataFrame({"amount": amounts, "fraud": (amounts > 0).astype(int)}).to_parquet(root / "rows" / "a.parquet")
    ray.init(address="local", num_cpus=2, resources={"group-a": 2}, include_dashboard=False, log_to_driver=False)
    facts: dict[str, Any] = {}
    first = step("flaky", parameters={"flag": str(root / "flag")})
    facts["retried"] = run(root, "custom", {"first": first, "then": step("count", needs=["first"], output="count")})
    facts["counted"] = (root / "count" / "count.csv").read_text().split()
    facts["too slow"] = run(root, "custom", {"slow": step("slow", retries=0, timeoutSeconds=5)})
    facts["no function"] = run(root, "custom", {"absent": step("absent")})
    facts["gate refuses"] = run(root, "training", {"train": step("train")}, 0.9)
    facts["champion then"] = registry.version_at("own", "champion") is not None
    facts["gate holds"] = run(root, "training", {"train": step("train")}, 0.4)
    at = registry.version_at("own", "champion")
    facts["champion now"] = at.version if at else None
    sys.stdout.write(json.dumps(facts) + "\n")


def step(function: str, **more: Any) -> dict[str, Any]:
    """Return a pipeline step that runs a function in this file."""
    resources = {"cpus": 1, "gpus": 0, "group": "group-a"}
    own = {"needs": [], "inputs": ["rows"], "parameters": {}, "retries": 1, "timeoutSeconds": 300}
    workers = {"min": 1, "max": 1}
    return {**own, "entrypoint": f"whole_steps:{function}", "workers": workers, "resources": resources, **more}


def run(root: Path, type_: str, steps: dict[str, Any], applause: float = 0.0) -> Any:
    """Return the exit code of a pipeline run, or the reason why the run was refused."""
    model = {
        "name": "own",
        "registeredName": "own",
        "experiment": "own",
        "task": "binary-classification",
        "framework": "scikit-learn",
    }
    lines = [
        {"name": "liked", "metric": "applause", "min": applause},
        {"name": "good", "metric": "accuracy", "min": 0.8},
    ]
    rows = {"uri": f"file://{root}/rows", "format": "parquet", "label": "fraud"}
    pipeline: dict[str, Any] = {
        "steps": steps,
        "data": {"rows": rows, "count": {"uri": f"file://{root}/count", "format": "csv"}},
        "timeoutSeconds": 600,
    }
    if type_ == "training":
        split = {"fraction": 0.2, "by": "random", "seed": 1}
        pipeline |= {"model": model, "split": split, "validation": lines, "promoteTo": "champion"}
    workload = {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "Workload",
        "type": type_,
        "name": "own",
        "address": "pipelines.own",
        "system": "cards",
        "environment": "default",
        "target": "main",
        "governance": {"owner": {"team": "a", "email": "a@acme.example"}, "risk": "limited", "lineage": True},
        "registry": {"uri": f"file://{root}/registry"},
        "pipeline": pipeline,
    }
    (root / "workload.json").write_text(json.dumps(completed(PipelineWorkload, workload)))
    os.environ["MODELYARD_WORKLOAD"] = str(root / "workload.json")
    registry.connect(record(PipelineWorkload, workload))
    try:
        return driver.run()
    except Refusal as refusal:
        return str(refusal)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
