"""Tests that a bundle is delivered once each time an alias moves forward or back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from mlflow.sklearn import log_model
from sklearn.linear_model import LogisticRegression

from modelyard_runtime.bundles.bundle import PROFILES
from modelyard_runtime.bundles.store import bundle_of
from modelyard_runtime.models.loading import Models
from modelyard_runtime.monitoring.breach import take_back
from modelyard_runtime.promotion.approvals import subject
from modelyard_runtime.promotion.promoter import promote_waiting
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.files import digest_of
from modelyard_runtime.workload.records import Model, MonitorWorkload, Promotion, Workload
from tests.runtime.described import look_of, record
from tests.runtime.signing import Signer

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")

Approve = Callable[[registry.Version], None]

ROWS = pd.DataFrame({"amount": [1.0, 2.0, 3.0, 4.0]})


@pytest.fixture
def risk(tmp_path: Path) -> Signer:
    """Return a signer in the only group whose approval is required."""
    return Signer(tmp_path, "risk")


@pytest.fixture
def workload(tmp_path: Path, risk: Signer, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Return a pipeline that requires approvals and delivers promoted versions as bundles to a folder."""
    monkeypatch.chdir(tmp_path)
    delivery = {"uri": f"file://{tmp_path}/bundles", "store": "artifacts"}
    described: dict[str, Any] = {
        "registry": {"uri": f"file://{tmp_path}/registry"},
        "pipeline": {
            "model": {"registeredName": "fraud", "delivery": delivery},
            "promoteTo": "champion",
            "approvals": {"from": ["risk"], "minimum": 1, "groups": {"risk": {"sshKeys": [risk.line]}}},
        },
    }
    registry.connect(record(Workload, described))
    mlflow.set_experiment("delivery")
    yield described
    mlflow.end_run()


def train(slope: int) -> registry.Version:
    """Register a version whose gate has passed."""
    with mlflow.start_run() as run:
        model = LogisticRegression().fit(ROWS, [0, 0, 1, 1] if slope > 0 else [1, 1, 0, 0])
        uri = log_model(model, name="model", serialization_format="cloudpickle", pip_requirements=[]).model_uri
        mlflow.log_dict({"features": ["amount"], "columns": {}}, registry.PROFILES)
    digest = digest_of(uri)
    version = registry.register("fraud", uri, {"modelyard.digest": digest, "modelyard.gate": "held"})
    assert version.run_id == run.info.run_id
    return version


@pytest.fixture
def approve(workload: dict[str, Any], risk: Signer) -> Approve:
    """Return a function that signs an approval for a version."""

    def signed(version: registry.Version) -> None:
        risk.approve(
            version,
            subject(
                record(Workload, workload), record(Promotion, workload["pipeline"]), version.tags["modelyard.digest"]
            ),
        )

    return signed


def read(tmp_path: Path) -> Models:
    """Return a reader of the delivered bundles, as used at another site."""
    bundle: dict[str, Any] = {
        "uri": f"file://{tmp_path}/bundles",
        "store": "artifacts",
        "cache": str(tmp_path / "disk"),
    }
    model: dict[str, Any] = {"registeredName": "fraud", "alias": "champion", "uri": "models:/fraud@champion"}
    return Models(record(Workload, {}), record(Model, {**model, "bundle": bundle}))


def test_approved_version_is_delivered_as_an_equivalent_bundle(
    workload: dict[str, Any], approve: Approve, tmp_path: Path
) -> None:
    """The bundle names its approvers and training run and includes the baselines for monitors."""
    version = train(1)
    promote_waiting(look_of(workload))
    assert not (tmp_path / "bundles").exists()
    approve(version)

    assert (
        promote_waiting(look_of(workload))
        == "'champion' of fraud is now version 1; version 1 of fraud is delivered for 'champion'"
    )
    models = read(tmp_path)
    delivered = models.version()
    assert delivered is not None
    bundle = bundle_of(Path(delivered.uri).parent)
    assert (bundle.version, bundle.run, bundle.digest) == ("1", version.run_id, version.tags["modelyard.digest"])
    assert bundle.approvals == {"risk": registry.version("fraud", "1").tags["modelyard.approval.risk"]}
    assert datetime.fromisoformat(bundle.made) <= datetime.now(UTC)
    assert PROFILES in bundle.files
    assert models.profiles(delivered)["features"] == ["amount"]
    assert registry.load(delivered.uri).predict(ROWS).tolist() == registry.load(version.uri).predict(ROWS).tolist()


def test_next_run_completes_an_interrupted_delivery(workload: dict[str, Any], approve: Approve, tmp_path: Path) -> None:
    """If a delivery was interrupted after the alias moved, the next run delivers the bundle once."""
    version = train(1)
    approve(version)
    registry.set_alias("fraud", "champion", version.version)

    assert promote_waiting(look_of(workload)).endswith("version 1 of fraud is delivered for 'champion'")
    before = sorted((tmp_path / "bundles").rglob("*"))
    assert promote_waiting(look_of(workload)).endswith("already")
    assert sorted((tmp_path / "bundles").rglob("*")) == before


def test_next_run_delivers_a_manually_moved_alias(workload: dict[str, Any], tmp_path: Path) -> None:
    """The next run delivers the version of an alias that was moved manually without notifying the pipeline."""
    model = workload["pipeline"]["model"]
    workload["pipeline"] |= {
        "promoteTo": "candidate",
        "model": {"registeredName": "fraud", "otherDeliveries": {"champion": model["delivery"]}},
    }
    version = train(1)
    assert "'champion' of fraud points to no version yet" in promote_waiting(look_of(workload))
    registry.set_alias("fraud", "champion", version.version)

    assert promote_waiting(look_of(workload)).endswith("version 1 of fraud is delivered for 'champion'")
    delivered = read(tmp_path).version()
    assert delivered is not None
    assert delivered.version == str(version.version)
    assert promote_waiting(look_of(workload)).endswith("already")


def test_unreachable_store_is_reported_with_a_remedy(
    workload: dict[str, Any], approve: Approve, tmp_path: Path
) -> None:
    """The error says that the alias has moved and that the next run will deliver the bundle."""
    approve(train(1))
    (tmp_path / "bundles").write_text("in the way")

    with pytest.raises(Refusal, match="is version 1, but its bundle cannot be delivered"):
        promote_waiting(look_of(workload))
    (tmp_path / "bundles").unlink()
    assert promote_waiting(look_of(workload)).endswith("version 1 of fraud is delivered for 'champion'")


def test_rollback_delivers_the_previous_bundle(workload: dict[str, Any], approve: Approve, tmp_path: Path) -> None:
    """After a rollback, sites that read bundles also return to the previous version."""
    for slope in (1, -1):
        approve(train(slope))
        promote_waiting(look_of(workload))
    models = read(tmp_path)
    second = models.version()
    watched = {**workload["pipeline"]["model"], "alias": "champion"}
    take_back(
        record(MonitorWorkload, {**workload, "monitor": {"models": [watched]}}),
        datetime.now(UTC),
        timedelta(0),
        frozenset({""}),
    )

    first = models.version()
    assert second is not None
    assert first is not None
    assert (second.version, first.version) == ("2", "1")


def test_version_changed_after_its_gate_is_not_delivered(workload: dict[str, Any], tmp_path: Path) -> None:
    version = train(1)
    workload["pipeline"].pop("approvals")
    registry.tag(version, {"modelyard.digest": "sha256:" + "0" * 64})

    with pytest.raises(Refusal, match="has changed since its gate"):
        promote_waiting(look_of(workload))
    assert not (tmp_path / "bundles").exists()


def test_rollback_needs_access_to_the_registry(tmp_path: Path) -> None:
    model = {"registeredName": "fraud", "alias": "champion", "uri": "models:/fraud@champion", "bundle": {}}
    workload: dict[str, Any] = {"monitor": {"models": [model]}}

    with pytest.raises(Refusal, match="only next to its registry"):
        take_back(record(MonitorWorkload, workload), datetime.now(UTC), timedelta(0), frozenset({""}))
