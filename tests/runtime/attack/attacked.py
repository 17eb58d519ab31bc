"""A registry with users and workloads, which tests attack using a training Pod's permissions."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from modelyard_runtime.models.loading import Models, load
from modelyard_runtime.promotion import promoter
from modelyard_runtime.promotion.approvals import subject
from modelyard_runtime.promotion.gate import DIGEST_TAG, GATE_TAG
from modelyard_runtime.promotion.history import History
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.files import digest_of
from modelyard_runtime.registry.lineage import WORKLOAD_TAG
from modelyard_runtime.workload.records import Model, PromoterWorkload, Promotion, Workload
from tests.runtime.described import completed, record
from tests.runtime.registries import EXPERIMENT, HISTORY, MODEL, PROMOTER, SERVER, TRAINER, Running
from tests.runtime.signing import Signer

NAMED = {"registeredName": MODEL, "alias": "champion", "history": HISTORY, "uri": f"models:/{MODEL}@champion"}
EVIL = "what nobody approved"

ROUTES = [
    (method, f"{prefix}/mlflow/registered-models/alias{suffix}")
    for method in ("POST", "PUT", "PATCH", "DELETE")
    for prefix in ("/api/2.0", "/ajax-api/2.0", "/api/3.0", "/ajax-api/3.0", "/api/2.1/unity-catalog", "")
    for suffix in ("", "/", "?x=1", ";x", "%20", "%2F", "%00")
] + [
    ("POST", path)
    for path in (
        "//api/2.0/mlflow/registered-models/alias",
        "/api/2.0//mlflow/registered-models//alias",
        "/api/2.0/mlflow/registered-models/%61lias",
        "/api/2.0/mlflow/registered%2Dmodels/alias",
        "/api/2.0/mlflow/registered-models%2Falias",
        "/api/2.0/mlflow/x/../registered-models/alias",
        "/health/../api/2.0/mlflow/registered-models/alias",
        "/static-files/../api/2.0/mlflow/registered-models/alias",
        "/static/../api/2.0/mlflow/registered-models/alias",
        "/API/2.0/mlflow/registered-models/ALIAS",
        "/api/2.0/mlflow/registered-models/rename",
        "/ajax-api/2.0/mlflow/registered-models/rename/",
    )
]


class Answering:
    """A model that predicts the text stored in its file."""

    def __init__(self, text: str) -> None:
        self._said = text

    def predict(self, rows: object, params: object = None) -> str:
        """Return the text of the model's file as the prediction for every row."""
        return self._said


def _load_pyfunc(path: str) -> Answering:  # pyright: ignore[reportUnusedFunction]  # MLflow looks it up by name
    """Load a model from its file as MLflow does."""
    return Answering(Path(path).read_text(encoding="utf-8"))


class Yard:
    """The registry with its users and workloads. The attacker logs in as `trainer`."""

    def __init__(self, server: Running, folder: Path, connect: Callable[[str], None]) -> None:
        self.server, self.folder, self.connect = server, folder, connect
        self.risk, self.payments = Signer(folder, "risk"), Signer(folder, "payments")
        keys = {signer.key.name: {"sshKeys": [signer.line]} for signer in (self.risk, self.payments)}
        self.pipeline: dict[str, Any] = {
            "model": {"registeredName": MODEL, "history": HISTORY},
            "promoteTo": "champion",
            "approvals": {"from": list(keys), "minimum": 2, "groups": keys},
        }
        self.served_model = {**NAMED, "approvals": self.pipeline["approvals"]}
        self.workload: dict[str, Any] = {
            "apiVersion": "modelyard.dev/v1alpha1",
            "kind": "Workload",
            "system": "cards",
            "environment": "prod",
            "name": "promoter",
            "address": "promoter",
            "type": "promoter",
            "registry": {"uri": server.url, "artifacts": "lake"},
            "stores": {"lake": {"uri": f"file://{server.folder}/"}},
            "promotions": {"retrain": self.pipeline},
        }
        (folder / "promoter.json").write_text(json.dumps(completed(PromoterWorkload, self.workload)))

    def about(self, digest: str) -> dict[str, str]:
        """Return the statement that an approver signs to approve the files with the given digest."""
        return subject(record(Workload, self.workload), record(Promotion, self.pipeline), digest)

    def train(self, says: str, **tags: str) -> registry.Version:
        """Register a version as a training pipeline would after passing its gate."""
        self.connect(TRAINER)
        mlflow.set_experiment(EXPERIMENT)
        file = self.folder / "answer.txt"
        file.write_text(says)
        with mlflow.start_run():
            uri = mlflow.pyfunc.log_model(
                name="model", loader_module=__name__, data_path=str(file), pip_requirements=[]
            ).model_uri
        version_tags = {GATE_TAG: "held", DIGEST_TAG: digest_of(uri), WORKLOAD_TAG: "pipelines.retrain", **tags}
        return registry.register(MODEL, uri, version_tags)

    def look(self) -> int:
        """Run one promoter pass."""
        self.connect(PROMOTER)
        return promoter.run()

    def served(self) -> str:
        """Start a model server and return its response, or the reason it refuses to start."""
        self.connect(SERVER)
        version = Models(record(Workload, {"registry": {"uri": self.server.url}}), record(Model, NAMED)).version()
        assert version is not None
        try:
            return str(load(record(Workload, self.workload), record(Model, self.served_model), version).predict(None))
        except Refusal as refusal:
            return f"refused: {refusal}"

    def moves(self) -> list[tuple[str, str]]:
        """Return the alias moves recorded in the history."""
        self.connect(SERVER)
        return [(move.action, move.version) for move in History(record(Model, NAMED)).moves("champion")]

    def asks(self, method: str, path: str, body: object = None, user: str = TRAINER, **headers: str) -> int:
        """Send an HTTP request without a client library, which would normalize the path. Return the status code."""
        where = urlsplit(self.server.url)
        login = b64encode(f"{user}:the password of {user}".encode()).decode()
        sent_headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json", **headers}
        connection = HTTPConnection(str(where.hostname), where.port, timeout=30)
        try:
            connection.request(method, path, json.dumps(body), sent_headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def swap(self, version: registry.Version) -> None:
        """Replace a version's files, which requires only write access to their folder."""
        (file,) = self.files(version).rglob("answer.txt")
        file.write_text(EVIL)

    def files(self, version: registry.Version) -> Path:
        """Return the folder that holds a version's files."""
        return Path(urlsplit(mlflow.MlflowClient().get_model_version_download_uri(MODEL, version.version)).path)

    def id_of(self, experiment: str) -> str:
        """Return the ID of an experiment."""
        match = mlflow.MlflowClient().get_experiment_by_name(experiment)
        assert match is not None
        return str(match.experiment_id)


def denied(what: Callable[[], object]) -> None:
    """Assert that MLflow denies the call because of missing permissions."""
    with pytest.raises(MlflowException, match="Permission denied"):
        what()
