"""Tests that a migration between two real MLflow databases copies a registry's contents, including IDs."""

from __future__ import annotations

import importlib.util
import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import mlflow
import pytest
import sqlalchemy
from mlflow.entities import Metric, Param, RunTag
from mlflow.entities.model_registry import ModelVersionTag
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Models
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Runs

from tests.runtime.registries import EXPERIMENT, HISTORY, MODEL, PROMOTER, SERVER, TRAINER, Running, started

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:starlette")

SCRIPT = Path(__file__).parents[3] / "compiler/modelyard/migration/registry_copy.py"
OLD, NEW = "s3://old/mlflow", "gs://new/mlflow"


@pytest.fixture(scope="module")
def copying() -> Any:
    """Return the copying script as a module. The compiler emits its source, but no compiler code is needed here."""
    spec = importlib.util.spec_from_file_location("registry_copy", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], tuple[Any, Runs, Models]]:
    """Return a function that opens a registry backed by its own database."""
    folder = tmp_path_factory.mktemp("registries")

    def opened(name: str, artifacts: str) -> tuple[Any, Runs, Models]:
        uri = f"sqlite:///{folder / name}.db"
        return sqlalchemy.create_engine(uri), Runs(uri, artifacts), Models(uri)

    return opened


def test_versions_aliases_and_runs_keep_their_ids_and_addresses_move(copying: Any, registries: Any) -> None:
    """After an import, both registries have the same summary, and artifact addresses start with the new bucket.

    Imports can be repeated.
    """
    old_engine, runs, models = registries("old", OLD)
    experiment = runs.create_experiment("fraud/fraud-xgb", f"{OLD}/models/fraud-xgb/")
    run = runs.create_run(experiment, "trainer", 1, [RunTag("modelyard.workload", "pipelines.retrain")], "first")
    runs.log_metric(run.info.run_id, Metric("auc", float("nan"), 5, 0))
    runs.log_param(run.info.run_id, Param("depth", "3"))
    models.create_registered_model("fraud-xgb")
    for _ in range(3):
        models.create_model_version("fraud-xgb", f"{OLD}/models/fraud-xgb/7/model", run.info.run_id)
    models.set_model_version_tag("fraud-xgb", "2", ModelVersionTag("modelyard.digest", "sha256:abc"))
    models.set_registered_model_alias("fraud-xgb", "champion", "2")
    new_engine, new_runs, new_models = registries("new", NEW)
    new_runs.create_experiment("made/by-the-server", f"{NEW}/other")  # gets the ID of another experiment
    lines = io.StringIO()

    copying.export(old_engine, lines)
    for _ in range(2):
        copying.replace(new_engine, io.StringIO(lines.getvalue()), [(OLD, NEW)])

    summary = list(copying.summary(old_engine))
    assert summary == list(copying.summary(new_engine))
    assert "fraud-xgb@champion 2 sha256:abc" in summary
    assert "model_versions 3" in summary
    version = new_models.get_model_version_by_alias("fraud-xgb", "champion")
    assert (version.version, version.source, version.run_id) == (
        2,
        f"{NEW}/models/fraud-xgb/7/model",
        run.info.run_id,
    )
    copied = new_runs.get_run(run.info.run_id)
    assert copied.info.artifact_uri.startswith(f"{NEW}/models/fraud-xgb/")
    assert copied.data.params == {"depth": "3"}
    assert new_runs.get_experiment_by_name("fraud/fraud-xgb").experiment_id == experiment


@pytest.fixture(scope="module")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Return a function that creates a database.

    The server's files are outside pytest's folder, which PostgreSQL can't read.
    """
    with tempfile.TemporaryDirectory(prefix="postgresql-") as data, pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))  # an import requires it
        from pgserver.postgres_server import get_server

        server = get_server(data, cleanup_mode="stop")

        def created(name: str) -> str:
            server.psql(f"CREATE DATABASE {name};")
            return str(server.get_uri(database=name)).replace("postgresql:", "postgresql+psycopg2:")

        try:
            yield created
        finally:
            server.cleanup()


def test_a_registry_moves_between_two_servers_on_two_databases_of_postgresql(
    copying: Any, postgresql: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """IDs, aliases, digests, approvals and histories are preserved in both directions, and training continues.

    The script runs as in the servers' Pods, while both servers run. As in a plan, the new server is restarted once.
    """
    databases = {which: postgresql(which) for which in ("old", "new")}
    for which in databases:
        (tmp_path / which).mkdir()
    moved = [f"file://{tmp_path}/{which}/artifacts" for which in databases]

    def copy(command: str, which: str, given: str = "", *words: str) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "MODELYARD_DATABASE": databases[which]}
        process = [sys.executable, "-c", SCRIPT.read_text(encoding="utf-8"), command, *words]
        return subprocess.run(process, input=given, env=environment, capture_output=True, text=True, timeout=120)

    def client(server: Running, name: str) -> mlflow.MlflowClient:
        monkeypatch.setenv("MLFLOW_TRACKING_USERNAME", name)
        monkeypatch.setenv("MLFLOW_TRACKING_PASSWORD", f"the password of {name}")
        return mlflow.MlflowClient(server.url, server.url)

    with started(tmp_path / "old", databases["old"]) as old:
        with started(tmp_path / "new", databases["new"]) as new:
            run = _train(client(old, TRAINER))
            history = _promote(client(old, PROMOTER))
            exported = copy("export", "old").stdout
            engines = {which: sqlalchemy.create_engine(database) for which, database in databases.items()}
            before = _content(copying, engines["new"])
            cut = [copy("import", "new", part, "=".join(moved)) for part in _cut(exported)]
            untouched = _content(copying, engines["new"]) == before
            imported = copy("import", "new", exported, "=".join(moved))
            expected = _content(copying, engines["old"])
            arrived = _content(copying, engines["new"])
            summaries = [copy("summary", which).stdout for which in databases]
            back = copy("import", "old", copy("export", "new").stdout, "=".join(reversed(moved)))
            returned = _content(copying, engines["old"])
            answered = client(new, SERVER).get_model_version_by_alias(MODEL, "champion")
        with started(tmp_path / "new", databases["new"]) as new:
            reader = client(new, SERVER)
            found = reader.get_run(run), reader.get_run(history), reader.get_model_version_by_alias(MODEL, "champion")
            trainer = client(new, TRAINER)
            next_versions = trainer.get_run(_train(trainer)), trainer.get_registered_model(MODEL).latest_versions

    assert [(one.returncode, "not complete" in one.stderr) for one in cut] == [(1, True), (1, True)]
    assert untouched
    assert (imported.returncode, back.returncode) == (0, 0), (imported.stderr, back.stderr)
    assert arrived == {table: [row.replace(moved[0], moved[1]) for row in rows] for table, rows in expected.items()}
    assert returned == expected
    assert summaries[0] == summaries[1]
    assert f"{MODEL}@champion 2 sha256:abc" in summaries[1].splitlines()
    assert (answered.version, found[2].version, found[2].run_id) == ("2", "2", run)
    assert found[2].tags == {"modelyard.digest": "sha256:abc", "modelyard.approved.risk": '{"signature": "é"}'}
    assert (found[0].data.params, found[0].data.metrics) == ({"depth": "3"}, {"auc": 0.9})
    assert str(found[0].info.artifact_uri).startswith(moved[1])
    assert found[1].data.tags["modelyard.alias"] == "champion"
    assert [version.version for version in next_versions[1] or ()] == ["4"]  # two versions moved, and two are new
    assert str(next_versions[0].info.artifact_uri).startswith(moved[1])


def _train(client: mlflow.MlflowClient) -> str:
    """Register two versions from a single run, as a training pipeline would, and return the run ID."""
    experiment = client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    run = client.create_run(experiment.experiment_id, tags={"modelyard.workload": "pipelines.retrain"})
    client.log_batch(run.info.run_id, [Metric("auc", 0.9, 5, 0)], [Param("depth", "3")])
    for _ in range(2):
        client.create_model_version(MODEL, f"{run.info.artifact_uri}/model", run_id=run.info.run_id)
    return str(run.info.run_id)


def _promote(client: mlflow.MlflowClient) -> str:
    """Approve the second version and move the alias, as the promoter does. Return the ID of the move's record."""
    experiment = client.get_experiment_by_name(HISTORY)
    assert experiment is not None
    moved = client.create_run(experiment.experiment_id, tags={"modelyard.alias": "champion"}, run_name="moved to 2")
    for key, value in (("modelyard.digest", "sha256:abc"), ("modelyard.approved.risk", '{"signature": "é"}')):
        client.set_model_version_tag(MODEL, "2", key, value)
    client.set_registered_model_alias(MODEL, "champion", "2")
    return str(moved.info.run_id)


def _cut(text: str) -> tuple[str, str]:
    """Return two truncated exports, as left by a killed export: one cut mid-line and one cut after a line."""
    return text[: len(text) // 2], text[: text.rindex("{")]


def _content(copying: Any, engine: Any) -> dict[str, list[str]]:
    """Return every row of the copied tables as strings, keyed by table name."""
    with engine.connect() as connection:
        return {
            table.name: sorted(str(dict(row)) for row in connection.execute(table.select()).mappings())
            for table in copying._tables()
        }


def test_runs_that_only_the_new_side_has_are_not_deleted(copying: Any, registries: Any) -> None:
    """If the new registry already has runs of its own, the import is refused and changes nothing."""
    empty, _, _ = registries("empty", OLD)
    busy, runs, _ = registries("busy", NEW)
    own = runs.create_run("0", "trainer", 1, [], "own")
    lines = io.StringIO()
    copying.export(empty, lines)
    lines.seek(0)

    with pytest.raises(copying.Refused, match="1 rows in runs"):
        copying.replace(busy, lines, [(OLD, NEW)])

    assert runs.get_run(own.info.run_id).info.run_name == "own"


def test_other_tables_are_refused(copying: Any, registries: Any) -> None:
    """An export from an MLflow version whose tables differ is refused."""
    engine, _, _ = registries("other", OLD)

    with pytest.raises(copying.Refused, match="different versions"):
        copying.replace(engine, io.StringIO('{"schema": ["0"]}\n{"rows": 0}\n'), [])


def test_only_whole_folders_are_beginnings(copying: Any) -> None:
    assert copying._moved("s3://old/mlflow-2/x", [(OLD, NEW)]) == "s3://old/mlflow-2/x"
    assert copying._moved(OLD, [(OLD, NEW)]) == NEW
