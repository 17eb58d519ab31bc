"""Sends requests alternately to our server and to the same model on bare Ray Serve, printing times as JSON.

Run as `python serving_times.py FOLDER ROUNDS` in the runtime's environment, with the runtime on the path.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
import ray
from mlflow.models import infer_signature
from ray import serve
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from starlette.requests import Request

from modelyard_runtime.registry import client as registry
from modelyard_runtime.serving.application import application
from modelyard_runtime.workload.records import ServerWorkload
from tests.runtime.described import completed, record

FOLDER, ROUNDS = Path(sys.argv[1]), int(sys.argv[2])
PORT = 8124
COLUMNS = (1, 30, 100)
REQUESTS = 300
WARM = 50


@serve.deployment
class ByHand:
    """A handwritten Ray Serve deployment for this single model."""

    def __init__(self, model: Any) -> None:
        self._model = model

    async def __call__(self, request: Request) -> dict[str, Any]:
        """Return predictions and scores for a request's rows."""
        rows = pd.DataFrame((await request.json())["instances"])
        scores = self._model.predict_proba(rows)
        predictions = self._model.classes_[scores.argmax(axis=1)]
        return {"predictions": predictions.tolist(), "scores": scores[:, 1].tolist()}


def trained_model(columns: int) -> tuple[Any, pd.DataFrame]:
    """Return a model with the rows that it was trained on."""
    rows = pd.DataFrame(
        np.random.default_rng(1).normal(size=(500, columns)), columns=[f"column_{at}" for at in range(columns)]
    )
    return make_pipeline(StandardScaler(), LogisticRegression()).fit(rows, rows["column_0"] > 0), rows


def deploy(columns: int) -> bytes:
    """Deploy a model to both servers and return a request body they both accept."""
    model, rows = trained_model(columns)
    name = f"wide-{columns}"
    described = {
        "variant": "live",
        "model": {
            "name": name,
            "registeredName": name,
            "task": "binary-classification",
            "uri": f"models:/{name}@live",
            "alias": "live",
        },
        "batching": {"maxSize": 1, "maxWaitMilliseconds": 10},
        "timeoutSeconds": 60,
    }
    workload = {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "Workload",
        "type": "server",
        "registry": {"uri": f"file://{FOLDER}/registry"},
        "applications": {name: described},
    }
    registry.connect(record(ServerWorkload, workload))
    with mlflow.start_run():
        more = {"serialization_format": "cloudpickle", "pip_requirements": []}
        logged = mlflow.sklearn.log_model(model, name="model", signature=infer_signature(rows), **more)
    registry.set_alias(name, "live", registry.register(name, logged.model_uri, {}).version)
    (FOLDER / f"{name}.json").write_text(json.dumps(completed(ServerWorkload, workload)))
    os.environ["MODELYARD_WORKLOAD"] = str(FOLDER / f"{name}.json")
    serve.run(application({"application": name}), name=f"ours-{columns}", route_prefix=f"/ours-{columns}")
    serve.run(ByHand.bind(model), name=f"bare-{columns}", route_prefix=f"/bare-{columns}")
    return json.dumps({"instances": json.loads(rows.head(1).to_json(orient="records"))}).encode()


def ask(connection: http.client.HTTPConnection, path: str, body: bytes) -> float:
    """Send a request and return its duration in seconds."""
    began = time.perf_counter()
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    took = time.perf_counter() - began
    assert answer.status == 200, content
    return took


def main() -> None:
    """Measure response times and print them by column count, round and server."""
    ray.init(address="local", num_cpus=8, include_dashboard=False, log_to_driver=False)
    serve.start(http_options={"host": "127.0.0.1", "port": PORT}, proxy_location="HeadOnly")
    results: dict[str, list[dict[str, list[float]]]] = {}
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
    for columns in COLUMNS:
        body = deploy(columns)
        paths = {"ours": f"/ours-{columns}", "bare": f"/bare-{columns}"}
        for _ in range(WARM):
            for path in paths.values():
                ask(connection, path, body)
        for _ in range(ROUNDS):
            times: dict[str, list[float]] = {who: [] for who in paths}
            for at in range(REQUESTS):  # alternate which server is called first
                for who in sorted(paths, reverse=bool(at % 2)):
                    times[who].append(ask(connection, paths[who], body))
            results.setdefault(str(columns), []).append(times)
        for who in paths:
            serve.delete(f"{who}-{columns}")
    serve.shutdown()
    ray.shutdown()
    sys.stdout.write(json.dumps(results) + "\n")


main()
