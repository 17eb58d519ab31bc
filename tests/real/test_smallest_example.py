"""Tests the smallest example in a complete Kubernetes cluster, from building its image to a prediction.

It runs as emitted for a data center, and for each cloud using a stand-in for its object store: moto, an emulator of
Google Cloud Storage, and Azurite. Pods reach the stores under their real names, with the identity that the cloud's
webhook or agent would provide. Role permissions are evaluated in other tests, and cloud networks are not tested.
"""

from __future__ import annotations

import base64
import json
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from modelyard.pipeline import InputFile, Inputs, compile_system
from modelyard_runtime.registry.lineage import content_digest
from modelyard_targets import TARGETS
from testbed import environments, image
from testbed.kubernetes.kubectl import Object
from testbed.kubernetes.monitoring import on_the_node
from testbed.kubernetes.whole_kubernetes import NODE_ADDRESS, WholeKubernetes
from testbed.places import REPOSITORY
from testbed.processes import Processes
from tests.examples import Example
from tests.real.object_stores import ADDRESSES, CLOUDS, CONTROL, PROGRAM, PYTHONPATH, System, described, namespace, spec
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


@dataclass(frozen=True, slots=True)
class Registry:
    """A running MLflow server, and the folder with the model's files."""

    address: str
    model: Path


@pytest.fixture(scope="module")
def registry(whole_kubernetes: WholeKubernetes, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """Run the MLflow server the example expects, including a model version under the served alias."""
    python = environments.environment(MLFLOW)
    folder = tmp_path_factory.mktemp("mlflow")
    address = f"http://{NODE_ADDRESS}:5000"
    with whole_kubernetes.kubectl.removing("mlflow"), Processes(folder, whole_kubernetes.within) as processes:
        whole_kubernetes.kubectl.apply([namespace_of("mlflow"), *_mlflow_in("mlflow")])
        processes.start(
            "mlflow",
            python.parent / "mlflow",
            "server",
            f"--host={NODE_ADDRESS}",
            "--port=5000",
            "--workers=1",
            "--allowed-hosts=*",
            f"--backend-store-uri=sqlite:///{folder}/mlflow.db",
            f"--artifacts-destination={folder}/artifacts",
            # A server whose own artifacts are in Azure, like the emitted server, accepts such addresses without help.
            environment={**os.environ, "MLFLOW_ALLOWED_HOST_ADDRESSED_ARTIFACT_SCHEMES": "abfss"},
        )
        processes.wait_until(lambda: whole_kubernetes.reaches(f"{address}/health"), "MLflow answers", 120)
        whole_kubernetes.run(str(python), "-c", _REGISTER, address, "hello-churn", "champion", seconds=120)
        (described,) = folder.glob("artifacts/**/MLmodel")
        yield Registry(address, described.parent)


@dataclass(frozen=True, slots=True)
class Emitted:
    """The example for a data centre, with its image on the node."""

    project: Path
    image: str


@pytest.fixture(scope="module")
def emitted(whole_kubernetes: WholeKubernetes, base_image: Path, tmp_path_factory: pytest.TempPathFactory) -> Emitted:
    """Compile the example, and build and load its image."""
    project = written(EXAMPLE.compiled(), tmp_path_factory.mktemp("hello")) / "main"
    manifest = (project / "workloads" / "manifests" / "model-churn.yaml").read_text()
    name = next(line for line in manifest.splitlines() if "image: " in line).partition("image: ")[2].strip()
    assert base_image.exists()
    whole_kubernetes.load(image.build(project / "image", name))
    return Emitted(project, name)


@pytest.mark.usefixtures("registry")
def test_the_smallest_example_answers(whole_kubernetes: WholeKubernetes, emitted: Emitted) -> None:
    """Every step from spec to prediction is real, except that the image is loaded rather than pulled."""
    kubectl = whole_kubernetes.kubectl
    with kubectl.removing("hello"):
        for file in ("namespace", "model-churn"):
            kubectl.apply(emitted.project / "workloads" / "manifests" / f"{file}.yaml")
        kubectl.wait_until(lambda: _ready(whole_kubernetes, "hello"), "the RayService is ready", 900)

        (head,) = kubectl.all("pods", "hello", "ray.io/node-type=head")
        address = cast(Any, head)["status"]["podIP"]
        version = f"http://{address}:8265/api/version"
        assert whole_kubernetes.run(sys.executable, "-c", _GET, version, "not the token").strip() in {"401", "403"}
        assert whole_kubernetes.run(sys.executable, "-c", _GET, version, _token(whole_kubernetes)).strip() == "200"
        assert _predictions(whole_kubernetes, "hello") == [False, True]


@pytest.fixture
def clouds(
    whole_kubernetes: WholeKubernetes, registry: Registry, azurite: None, tmp_path: Path
) -> Iterator[tuple[list[System], dict[str, str]]]:
    """Run three clouds containing the example's stores. Return the compiled systems and Azure's identities."""
    digest = content_digest(registry.model)
    systems = [System(cloud, _compiled(spec(cloud, digest), tmp_path / cloud)) for cloud in CLOUDS]
    given = described(systems, whole_kubernetes, registry.model)
    folder = tmp_path / "clouds"
    folder.mkdir()
    (folder / "clouds.json").write_text(json.dumps(given))
    whole_kubernetes.resolve(given["hosts"])
    for name in ("agent", "metadata"):
        whole_kubernetes.run("ip", "addr", "replace", f"{ADDRESSES[name]}/32", "dev", "node0")
    texts = (REPOSITORY / "runtime/modelyard_runtime/requirements.txt", REPOSITORY / "tests/runtime/requirements.txt")
    python = environments.environment("\n".join(map(Path.read_text, texts)))
    with Processes(folder, whole_kubernetes.within) as processes:
        processes.start("clouds", *whole_kubernetes.by_name, "env", PYTHONPATH, python, PROGRAM, folder)
        processes.wait_until(lambda: whole_kubernetes.reaches(f"{CONTROL}/seen"), "the clouds answer", 120)
        with whole_kubernetes.kubectl.removing(*(namespace(cloud) for cloud in CLOUDS)):
            for system in systems:
                _prepare(whole_kubernetes, system, (folder / "ca.pem").read_text())
            yield systems, json.loads((folder / "identities.json").read_text())


def test_each_object_store_protocol(
    whole_kubernetes: WholeKubernetes, emitted: Emitted, clouds: tuple[list[System], dict[str, str]], tmp_path: Path
) -> None:
    """A vendor's model is imported from each store into the registry's artifacts there, and then served."""
    kubectl = whole_kubernetes.kubectl
    systems, identities = clouds
    used = _with_all_clients(whole_kubernetes, emitted.image, systems, tmp_path / "image")
    for system in systems:
        kubectl.apply(list(system.admitted(used, identities)))
    for cloud in CLOUDS:
        kubectl.run("create", "job", "import", "--from=cronjob/promoter", "--namespace", namespace(cloud))
    for cloud in CLOUDS:
        kubectl.wait_until(partial(_answers, whole_kubernetes, namespace(cloud)), f"{cloud} answers", 900)

    def captured() -> bool:
        found: dict[str, int] = json.loads(whole_kubernetes.fetch(f"{CONTROL}/captured"))
        return all(found[cloud] >= 2 for cloud in CLOUDS)

    kubectl.wait_until(captured, "each store has the captured rows", 180)
    seen = [tuple(each) for each in json.loads(whole_kubernetes.fetch(f"{CONTROL}/seen"))]
    for cloud in CLOUDS:
        users = {who for where, who, *_ in seen if where == cloud}
        assert users == {f"{namespace(cloud)}/promoter", f"{namespace(cloud)}/churn"}


def _compiled(text: str, folder: Path) -> Path:
    outcome = compile_system(Inputs(InputFile("hello/system.yaml", text), None, None), TARGETS)
    return written(outcome, folder) / "main"


def _prepare(cluster: WholeKubernetes, system: System, authority: str) -> None:
    """Create the namespace, and the objects in it that people or operators would create, such as logins."""
    name = namespace(system.cloud)
    cluster.kubectl.apply(system.project / "workloads" / "manifests" / "namespace.yaml")
    login = {"username": "workload", "password": "of no use for this server"}
    secrets: list[Object] = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": f"mlflow-login.{workload}", "namespace": name},
            "stringData": dict(login),
        }
        for workload in ("churn", "promoter")
    ]
    trusted: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "trusted", "namespace": name},
        "data": {"ca.pem": authority},
    }
    cluster.kubectl.apply([*_mlflow_in(name), *secrets, trusted])


def _mlflow_in(namespace: str) -> list[Object]:
    """Return a Service for the MLflow server on the node."""
    spec: Object = {"ports": [{"port": 5000}], "clusterIP": "None"}
    meta: Object = {"name": "mlflow", "namespace": namespace}
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": meta, "spec": spec},
        on_the_node("mlflow", namespace, 5000),
    ]


def namespace_of(name: str) -> Object:
    """Return a namespace."""
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def _with_all_clients(cluster: WholeKubernetes, base: str, systems: list[System], folder: Path) -> str:
    """Add the packages for all clouds to one image and return its name.

    Building an image per cloud would take a minute.
    """
    folder.mkdir()
    packages: dict[str, str] = {}
    for system in systems:
        text = (system.project / "image" / "requirements.txt").read_text()
        for entry in re.findall(r"^\S.*(?:\n\s+.*)*", text, re.MULTILINE):
            packages[entry.partition("==")[0]] = entry
    (folder / "requirements.txt").write_text("\n".join(packages.values()))
    install = "RUN python -m pip install --no-cache-dir --require-hashes -r /opt/modelyard/requirements.txt"
    steps = (f"FROM {base}", "USER root", "COPY requirements.txt /opt/modelyard/requirements.txt", install, "USER 1000")
    (folder / "Dockerfile").write_text("\n".join(steps))
    name = f"{base.rpartition(':')[0]}:with-all-clients"
    cluster.load(image.build(folder, name))
    return name


def _answers(cluster: WholeKubernetes, namespace: str) -> bool:
    """Return whether the model server responds with the imported model. If the import failed, raise its output."""
    failed = cluster.kubectl.value("job", "import", "{.status.failed}", namespace)
    assert not failed, cluster.kubectl.run("logs", "job/import", "--namespace", namespace)
    try:
        return _ready(cluster, namespace) and _predictions(cluster, namespace) == [False, True]
    except RuntimeError:  # the alias has no version yet
        return False


def _predictions(cluster: WholeKubernetes, namespace: str) -> list[bool]:
    service = cluster.kubectl.get("service", "churn-serve-svc", namespace)
    url = f"http://{cast(Any, service)['spec']['clusterIP']}:8000/"
    rows = {"instances": [{"age": 22.0, "income": 1.0}, {"age": 68.0, "income": 2.0}]}
    answer = json.loads(cluster.run(sys.executable, "-c", _POST, url, json.dumps(rows)))
    return [bool(value) for value in answer["predictions"]]


def _ready(cluster: WholeKubernetes, namespace: str) -> bool:
    ready = cluster.kubectl.value("rayservice", "churn", '{.status.conditions[?(@.type=="Ready")].status}', namespace)
    return ready == "True"


def _token(cluster: WholeKubernetes) -> str:
    ray_cluster = cluster.kubectl.value("rayservice", "churn", "{.status.activeServiceStatus.rayClusterName}", "hello")
    return base64.b64decode(cluster.kubectl.value("secret", ray_cluster, "{.data.auth_token}", "hello")).decode()
