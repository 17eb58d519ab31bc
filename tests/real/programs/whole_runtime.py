"""Train a model on a local Ray cluster and carry on until a monitor reports a breach.

Run as `python whole_runtime.py FOLDER` with the runtime on the path. Prints the results as JSON.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import ray
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from ray import serve

from modelyard_runtime.batch import run as batch
from modelyard_runtime.jobs.cluster_api import ClusterApi
from modelyard_runtime.monitoring import breach, monitor
from modelyard_runtime.pipelines import driver
from modelyard_runtime.promotion import approvals, promoter
from modelyard_runtime.registry import client as registry
from modelyard_runtime.serving.application import application
from modelyard_runtime.workload.records import OF_TYPE, MonitorWorkload, PipelineWorkload, Workload
from tests.runtime.described import completed, look_of, record

ROOT = Path(sys.argv[1])
PORT = 8123
GROUP = "group-retrain"
RECEIVED: dict[str, list[Any]] = {"metrics": [], "jobs": []}
FACTS: dict[str, Any] = {}
APPROVER = Ed25519PrivateKey.generate()


class Receiver(BaseHTTPRequestHandler):
    """A fake server that accepts metrics like Prometheus and Jobs like the API server."""

    def do_POST(self) -> None:
        """Record the metrics or the Job in the request."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        kind = "jobs" if "/jobs" in self.path else "metrics"
        if kind == "jobs":
            body["metadata"]["creationTimestamp"] = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        RECEIVED[kind].append(body)
        self._answer(body)

    def do_GET(self) -> None:
        """Return a CronJob, or the Jobs created so far."""
        if "/cronjobs/" in self.path:
            template = {"spec": {"template": {"spec": {}}}}
            self._answer({"metadata": {"name": "retrain", "uid": "u1"}, "spec": {"jobTemplate": template}})
        else:
            self._answer({"items": RECEIVED["jobs"]})

    def log_message(self, *args: Any) -> None:
        """Log nothing."""

    def _answer(self, content: Any) -> None:
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Run the entire scenario."""
    receiver = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    transactions = make_data()
    ray.init(address="local", num_cpus=4, resources={GROUP: 2}, include_dashboard=False, log_to_driver=False)
    train()
    answer_requests(transactions)
    score()
    look(f"http://127.0.0.1:{receiver.server_port}")
    serve.shutdown()
    ray.shutdown()
    sys.stdout.write(json.dumps(FACTS) + "\n")


def make_data() -> pd.DataFrame:
    """Write transactions, and a separate dataset with their fraud labels."""
    random, count = np.random.default_rng(0), 600
    frame = pd.DataFrame({"id": np.arange(count), "amount": random.gamma(2, 50, count)})
    frame["country"] = random.choice(["ch", "de", "fr"], count)
    frame["at"] = pd.Timestamp.now(tz="UTC") - pd.to_timedelta(np.arange(count)[::-1] * 60, unit="s")
    truth = frame[["id"]].assign(fraud=((frame.amount > 120) & (frame.country != "ch")).astype(int))
    for name, part in (
        ("transactions/day=1/a", frame[:300]),
        ("transactions/day=2/b", frame[300:]),
        ("labels/a", truth),
    ):
        path = ROOT / f"{name}.parquet"
        path.parent.mkdir(parents=True, exist_ok=True)
        part.to_parquet(path)
    return frame


def described(type_: str, name: str, **more: Any) -> dict[str, Any]:
    """Write a workload's description to the path where the runtime reads it."""
    governance = {
        "owner": {"team": "risk", "email": "risk@acme.example"},
        "risk": "high",
        "dataClasses": [],
        "lineage": True,
    }
    workload = {
        "apiVersion": "modelyard.dev/v1alpha1",
        "kind": "Workload",
        "type": type_,
        "name": name,
        "address": f"pipelines.{name}",
        "system": "cards",
        "environment": "default",
        "target": "main",
        "governance": governance,
        "registry": {"uri": f"file://{ROOT}/registry"},
        **more,
    }
    path = ROOT / f"{name}.json"
    path.write_text(json.dumps(completed(OF_TYPE[type_], workload)))
    os.environ["MODELYARD_WORKLOAD"] = str(path)
    return workload


def model(**more: Any) -> dict[str, Any]:
    """Return the model as described to all workloads."""
    kinds = {"task": "binary-classification", "framework": "xgboost"}
    return {"name": "fraud", "registeredName": "cards-fraud", "experiment": "cards/fraud", **kinds, **more}


def champion() -> dict[str, Any]:
    """Return the model as endpoints and pipelines refer to it: by its alias."""
    return model(uri="models:/cards-fraud@champion", alias="champion")


def datasets(*names: str) -> dict[str, Any]:
    """Return the given datasets as described to a workload."""
    more: dict[str, dict[str, Any]] = {
        "transactions": {"timestamp": "at", "features": ["amount", "country"]},
        "labels": {"label": "fraud"},
        "scores": {},
    }
    return {name: {"uri": f"file://{ROOT}/{name}", "format": "parquet", **more[name]} for name in names}


def step(*inputs: str, **more: Any) -> dict[str, Any]:
    """Return a pipeline step with one or two small workers."""
    resources = {"cpus": 1, "gpus": 0, "group": GROUP}
    return {
        "needs": [],
        "inputs": list(inputs),
        "workers": {"min": 1, "max": 2},
        "resources": resources,
        "parameters": {},
        "retries": 0,
        "timeoutSeconds": 600,
        **more,
    }


def public_key() -> str:
    """Return the approver's public key in authorized_keys format."""
    line = APPROVER.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH)
    return f"{line.decode()} ada@acme.example"


def approval(workload: dict[str, Any], digest: str) -> str:
    """Sign a statement in ssh-keygen's format, without ssh-keygen itself, which may be missing from the image."""

    def strings(*parts: bytes) -> bytes:
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)

    statement = json.dumps(approvals.subject(record(Workload, workload), look_of(workload).promotion, digest))
    namespace = approvals.NAMESPACE.encode()
    hashed = hashlib.sha512(statement.encode()).digest()
    signature = APPROVER.sign(b"SSHSIG" + strings(namespace, b"", b"sha512", hashed))
    key = base64.b64decode(public_key().split()[1])
    parts = strings(key, namespace, b"", b"sha512", strings(b"ssh-ed25519", signature))
    body = base64.b64encode(b"SSHSIG" + (1).to_bytes(4, "big") + parts).decode()
    armored = f"-----BEGIN SSH SIGNATURE-----\n{body}\n-----END SSH SIGNATURE-----\n"
    return json.dumps({"statement": statement, "signature": armored})


def train() -> None:
    """Train using a parameter search and a passing gate. The approvals are added later."""
    space = {"max_depth": {"kind": "int", "low": 2, "high": 4}}
    tuning = {"metric": "auc_pr", "goal": "maximize", "trials": 2, "parallel": 2, "earlyStopping": "asha", "seed": 1}
    retrain = step("transactions", "labels", trainer="xgboost", parameters={"n_estimators": 20})
    explained = model(explainability={"method": "shap", "sample": 50}, card={"purpose": "Ranks payments."})
    pipeline = {
        "model": explained,
        "steps": {"retrain": retrain},
        "data": datasets("transactions", "labels"),
        "timeoutSeconds": 900,
        "split": {"fraction": 0.2, "by": "time", "seed": 1},
        "tuning": {**tuning, "space": space},
        "validation": [
            {"name": "good", "metric": "auc_pr", "min": 0.8},
            {"name": "better", "metric": "auc_pr", "versus": "champion", "minDelta": 0.0},
        ],
        "approvals": {"from": ["model-risk"], "minimum": 1, "groups": {"model-risk": {"sshKeys": [public_key()]}}},
        "promoteTo": "champion",
    }
    workload = described("training", "retrain", pipeline=pipeline)
    FACTS["train"] = driver.run()
    registry.connect(record(Workload, workload))
    FACTS["before approval"] = registry.version_at("cards-fraud", "champion") is None
    version = registry.version("cards-fraud", "1")
    FACTS["tags"] = dict(version.tags)
    digest = version.tags["modelyard.digest"]
    registry.tag(version, {"modelyard.approval.model-risk": approval(workload, "sha256:of-another-model")})
    registry.tag(version, {"modelyard.approval.forged": digest})
    promoter.run()
    FACTS["after an approval of another model"] = registry.version_at("cards-fraud", "champion") is None
    registry.tag(version, {"modelyard.approval.model-risk": approval(workload, digest)})
    promoter.run()
    at = registry.version_at("cards-fraud", "champion")
    FACTS["champion"] = at.version if at else None


def answer_requests(transactions: pd.DataFrame) -> None:
    """Serve the application over HTTP and test tokens, valid and invalid rows, and request capture."""
    (ROOT / "token").write_text("shut sesame\nopen sesame\n")  # the old and the new token during a rotation
    scorer = {
        "variant": "champion",
        "model": champion(),
        "batching": {"maxSize": 4, "maxWaitMilliseconds": 20},
        "timeoutSeconds": 60,
        "capture": {"uri": f"file://{ROOT}/captures", "store": "lake", "fraction": 1.0},
        "accessLog": {"endpoint": "scorer"},
        "auth": {"type": "bearer-token", "tokenFiles": {"shop": str(ROOT / "token")}},
    }
    described("server", "scorer", applications={"scorer-champion": scorer})
    serve.start(http_options={"host": "127.0.0.1", "port": PORT}, proxy_location="HeadOnly")
    serve.run(application({"application": "scorer-champion"}), name="scorer-champion", route_prefix="/scorer")
    FACTS["health"] = ask("GET", "/scorer/healthz")
    FACTS["without token"] = ask("POST", "/scorer", {"instances": []}, token="wrong")[0]
    FACTS["wrong rows"] = ask("POST", "/scorer", {"instances": [{"amount": "much", "country": "de"}]})
    rows = json.loads(transactions.drop(columns="at").to_json(orient="records"))
    FACTS["answer"] = ask("POST", "/scorer", {"instances": [{"id": 1, "amount": 300, "country": "de"}]})
    for start in range(0, 40, 10):  # amounts now exceed those in the training data
        dear = [{**row, "amount": row["amount"] + 400} for row in rows[start : start + 10]]
        ask("POST", "/scorer", {"instances": dear})
    serve.delete("scorer-champion")  # a replica writes its captures when it stops


def ask(method: str, path: str, body: Any = None, token: str = "open sesame") -> tuple[int, Any]:
    """Send a request to the model server, and return its status and JSON."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"http://127.0.0.1:{PORT}{path}", data, headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=90) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as problem:
        return problem.code, json.load(problem)


def score() -> None:
    """Score the same data twice. The second run has nothing left to score."""
    pipeline = {
        "model": champion(),
        "steps": {"score": step("transactions")},
        "data": datasets("transactions", "scores"),
        "output": "scores",
        "timeoutSeconds": 600,
        "batchSize": 100,
    }
    workload = described("batch-inference", "score", pipeline=pipeline)
    FACTS["score"] = driver.run()
    FACTS["scored rows"] = len(pd.read_parquet(ROOT / "scores"))
    again = batch.score_datasets(record(PipelineWorkload, workload), ("transactions",), "scores", {}, (1, 1))
    FACTS["scored again"] = again


def look(receiver: str) -> None:
    """Run the monitor on drifted captures.

    It sends metrics and starts the pipeline only once per cooldown period.
    """
    run = {"pipeline": "retrain", "cronJob": "retrain"}
    section = {
        "type": "data-drift",
        "watch": "inference.scorer",
        "checks": [{"name": "psi", "metric": "psi", "max": 0.2, "severity": "page"}],
        "windowSeconds": 3600,
        "data": {},
        "models": [{**champion(), "variant": "champion"}],
        "current": {"capture": {"uri": f"file://{ROOT}/captures", "store": "lake"}},
        "reference": {},
        "onBreach": {"notify": [], "run": run, "rollback": False, "cooldownSeconds": 3600},
    }
    metrics = {"otlp": f"{receiver}/api/v1/otlp/v1/metrics", "namespace": "cards"}
    workload = described("monitor", "drift", monitor=section, metrics=metrics)
    (ROOT / "account").write_text("secret")
    api = ClusterApi(receiver, "cards", ROOT / "account", None)
    ended = time.monotonic() + 60
    while not list((ROOT / "captures").rglob("*.parquet")) and time.monotonic() < ended:
        time.sleep(0.5)
    now = datetime.now(UTC)
    results, _ = monitor.run_checks(record(MonitorWorkload, workload), now)
    FACTS["drift"] = {entry.feature: [entry.value, entry.breach] for entry in results}
    FACTS["told"] = monitor.tell(record(MonitorWorkload, workload), results, now)
    pushed = [
        each for entry in RECEIVED["metrics"] for each in entry["resourceMetrics"][0]["scopeMetrics"][0]["metrics"]
    ]
    FACTS["metrics"] = [each["name"] for each in pushed]
    watching = record(MonitorWorkload, workload)
    FACTS["acted"] = [*breach.act(watching, now, api=api), *breach.act(watching, now, api=api)]
    FACTS["jobs"] = len(RECEIVED["jobs"])


main()
