"""Tests that only promoted files are loaded, and only once their digest has been verified."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from mlflow.sklearn import log_model
from sklearn.linear_model import LogisticRegression

from modelyard_runtime.models.loading import load
from modelyard_runtime.promotion import aliases
from modelyard_runtime.promotion.history import PROMOTE, History, Move
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.files import digest_of
from modelyard_runtime.workload.records import Model, Workload
from tests.runtime.described import record

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")

ROWS = pd.DataFrame({"amount": [1.0, 2.0, 3.0, 4.0]})
NAMED: dict[str, Any] = {"registeredName": "fraud", "alias": "champion", "uri": "models:/fraud@champion"}
RECORDED = {**NAMED, "history": "fraud/aliases"}


@pytest.fixture
def version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[registry.Version]:
    """Return a version that was registered in the same way as by a training run."""
    monkeypatch.chdir(tmp_path)
    registry.connect(record(Workload, {"registry": {"uri": f"file://{tmp_path}/registry"}}))
    mlflow.set_experiment("loading")
    with mlflow.start_run():
        fitted = LogisticRegression().fit(ROWS, [0, 0, 1, 1])
        uri = log_model(fitted, name="model", serialization_format="cloudpickle", pip_requirements=[]).model_uri
    yield registry.register("fraud", uri, {"modelyard.digest": digest_of(uri)})
    mlflow.end_run()


def promoted(version: registry.Version) -> None:
    """Promote a version as the promoter does."""
    move = Move("champion", PROMOTE, version.version, "", "promoter", "approved", version.tags["modelyard.digest"])
    aliases.promote(History(record(Model, NAMED)), move)


def swap(version: registry.Version, tmp_path: Path) -> None:
    """Replace a version's weights, which requires only write access to the store."""
    (file,) = [
        file for file in tmp_path.rglob("model.pkl") if f"{version.run_id}" in str(file) or "models" in str(file)
    ]
    file.write_bytes(b"import os; os.abort()")


def test_unchanged_files_are_loaded(version: registry.Version) -> None:
    assert load(record(Workload, {}), record(Model, NAMED), version).predict(ROWS).tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("model", [NAMED, RECORDED])
def test_swapped_files_are_not_loaded(version: registry.Version, model: dict[str, Any], tmp_path: Path) -> None:
    """Swapped files are refused and never unpickled."""
    promoted(version)
    swap(version, tmp_path)

    with pytest.raises(Refusal, match="version 1 of fraud is not loaded: its files hash to"):
        load(record(Workload, {}), record(Model, model), version)


def test_digest_changed_with_the_files_differs_from_the_history(version: registry.Version, tmp_path: Path) -> None:
    """A training pipeline can change its version's digest tag but not the digest in the promotion history."""
    promoted(version)
    swap(version, tmp_path)
    registry.tag(version, {"modelyard.digest": digest_of(version.uri)})

    with pytest.raises(Refusal, match="not to sha256:"):
        load(record(Workload, {}), record(Model, RECORDED), registry.version("fraud", "1"))


def test_unrecorded_alias_move_is_not_followed(version: registry.Version) -> None:
    """Servers don't follow an alias move made by anyone but the promoter."""
    registry.set_alias("fraud", "champion", "1")

    with pytest.raises(Refusal, match="no record shows that 'champion' points to it"):
        load(record(Workload, {}), record(Model, RECORDED), version)
    promoted(version)
    assert len(load(record(Workload, {}), record(Model, RECORDED), version).predict(ROWS)) == len(ROWS)


def test_digest_tag_does_not_replace_a_missing_record(version: registry.Version) -> None:
    """If a promotion record has no digest, the version's tag is not used, because training pipelines can set it."""
    aliases.promote(History(record(Model, RECORDED)), Move("champion", PROMOTE, "1", "", "somebody", "by hand"))

    with pytest.raises(Refusal, match="has no digest of its files"):
        load(record(Workload, {}), record(Model, RECORDED), version)


def test_external_version_without_a_digest_is_loaded(
    version: registry.Version, caplog: pytest.LogCaptureFixture
) -> None:
    mlflow.MlflowClient().delete_model_version_tag("fraud", "1", "modelyard.digest")

    assert len(load(record(Workload, {}), record(Model, NAMED), registry.version("fraud", "1")).predict(ROWS)) == len(
        ROWS
    )
    assert "has no digest" in caplog.text
