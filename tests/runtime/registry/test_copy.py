"""Tests that a migration copies a registry's contents with their IDs, between two real databases of MLflow."""

from __future__ import annotations

import importlib.util
import io
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from mlflow.entities import Metric, Param, RunTag
from mlflow.entities.model_registry import ModelVersionTag
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Models
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Runs

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

SCRIPT = Path(__file__).parents[3] / "compiler/modelyard/migration/registry_copy.py"
OLD, NEW = "s3://old/mlflow", "gs://new/mlflow"


@pytest.fixture(scope="module")
def copying() -> Any:
    """Return the script as a module. The compiler emits its text, and nothing of the compiler is needed here."""
    spec = importlib.util.spec_from_file_location("registry_copy", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def registries(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], tuple[Any, Runs, Models]]:
    """Return a function that opens a registry in a database of its own."""
    folder = tmp_path_factory.mktemp("registries")

    def opened(name: str, artifacts: str) -> tuple[Any, Runs, Models]:
        uri = f"sqlite:///{folder / name}.db"
        return sqlalchemy.create_engine(uri), Runs(uri, artifacts), Models(uri)

    return opened


def test_versions_aliases_and_runs_keep_their_ids_and_addresses_move(copying: Any, registries: Any) -> None:
    """After an import, both sides summarize the same, addresses begin with the new bucket, and a repetition is fine."""
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
    """Return a function that creates a database, on a server outside pytest's folder, which it could not read."""
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


def test_every_row_is_equal_between_two_databases_of_postgresql(copying: Any, postgresql: Callable[[str], str]) -> None:
    """IDs, aliases, digests, approvals and alias histories are the same, there and back, and numbering goes on."""
    old, new = postgresql("old"), postgresql("new")
    runs, models = Runs(old, OLD), Models(old)
    history = runs.create_experiment("fraud/fraud-xgb/aliases", f"{OLD}/history")
    moved = runs.create_run(history, "promoter", 1, [RunTag("modelyard.alias", "champion")], "moved to 2")
    runs.log_batch(moved.info.run_id, [Metric("auc", 0.9, 5, 0)], [Param("before", "1")], [])
    models.create_registered_model("fraud-xgb")
    for _ in range(2):
        models.create_model_version("fraud-xgb", f"{OLD}/models/fraud-xgb/7/model", moved.info.run_id)
    for key, value in (("modelyard.digest", "sha256:abc"), ("modelyard.approved.risk", '{"signature": "é"}')):
        models.set_model_version_tag("fraud-xgb", "2", ModelVersionTag(key, value))
    models.set_registered_model_alias("fraud-xgb", "champion", "2")
    new_runs, new_models = Runs(new, NEW), Models(new)
    old_engine, new_engine = sqlalchemy.create_engine(old), sqlalchemy.create_engine(new)
    lines = io.StringIO()

    copying.export(old_engine, lines)
    text = lines.getvalue()
    for part in (text[: len(text) // 2], text[: text.rindex("{")]):  # as after a kill, in a line and after one
        with pytest.raises(copying.Refused, match="not complete"):
            copying.replace(new_engine, io.StringIO(part), [(OLD, NEW)])
    before = _content(copying, new_engine)
    copying.replace(new_engine, io.StringIO(text), [(OLD, NEW)])
    expected = _content(copying, old_engine)
    back = io.StringIO()
    copying.export(new_engine, back)
    copying.replace(old_engine, io.StringIO(back.getvalue()), [(NEW, OLD)])

    assert not before["runs"]
    assert _content(copying, old_engine) == expected
    assert _content(copying, new_engine) == {
        table: [row.replace(OLD, NEW) for row in rows] for table, rows in expected.items()
    }
    assert {name: len(rows) for name, rows in expected.items() if rows} == {
        "experiments": 2,
        "runs": 1,
        "tags": 2,
        "metrics": 1,
        "latest_metrics": 1,
        "params": 1,
        "registered_models": 1,
        "registered_model_aliases": 1,
        "model_versions": 2,
        "model_version_tags": 2,
    }
    assert new_runs.create_experiment("next", f"{NEW}/next") == str(int(history) + 1)
    assert new_models.create_model_version("fraud-xgb", f"{NEW}/next").version == 3


def _content(copying: Any, engine: Any) -> dict[str, list[str]]:
    """Return every row of the copied tables, as text."""
    with engine.connect() as connection:
        return {
            table.name: sorted(str(dict(row)) for row in connection.execute(table.select()).mappings())
            for table in copying._tables()
        }


def test_runs_that_only_the_new_side_has_are_not_deleted(copying: Any, registries: Any) -> None:
    """An import is refused, and changes nothing, if the registry has runs of its own."""
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
    """Rows of another version of MLflow's tables are not imported."""
    engine, _, _ = registries("other", OLD)

    with pytest.raises(copying.Refused, match="different versions"):
        copying.replace(engine, io.StringIO('{"schema": ["0"]}\n{"rows": 0}\n'), [])


def test_only_whole_folders_are_beginnings(copying: Any) -> None:
    assert copying._moved("s3://old/mlflow-2/x", [(OLD, NEW)]) == "s3://old/mlflow-2/x"
    assert copying._moved(OLD, [(OLD, NEW)]) == NEW
