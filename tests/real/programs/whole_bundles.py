"""Train a model, deliver it to a site that then goes offline, and keep serving it without the object store.

Run as `python whole_bundles.py FOLDER` with the runtime and this folder on the path. Prints the results as JSON.
"""

from __future__ import annotations

import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import ray
from ray import serve

from modelyard_runtime.batch import run as batch
from modelyard_runtime.monitoring import monitor
from modelyard_runtime.pipelines import driver
from modelyard_runtime.serving.application import application
from modelyard_runtime.workload.records import OF_TYPE, MonitorWorkload, PipelineWorkload
from tests.moto.s3 import S3
from tests.runtime.described import completed, record

ROOT = Path(sys.argv[1])
PORT, METRICS = 8124, 8125
GROUP = "group-learn"
BUCKET = "models"
FACTS: dict[str, Any] = {}


def main() -> None:
    """Run the entire scenario."""
    os.environ.update({"STORE_ID": "id", "STORE_KEY": "key"})
    link = S3([BUCKET])
    make_data()
    ray.init(
        address="local",
        num_cpus=4,
        resources={GROUP: 2},
        include_dashboard=False,
        log_to_driver=False,
        _metrics_export_port=METRICS,
    )
    serve.start(http_options={"host": "127.0.0.1", "port": PORT}, proxy_location="HeadOnly")
    follow(link)
    restart_without_link(link)
    work_without_link(link)
    come_back(link)
    serve.shutdown()
    ray.shutdown()
    link.cut()
    sys.stdout.write(json.dumps(FACTS) + "\n")


def make_data() -> None:
    """Write a machine's readings with a column for whether it failed."""
    random, count = np.random.default_rng(0), 300
    frame = pd.DataFrame({"heat": random.normal(50, 10, count), "at": pd.Timestamp.now(tz="UTC")})
    frame["failed"] = (frame.heat > 55).astype(int)
    (ROOT / "readings").mkdir(parents=True)
    frame.to_parquet(ROOT / "readings" / "a.parquet")


def described(link: S3, type_: str, name: str, **more: Any) -> dict[str, Any]:
    """Write a workload's description to the path where the runtime reads it."""
    governance = {
        "owner": {"team": "t", "email": "t@acme.example"},
        "risk": "minimal",
        "dataClasses": [],
        "lineage": True,
    }
    opened = {"accessKeyIdEnv": "STORE_ID", "secretAccessKeyEnv": "STORE_KEY"}
    store = {"uri": f"s3://{BUCKET}/", "endpoint": link.endpoint, "region": "us-east-1", **opened}
    workload = {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "Workload",
        "type": type_,
        "name": name,
        "address": f"pipelines.{name}",
        "system": "plant",
        "environment": "default",
        "target": "main",
        "governance": governance,
        "stores": {"artifacts": store},
        **more,
    }
    path = ROOT / f"{name}.json"
    path.write_text(json.dumps(completed(OF_TYPE[type_], workload)))
    os.environ["MODELYARD_WORKLOAD"] = str(path)
    return workload


FOLDER = {"uri": f"s3://{BUCKET}/mlflow/bundles/wear/champion/", "store": "artifacts"}


def model(**more: Any) -> dict[str, Any]:
    """Return the model as described to all workloads."""
    kinds = {"task": "binary-classification", "framework": "scikit-learn"}
    return {"name": "wear", "registeredName": "wear", "experiment": "plant/wear", **kinds, **more}


def read() -> dict[str, Any]:
    """Return the model without the registry address, as a site that can't reach the registry gets it."""
    bundle = {**FOLDER, "cache": str(ROOT / "disk" / "bundles"), "pollSeconds": 1}
    return model(uri="models:/wear@champion", alias="champion", bundle=bundle)


def datasets(*names: str) -> dict[str, Any]:
    """Return the given datasets as described to a workload."""
    more = {"label": "failed", "timestamp": "at", "features": ["heat"]}
    return {name: {"uri": f"file://{ROOT}/{name}", "format": "parquet", **more} for name in names}


def step(**more: Any) -> dict[str, Any]:
    """Return a pipeline step with one small worker."""
    resources = {"cpus": 1, "gpus": 0, "group": GROUP}
    sizes = {"workers": {"min": 1, "max": 1}, "resources": resources}
    return {"needs": [], "inputs": ["readings"], **sizes, "parameters": {}, "retries": 0, "timeoutSeconds": 600, **more}


def train(link: S3) -> int:
    """Run a training pipeline, which promotes and delivers its model version."""
    pipeline = {
        "model": model(delivery=FOLDER),
        "steps": {"learn": step(trainer="scikit-learn")},
        "data": datasets("readings"),
        "timeoutSeconds": 900,
        "split": {"fraction": 0.2, "by": "random", "seed": 1},
        "validation": [{"name": "good", "metric": "auc_pr", "min": 0.5}],
        "promoteTo": "champion",
    }
    described(link, "training", "learn", pipeline=pipeline, registry={"uri": f"file://{ROOT}/registry"})
    return driver.run()


def start(link: S3) -> None:
    """Start the model server without a registry."""
    spool = {"folder": str(ROOT / "disk" / "captures"), "maxBytes": 2**20}
    line = {
        "variant": "live",
        "model": read(),
        "batching": {"maxSize": 1, "maxWaitMilliseconds": 0},
        "timeoutSeconds": 60,
        "capture": {"uri": f"s3://{BUCKET}/captures/", "store": "artifacts", "fraction": 1.0, "spool": spool},
    }
    described(link, "server", "line", applications={"line-live": line})
    serve.run(application({"application": "line-live"}), name="line-live", route_prefix="/line")


def ask(heat: float = 90.0) -> tuple[int, Any]:
    """Send a request to the model server, and return its status and JSON."""
    data = json.dumps({"instances": [{"heat": heat}]}).encode()
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}/line", data, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=90) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as problem:
        return problem.code, json.load(problem)


def version() -> str:
    """Return the model version that is being served, or an empty string."""
    status, content = ask()
    return content["model"]["version"] if status == 200 else ""


def bundle_metrics() -> dict[str, float]:
    """Return the model server's metrics about bundles."""
    with urllib.request.urlopen(f"http://127.0.0.1:{METRICS}/metrics", timeout=30) as response:
        lines = [line for line in response.read().decode().splitlines() if line.startswith("ray_modelyard_bundle")]
    return {line.partition("{")[0].removeprefix("ray_"): float(line.rpartition(" ")[2]) for line in lines}


def until(what: Callable[[], bool], patience_s: float = 90) -> bool:
    """Wait for a condition and return whether it became true in time."""
    ends = time.monotonic() + patience_s
    while time.monotonic() < ends:
        if what():
            return True
        time.sleep(0.5)
    return False


def follow(link: S3) -> None:
    """Start the model server before any version has been delivered, then deliver two."""
    start(link)
    FACTS["before"] = ask()[0]
    FACTS["trained"] = [train(link)]
    FACTS["first"] = until(lambda: version() == "1")
    FACTS["trained"].append(train(link))
    FACTS["second"] = until(lambda: version() == "2")
    FACTS["told"] = until(lambda: bundle_metrics().get("modelyard_bundle_version") == 2.0)


def restart_without_link(link: S3) -> None:
    """Restart the model server while the store is unreachable."""
    link.cut()
    serve.delete("line-live")
    start(link)
    FACTS["after restart"] = version()
    first = bundle_metrics().get("modelyard_bundle_age_seconds", 0.0)
    FACTS["age grows"] = until(lambda: bundle_metrics().get("modelyard_bundle_age_seconds", 0.0) > first + 2)


def work_without_link(link: S3) -> None:
    """Score rows on a worker without the store, then run a monitor that compares them with the training data."""
    scoring = {
        "model": read(),
        "steps": {"score": step()},
        "data": datasets("readings", "scores"),
        "output": "scores",
        "timeoutSeconds": 600,
        "batchSize": 100,
    }
    workload = described(link, "batch-inference", "score", pipeline=scoring)
    worker = {"num_cpus": 1, "resources": {GROUP: 1}}
    FACTS["scored"] = batch.score_datasets(record(PipelineWorkload, workload), ("readings",), "scores", worker, (1, 1))
    FACTS["scored by"] = sorted(set(pd.read_parquet(ROOT / "scores")["model_version"]))
    watching = {
        "type": "data-drift",
        "watch": "data.readings",
        "checks": [{"name": "psi", "metric": "psi", "max": 0.5, "severity": "page"}],
        "windowSeconds": 3600,
        "data": datasets("readings"),
        "models": [read()],
        "current": {"data": "readings"},
        "reference": {},
        "onBreach": {"notify": [], "rollback": False, "cooldownSeconds": 0},
    }
    workload = described(link, "monitor", "drift", monitor=watching)
    now = datetime.now(UTC)
    results, _ = monitor.run_checks(record(MonitorWorkload, workload), now)
    FACTS["compared"] = [(entry.feature, entry.breach) for entry in results]
    FACTS["pushed"] = sorted(
        {
            entry.name
            for entry in monitor.samples(record(MonitorWorkload, workload), results, now)
            if "bundle" in entry.name
        }
    )


def waiting() -> int:
    """Return the number of capture files that wait on disk to be uploaded."""
    return len(list((ROOT / "disk" / "captures").rglob("*.parquet.*")))


def come_back(link: S3) -> None:
    """Restore the link. Pending captures are uploaded, and the version promoted during the outage is served."""
    serve.delete("line-live")  # a replica writes its captures to disk when it stops
    FACTS["waiting"] = until(lambda: waiting() > 0)
    link.mend()
    before = len(link.names(BUCKET, "captures/"))
    FACTS["trained"].append(train(link))
    start(link)
    FACTS["third"] = until(lambda: version() == "3")
    serve.delete("line-live")
    FACTS["arrived"] = until(lambda: len(link.names(BUCKET, "captures/")) > before)
    FACTS["left"] = waiting()


main()
