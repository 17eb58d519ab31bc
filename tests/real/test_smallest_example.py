"""Tests the smallest example in a complete Kubernetes cluster, from building its image to a prediction."""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from testbed import environments, image
from testbed.kubernetes.whole_kubernetes import NODE_ADDRESS, WholeKubernetes
from testbed.processes import Processes
from tests.examples import Example
from tests.real.test_examples import written

EXAMPLE = Example("hello", None)
MLFLOW = "mlflow==3.17.2\nscikit-learn==1.9.1\n"
_REGISTER = """\
import sys

import mlflow
import pandas as pd
from mlflow.models import infer_signature
from sklearn.linear_model import LogisticRegression

url, name, alias = sys.argv[1:4]
mlflow.set_tracking_uri(url)
rows = pd.DataFrame({"age": [20.0, 30.0, 40.0, 50.0, 60.0, 70.0], "income": [1.0, 2.0, 3.0, 1.0, 2.0, 3.0]})
model = LogisticRegression().fit(rows, rows["age"] > 45)
with mlflow.start_run():
    logged = mlflow.sklearn.log_model(
        model, name="model", registered_model_name=name, signature=infer_signature(rows, model.predict(rows))
    )
mlflow.MlflowClient().set_registered_model_alias(name, alias, str(logged.registered_model_version))
"""
_POST = """\
import sys, urllib.error, urllib.request as r
asked = r.Request(sys.argv[1], data=sys.argv[2].encode(), headers={"Content-Type": "application/json"})
print(r.urlopen(asked, timeout=60).read().decode())
"""
_GET = """\
import sys, urllib.error, urllib.request as r
try:
    print(r.urlopen(r.Request(sys.argv[1], headers={"Authorization": "Bearer " + sys.argv[2]}), timeout=30).status)
except urllib.error.HTTPError as refused:
    print(refused.code)
"""


@pytest.fixture
def registry(whole_kubernetes: WholeKubernetes, tmp_path: Path) -> Iterator[str]:
    """Run the MLflow server that the example expects, with a version behind the alias that is served."""
    python = environments.environment(MLFLOW)
    kubectl = whole_kubernetes.kubectl
    kubectl.apply(
        [
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "mlflow"}},
            {
                "apiVersion": "v1",
                "kind": "Service",
                "metadata": {"name": "mlflow", "namespace": "mlflow"},
                "spec": {"ports": [{"port": 5000}], "clusterIP": "None"},
            },
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    "name": "mlflow-1",
                    "namespace": "mlflow",
                    "labels": {"kubernetes.io/service-name": "mlflow"},
                },
                "addressType": "IPv4",
                "ports": [{"port": 5000, "protocol": "TCP"}],
                "endpoints": [{"addresses": [NODE_ADDRESS], "conditions": {"ready": True}}],
            },
        ]
    )
    address = f"http://{NODE_ADDRESS}:5000"
    (tmp_path / "mlflow").mkdir()
    with kubectl.removing("mlflow"), Processes(tmp_path / "mlflow", whole_kubernetes.within) as processes:
        processes.start(
            "mlflow",
            python.parent / "mlflow",
            "server",
            f"--host={NODE_ADDRESS}",
            "--port=5000",
            "--workers=1",
            "--allowed-hosts=*",
            f"--backend-store-uri=sqlite:///{tmp_path}/mlflow.db",
            f"--artifacts-destination={tmp_path}/artifacts",
        )
        processes.wait_until(lambda: whole_kubernetes.reaches(f"{address}/health"), "MLflow answers", 120)
        whole_kubernetes.run(str(python), "-c", _REGISTER, address, "hello-churn", "champion", seconds=120)
        yield address


@pytest.fixture
def emptied(whole_kubernetes: WholeKubernetes) -> Iterator[None]:
    """Delete everything that the test has deployed, even if it fails."""
    with whole_kubernetes.kubectl.removing("hello"):
        yield


@pytest.mark.usefixtures("registry", "emptied")
def test_the_smallest_example_answers(whole_kubernetes: WholeKubernetes, base_image: Path, tmp_path: Path) -> None:
    """All steps from the spec to a prediction are real, except that the image is loaded instead of pulled."""
    kubectl = whole_kubernetes.kubectl
    folder = written(EXAMPLE.compiled(), tmp_path / "build") / "main"
    manifests = folder / "workloads" / "manifests"
    served = next(line for line in (manifests / "model-churn.yaml").read_text().splitlines() if "image: " in line)
    name = served.partition("image: ")[2].strip()
    assert base_image.exists()
    whole_kubernetes.load(image.build(folder / "image", name))

    for file in ("namespace", "model-churn"):
        kubectl.apply(manifests / f"{file}.yaml")
    kubectl.wait_until(lambda: _ready(whole_kubernetes), "the RayService is ready", 900)

    (head,) = kubectl.all("pods", "hello", "ray.io/node-type=head")
    address = cast(Any, head)["status"]["podIP"]
    version = f"http://{address}:8265/api/version"
    assert whole_kubernetes.run(sys.executable, "-c", _GET, version, "not the token").strip() in {"401", "403"}
    assert whole_kubernetes.run(sys.executable, "-c", _GET, version, _token(whole_kubernetes)).strip() == "200"

    service = kubectl.get("service", "churn-serve-svc", "hello")
    url = f"http://{cast(Any, service)['spec']['clusterIP']}:8000/"
    rows = {"instances": [{"age": 22.0, "income": 1.0}, {"age": 68.0, "income": 2.0}]}
    answer = json.loads(whole_kubernetes.run(sys.executable, "-c", _POST, url, json.dumps(rows)))
    assert [bool(value) for value in answer["predictions"]] == [False, True]


def _ready(cluster: WholeKubernetes) -> bool:
    ready = cluster.kubectl.value("rayservice", "churn", '{.status.conditions[?(@.type=="Ready")].status}', "hello")
    return ready == "True"


def _token(cluster: WholeKubernetes) -> str:
    ray_cluster = cluster.kubectl.value("rayservice", "churn", "{.status.activeServiceStatus.rayClusterName}", "hello")
    return base64.b64decode(cluster.kubectl.value("secret", ray_cluster, "{.data.auth_token}", "hello")).decode()
