"""Tests that an edge process can restart without its registry by using the last version it used."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pytest

from modelyard_runtime.models.loading import Models
from modelyard_runtime.registry import client
from modelyard_runtime.workload.records import Model, Workload
from tests.narrowing import present
from tests.runtime.described import record


@pytest.fixture
def workload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workload:
    """Return a workload that uses a local folder as its registry."""
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    return record(Workload, {"registry": {"uri": f"file:{tmp_path}/registry"}})


def model(tmp_path: Path, version: str = "") -> Model:
    """Return a model whose last used version is kept on disk."""
    storage = {"cache": str(tmp_path / "disk"), "pollSeconds": 1}
    reference = (
        {"version": version, "uri": f"models:/gaps/{version}"}
        if version
        else {"alias": "champion", "uri": "models:/gaps@champion"}
    )
    return record(Model, {"registeredName": "gaps", "kept": storage, **reference})


def register(workload: Workload, folder: Path, content: str) -> None:
    """Register a version, and move the alias to it."""
    client.connect(workload)
    (folder / content).mkdir()
    (folder / content / "MLmodel").write_text(f"flavors: {{}}\nnote: {content}\n")
    api = mlflow.MlflowClient()
    if not api.search_registered_models():
        api.create_registered_model("gaps")
    version = api.create_model_version("gaps", str(folder / content))
    api.set_registered_model_alias("gaps", "champion", version.version)


def cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every call to the registry fail from now on."""

    def refused(*_: object) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(client, "version_at", refused)
    monkeypatch.setattr(client, "version", refused)


def test_a_restart_without_the_registry_uses_the_last_version(
    workload: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The newest version is used while the registry is reachable. A restart without it uses the last one."""
    models = Models(workload, model(tmp_path))
    assert models.version() is None
    for number in ("1", "2"):
        register(workload, tmp_path, number)
        assert present(models.version()).version == number

    cut(monkeypatch)
    version = present(Models(workload, model(tmp_path)).version())
    assert version.version == "2"
    assert "note: 2" in Path(version.uri, "MLmodel").read_text()


def test_a_pinned_version_is_kept(workload: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    register(workload, tmp_path, "1")
    register(workload, tmp_path, "2")
    assert present(Models(workload, model(tmp_path, "1")).version()).version == "1"

    cut(monkeypatch)
    assert present(Models(workload, model(tmp_path, "1")).version()).version == "1"


def test_a_version_that_nobody_names_any_more_stays(workload: Workload, tmp_path: Path) -> None:
    """If the alias is deleted from the registry, servers keep using the version that it last pointed to."""
    register(workload, tmp_path, "1")
    Models(workload, model(tmp_path)).version()
    mlflow.MlflowClient().delete_registered_model_alias("gaps", "champion")

    assert present(Models(workload, model(tmp_path)).version()).version == "1"


def test_nothing_is_served_before_the_first_version(
    workload: Workload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cut(monkeypatch)

    assert Models(workload, model(tmp_path)).version() is None
