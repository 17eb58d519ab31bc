"""Tests that models trained in this registry and models too large to copy aren't imported."""

from __future__ import annotations

from pathlib import Path

import mlflow
import pytest

from modelyard_runtime.promotion import imports, promoter
from modelyard_runtime.promotion.gate import DIGEST_TAG, GATE_TAG
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.lineage import WORKLOAD_TAG, content_digest
from tests.runtime.importing import Importing, versions

pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning", "ignore:starlette"
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Importing:
    return Importing(tmp_path, monkeypatch)


@pytest.mark.parametrize("source", ["version", "run", "copy"])
def test_model_trained_here_is_refused(here: Importing, source: str) -> None:
    """The model is recognized by its version, its run, or copies of its files in a store."""
    mlflow.set_experiment("own")
    trained = {WORKLOAD_TAG: "pipelines.retrain"}
    with mlflow.start_run(tags=trained) as run:
        mlflow.log_artifacts(str(here.files), "model")
    digest, uri = content_digest(here.files), f"runs:/{run.info.run_id}/model"
    tags = {GATE_TAG: "refused", **({DIGEST_TAG: digest} if source == "copy" else {})}
    files = f"{run.info.artifact_uri}/model"
    version = registry.create("claims-own", files, run.info.run_id, {**trained, **tags}, "")
    if source != "copy":
        here.name(uri=uri if source == "run" else version.uri, digest=digest)

    with pytest.raises(Refusal, match=r"'triage' is not imported: .* was trained here: .*pipelines\.retrain"):
        here.bring()
    assert versions() == {}


def test_oversized_source_is_refused_before_copying(here: Importing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources one byte over the size limit are rejected, whether in a store or in the registry."""
    size = sum(path.stat().st_size for path in here.files.rglob("*") if path.is_file())
    (here.files / "below" / "it").mkdir(parents=True)
    (here.files / "below" / "it" / "weights").write_bytes(b"0" * 100)
    digest = content_digest(here.files)
    mlflow.set_experiment("others")
    with mlflow.start_run() as run:
        mlflow.log_artifacts(str(here.files), "own")
    created = registry.create("shared-triage", f"{run.info.artifact_uri}/own", run.info.run_id, {}, "")
    sources: list[dict[str, str]] = [
        {"uri": f"file://{here.files}", "store": "lake"},
        {"uri": f"runs:/{run.info.run_id}/own"},
        {"uri": created.uri},
    ]
    for source in sources:
        here.name(**source, digest=digest)
        monkeypatch.setattr(imports, "LARGEST_BYTES", size + 99)
        with monkeypatch.context() as nothing:
            nothing.setattr(imports, "reading", None)
            nothing.setattr("mlflow.artifacts.download_artifacts", None)
            with pytest.raises(Refusal, match=f"has {size + 100:,} bytes, but at most {size + 99:,} can be imported"):
                here.bring()
        monkeypatch.setattr(imports, "LARGEST_BYTES", size + 100)
        assert "was imported" in here.bring()
        here.promotion["model"]["registeredName"] += "-2"  # a name that does not exist yet


def test_imports_run_after_everything_else(here: Importing, monkeypatch: pytest.MonkeyPatch) -> None:
    """Imports run last so that a slow or crashing import doesn't delay other versions."""
    looked = list[str]()
    here.described |= {"promotions": {"retrain": here.promotion}, "stages": {"own.champion": here.promotion}}
    monkeypatch.setattr(promoter, "_look", lambda look, _: looked.append(look.address))

    assert here.look() == 0
    assert looked == ["pipelines.retrain", "models.own.champion", "models.triage"]
