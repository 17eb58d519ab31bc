"""Tests a real MLflow server with user accounts that the runtime sets up from a description."""

from __future__ import annotations

import base64
import json
import os
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import mlflow
import pytest
from mlflow.exceptions import MlflowException

from modelyard_runtime.promotion import aliases
from modelyard_runtime.promotion.history import PROMOTE, History, Move
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.server import DATABASE, command_of, prepare, settings
from modelyard_runtime.workload.records import Model, Server, Workload
from tests.runtime.described import record
from tests.runtime.registries import (
    ADMIN,
    EXPERIMENT,
    HISTORY,
    MODEL,
    OTHER,
    PROMOTER,
    SERVER,
    TRAINER,
    Running,
    started,
)

# raised by the MLflow server's libraries
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:starlette")


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run a registry server for the tests in this file."""
    with started(tmp_path_factory.mktemp("registry")) as server:
        yield server


@pytest.fixture
def login(running: Running, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that logs in as a given user through the environment variables all workloads use."""

    def connect(name: str) -> None:
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", name)
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", f"the password of {name}")
        registry.connect(record(Workload, {"registry": {"uri": running.url}}))

    return connect


def trained() -> registry.Version:
    """Register a version as a training pipeline does."""
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run() as run:
        mlflow.log_metric("auc_pr", 0.9)
        mlflow.log_text("weights", "model/weights.txt")
        uri = mlflow.get_artifact_uri("model")
    version = mlflow.MlflowClient().create_model_version(MODEL, uri, run_id=run.info.run_id)
    return registry.version(MODEL, str(version.version))


def refused(what: Callable[[], object]) -> bool:
    """Return whether MLflow denies the call because of missing permissions."""
    with pytest.raises(MlflowException, match="Permission denied"):
        what()
    return True


def test_only_health_checks_work_without_a_login(running: Running) -> None:
    assert running.answers("/health") == 200
    assert running.answers("/") == 401
    assert running.answers("/api/2.0/mlflow/experiments/get?experiment_id=0") == 401


def test_wrong_password_is_refused(running: Running, login: Callable[[str], None]) -> None:
    login(ADMIN)
    os.environ["MLFLOW_TRACKING_PASSWORD"] = "another password"

    with pytest.raises(MlflowException, match="401"):
        registry.versions(MODEL)


def test_training_pipeline_can_change_only_its_own_model(login: Callable[[str], None]) -> None:
    login(TRAINER)
    client = mlflow.MlflowClient()

    version = trained()
    registry.tag(version, {"modelyard.gate": "held"})

    assert refused(lambda: client.create_model_version(OTHER, "s3://elsewhere/model"))
    assert refused(lambda: client.set_registered_model_tag(OTHER, "a", "b"))
    assert refused(lambda: client.delete_registered_model(MODEL))
    other = client.get_experiment_by_name("fraud/other")
    assert other is not None
    assert refused(lambda: client.create_run(other.experiment_id))


def test_only_the_promoter_can_move_aliases_and_record_moves(login: Callable[[str], None]) -> None:
    """Training pipelines can register versions but can't move aliases, rename models or write to the history."""
    login(TRAINER)
    version, client = trained(), mlflow.MlflowClient()
    history = History(record(Model, {"registeredName": MODEL, "history": HISTORY}))
    move = Move("champion", PROMOTE, version.version, "", "training", "because it can")

    assert refused(lambda: registry.set_alias(MODEL, "champion", version.version))
    assert refused(lambda: client.delete_registered_model_alias(MODEL, "champion"))
    assert refused(lambda: client.rename_registered_model(MODEL, "another-name"))
    assert refused(lambda: history.append(move))
    assert registry.version_at(MODEL, "champion") is None

    login(PROMOTER)
    assert aliases.promote(history, move) == version.version
    (recorded,) = history.moves("champion")
    assert refused(lambda: client.delete_run(recorded.id))

    login(TRAINER)
    assert refused(lambda: client.set_tag(recorded.id, "modelyard.move.digest", "another"))
    assert refused(lambda: client.delete_run(recorded.id))
    login(ADMIN)
    registry.set_alias(MODEL, "champion", version.version)


def test_server_login_is_read_only(login: Callable[[str], None]) -> None:
    login(TRAINER)
    version = trained()
    login(SERVER)
    client = mlflow.MlflowClient()

    assert registry.version(MODEL, version.version).uri == version.uri
    assert client.get_run(_run_of()).info.status == "FINISHED"
    assert refused(lambda: registry.tag(version, {"modelyard.gate": "held"}))
    assert refused(lambda: registry.set_alias(MODEL, "champion", version.version))
    assert refused(lambda: client.create_model_version(MODEL, "s3://elsewhere/model"))


def test_approver_can_attach_approvals_but_not_move_aliases(running: Running, login: Callable[[str], None]) -> None:
    """The approver's login is created as described in the emitted README."""
    login(TRAINER)
    version = trained()
    send_request(
        running, "/api/2.0/mlflow/users/create", {"username": "approver", "password": "the password of approver"}
    )
    right = {"resource_type": "registered_model", "resource_id": MODEL, "permission": "EDIT"}
    send_request(running, "/api/3.0/mlflow/users/permissions/grant", {"username": "approver", **right})

    login("approver")
    registry.tag(version, {"modelyard.approval.risk": "signed"})

    assert registry.version(MODEL, version.version).tags["modelyard.approval.risk"] == "signed"
    assert refused(lambda: registry.set_alias(MODEL, "champion", version.version))
    assert refused(lambda: mlflow.MlflowClient().set_registered_model_tag(OTHER, "a", "b"))
    send_request(running, "/api/2.0/mlflow/users/delete", {"username": "approver"}, "DELETE")


def send_request(running: Running, path: str, body: dict[str, str], method: str = "POST") -> None:
    """Send a request to the server as the administrator."""
    credentials = base64.b64encode(f"{ADMIN}:the password of {ADMIN}".encode()).decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{running.url}{path}", json.dumps(body).encode(), headers, method=method)
    urllib.request.urlopen(request).close()


def _run_of() -> str:
    (run, *_) = mlflow.search_runs(experiment_names=[EXPERIMENT], output_format="list")
    return str(run.info.run_id)


def test_each_pipeline_has_its_own_artifact_folder(running: Running, login: Callable[[str], None]) -> None:
    """Each pipeline has its own artifact folder, to which write access can be limited."""
    login(TRAINER)
    experiment = mlflow.MlflowClient().get_experiment_by_name(EXPERIMENT)

    assert experiment is not None
    assert experiment.artifact_location == running.described["experiments"][EXPERIMENT]


def test_permissions_follow_the_description(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restart revokes permissions missing from the description but keeps manually created users."""
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

    monkeypatch.setenv("MODELYARD_LOGINS", str(running.logins))
    users = SqlAlchemyStore()
    users.init_db(running.database)
    users.create_user("ada", "a password of hers")
    (running.logins / "workload.new").write_text("the password of workload.new")
    changed: dict[str, Any] = {**running.described, "users": {TRAINER: {"models": [OTHER]}, "workload.new": {}}}

    prepare(record(Server, changed), running.database)

    assert {each.name for each in users.list_registered_model_permissions(TRAINER)} == {OTHER}
    assert users.list_experiment_permissions(TRAINER) == []
    assert {user.username for user in users.list_users()} == {ADMIN, TRAINER, "workload.new", "ada"}
    prepare(record(Server, running.described), running.database)
    assert {each.name for each in users.list_registered_model_permissions(TRAINER)} == {MODEL}


def test_new_password_applies_at_the_next_start(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    from mlflow.server.auth.sqlalchemy_store import SqlAlchemyStore

    monkeypatch.setenv("MODELYARD_LOGINS", str(running.logins))
    users = SqlAlchemyStore()
    users.init_db(running.database)
    before = (running.logins / SERVER).read_text()
    (running.logins / SERVER).write_text("another password")

    prepare(record(Server, running.described), running.database)

    assert users.authenticate_user(SERVER, "another password")
    (running.logins / SERVER).write_text(before)
    prepare(record(Server, running.described), running.database)
    assert not users.authenticate_user(SERVER, "another password")


def test_missing_password_file_is_refused(running: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELYARD_LOGINS", str(running.logins))

    with pytest.raises(Refusal, match=r"the password of workload\.lost cannot be read"):
        prepare(record(Server, {**running.described, "users": {"workload.lost": {}}}), running.database)


def test_server_does_not_proxy_artifacts(running: Running) -> None:
    """Workloads access the bucket with their own roles. A server that proxied artifacts would need all their rights."""
    assert "--no-serve-artifacts" in command_of(record(Server, running.described), running.database)


@pytest.fixture
def data() -> Iterator[str]:
    """Yield a folder outside pytest's, which PostgreSQL cannot read because it does not run as root."""
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        yield folder


def test_tables_are_created_in_postgresql(data: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only libpq's environment variables are set, as in the cluster. A second start reuses the existing tables."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))  # an import requires it
    import psycopg2
    from pgserver.postgres_server import get_server

    (tmp_path / "logins").mkdir()
    (tmp_path / "logins" / TRAINER).write_text("the password of the trainer")
    described: dict[str, Any] = {
        "artifacts": "s3://lake/mlflow",
        "experiments": {EXPERIMENT: "s3://lake/mlflow/models/cards-fraud/"},
        "models": [MODEL],
        "users": {TRAINER: {"experiments": [EXPERIMENT], "models": [MODEL]}},
    }
    server = get_server(data, cleanup_mode="stop")
    (folder,) = parse_qs(urlsplit(server.get_uri()).query)["host"]
    try:
        for name, value in (
            ("PGHOST", folder),
            ("PGUSER", "postgres"),
            ("PGDATABASE", "postgres"),
        ):
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("MODELYARD_LOGINS", str(tmp_path / "logins"))
        monkeypatch.setenv("MLFLOW_AUTH_CONFIG_PATH", str(tmp_path / "basic-auth.ini"))
        settings(DATABASE)
        prepare(record(Server, described), DATABASE)
        prepare(record(Server, described), DATABASE)
        connection = psycopg2.connect("")
        rights = connection.cursor()
        rights.execute("SELECT resource_type, permission FROM role_permissions ORDER BY resource_type")
        assert rights.fetchall() == [("experiment", "EDIT"), ("registered_model", "EDIT")]
        connection.close()
    finally:
        server.cleanup()
