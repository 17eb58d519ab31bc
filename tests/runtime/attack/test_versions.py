"""Tests that a training Pod's permissions are not enough to get an unapproved model served.

The Pod has its pipeline's login, network access to the registry, and write access to its model's folder. After each
attack, the promoter runs again, a server loads the version behind the alias, and the history is checked.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import mlflow
import pytest
from mlflow.entities import RunTag
from mlflow.exceptions import MlflowException

from modelyard_runtime.promotion.approvals import APPROVAL_TAG
from modelyard_runtime.promotion.delivery import deliver
from modelyard_runtime.promotion.gate import DIGEST_TAG
from modelyard_runtime.promotion.history import PROMOTE, History, Move
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.files import digest_of
from modelyard_runtime.registry.lineage import ADDED, content_digest
from modelyard_runtime.registry.server import prepare
from modelyard_runtime.workload.records import Model, Server, Workload
from tests.runtime.attack.attacked import EVIL, NAMED, Yard, denied
from tests.runtime.described import record
from tests.runtime.registries import (
    EXPERIMENT,
    HISTORY,
    MODEL,
    OTHER,
    PROMOTER,
    TRAINER,
)
from tests.runtime.signing import Signer

# raised by the MLflow server's libraries, and by MLflow for models without an example
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning", "ignore:starlette"
)

NEXT = {"model": "next-model", "history": "fraud/next-model/aliases"}


def test_forged_approvals_do_not_count(yard: Yard, harmless: Callable[[], None]) -> None:
    """Rejects a bare digest, an unsigned statement, and attacker-signed approvals, even in the groups' names."""
    evil = yard.train(EVIL)
    digest = evil.tags[DIGEST_TAG]
    own = Signer(yard.folder, "own").sign(yard.about(digest))
    for place, forged in enumerate([digest, own, json.dumps({"statement": json.dumps(yard.about(digest))})]):
        registry.tag(evil, {f"{APPROVAL_TAG}{place}": forged})
    registry.tag(evil, {f"{APPROVAL_TAG}risk": own, f"{APPROVAL_TAG}payments": own})

    harmless()


@pytest.mark.parametrize("other", ["digest", "environment", "system", "alias", "model"])
def test_replayed_approvals_do_not_count(
    yard: Yard, good: registry.Version, harmless: Callable[[], None], other: str
) -> None:
    """Rejects approvals of the good version and approvals for another environment, system, alias or model."""
    evil = yard.train(EVIL)
    statement = yard.about(evil.tags[DIGEST_TAG])
    statement[other] = good.tags[DIGEST_TAG] if other == "digest" else "another"
    for signer in (yard.risk, yard.payments):
        signer.approve(evil, statement)

    harmless()


def test_digest_of_an_approved_version_does_not_cover_other_files(
    yard: Yard, good: registry.Version, harmless: Callable[[], None], caplog: pytest.LogCaptureFixture
) -> None:
    """Genuine approvals and a genuine digest do not cover the attacker's files."""
    approvals = {tag: value for tag, value in good.tags.items() if tag.startswith(APPROVAL_TAG)}
    yard.train(EVIL, **{**approvals, DIGEST_TAG: good.tags[DIGEST_TAG]})

    harmless()
    assert "has changed since its gate" in caplog.text


def test_files_swapped_after_approval_are_not_promoted(yard: Yard, harmless: Callable[[], None]) -> None:
    version = yard.train("approved later")
    for signer in (yard.risk, yard.payments):
        signer.approve(version, yard.about(version.tags[DIGEST_TAG]))
    yard.swap(version)

    harmless()
    yard.connect(TRAINER)
    registry.tag(version, {DIGEST_TAG: digest_of(version.uri)})
    harmless()


def test_swapped_files_of_the_served_version_are_not_loaded(yard: Yard, good: registry.Version) -> None:
    """The server refuses the version, and neither another promoter pass nor changed tags make it acceptable."""
    yard.swap(good)
    registry.tag(good, {DIGEST_TAG: digest_of(good.uri)})
    before = yard.moves()

    yard.look()

    assert f"version {good.version} of {MODEL} is not loaded: its files hash to" in yard.served()
    assert yard.moves() == before


def test_digest_excludes_only_the_file_that_mlflow_adds(yard: Yard) -> None:
    """Only the top-level file added by MLflow is excluded. A file of that name elsewhere is part of the model."""
    for folder in ("", "data"):
        (yard.folder / "model" / folder).mkdir(parents=True, exist_ok=True)
        (yard.folder / "model" / folder / ADDED).write_text("approved")
    before = content_digest(yard.folder / "model")

    (yard.folder / "model" / ADDED).write_text(EVIL)
    assert content_digest(yard.folder / "model") == before
    (yard.folder / "model" / "data" / ADDED).write_text(EVIL)
    assert content_digest(yard.folder / "model") != before


def test_swapped_files_are_not_delivered(yard: Yard, good: registry.Version) -> None:
    """Changing a version's digest tag must not make the promoter redeliver the bundle with the swapped files."""
    model: dict[str, Any] = {
        **yard.pipeline["model"],
        "delivery": {"uri": f"file://{yard.folder}/bundles", "store": "bundles"},
    }
    yard.connect(PROMOTER)
    deliver(record(Workload, yard.workload), record(Model, model), "champion")
    pointer = {file.name: file.read_bytes() for file in (yard.folder / "bundles").iterdir() if file.is_file()}
    yard.connect(TRAINER)
    yard.swap(good)
    registry.tag(good, {DIGEST_TAG: digest_of(good.uri)})

    yard.connect(PROMOTER)
    assert deliver(record(Workload, yard.workload), record(Model, model), "champion").endswith("already")

    bundles = [file.read_text() for file in (yard.folder / "bundles").rglob("answer.txt")]
    assert bundles == ["approved"]
    assert pointer == {file.name: file.read_bytes() for file in (yard.folder / "bundles").iterdir() if file.is_file()}


def test_model_and_versions_cannot_be_deleted_and_recreated(
    good: registry.Version, harmless: Callable[[], None]
) -> None:
    """Recreating a model would restart version numbering, and deleting a version would delete its alias."""
    client = mlflow.MlflowClient()

    denied(lambda: client.delete_model_version(MODEL, good.version))
    denied(lambda: client.delete_registered_model(MODEL))
    denied(lambda: client.rename_registered_model(MODEL, "another"))
    with pytest.raises(MlflowException, match="already exists"):
        client.create_registered_model(MODEL)

    harmless()


def test_history_cannot_be_rewritten(yard: Yard, good: registry.Version, harmless: Callable[[], None]) -> None:
    """Workloads cannot append to the history, or change, hide or replace it."""
    evil = yard.train(EVIL)
    client, history = mlflow.MlflowClient(), History(record(Model, NAMED))
    run, experiment = history.moves("champion")[-1].id, yard.id_of(HISTORY)
    forged = Move("champion", PROMOTE, evil.version, good.version, "promoter", "approved", evil.tags[DIGEST_TAG])
    attempts: list[Callable[[], object]] = [
        lambda: history.append(forged),
        lambda: client.set_tag(run, "modelyard.move.digest", evil.tags[DIGEST_TAG]),
        lambda: client.delete_tag(run, "modelyard.move.alias"),
        lambda: client.log_param(run, "a", "b"),
        lambda: client.log_metric(run, "a", 1),
        lambda: client.log_batch(run, tags=[RunTag("modelyard.move.version", evil.version)]),
        lambda: client.set_terminated(run, "FAILED"),
        lambda: client.update_run(run, "RUNNING"),
        lambda: client.delete_run(run),
        lambda: client.restore_run(run),
        lambda: client.delete_experiment(experiment),
        lambda: client.restore_experiment(experiment),
        lambda: client.rename_experiment(experiment, "elsewhere"),
        lambda: client.set_experiment_tag(experiment, "a", "b"),
        lambda: client.rename_experiment(yard.id_of(EXPERIMENT), f"{HISTORY}/2"),
    ]

    for attempt in attempts:
        denied(attempt)

    harmless()


def test_history_cannot_be_created_before_the_promoter_does(yard: Yard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Creating a future model's history before the promoter does would grant all permissions on it."""
    yard.connect(TRAINER)
    client = mlflow.MlflowClient()
    denied(lambda: client.create_experiment(NEXT["history"]))
    denied(lambda: client.rename_experiment(yard.id_of(EXPERIMENT), NEXT["history"]))
    client.create_registered_model(NEXT["model"])
    denied(lambda: client.set_registered_model_alias(NEXT["model"], "champion", "1"))
    described = json.loads(json.dumps(yard.server.described))
    described["models"].append(NEXT["model"])
    described["experiments"][NEXT["history"]] = f"file://{yard.folder}/next"
    described["users"][PROMOTER] = {"experiments": [HISTORY, NEXT["history"]], "models": [MODEL, NEXT["model"]]}
    for name, value in yard.server.environment.items():
        monkeypatch.setenv(name, value)

    prepare(record(Server, described), yard.server.database)

    denied(lambda: client.delete_registered_model(NEXT["model"]))
    denied(lambda: client.set_registered_model_tag(NEXT["model"], "a", "b"))
    denied(lambda: client.create_run(yard.id_of(NEXT["history"])))
    assert History(record(Model, {"registeredName": NEXT["model"], "history": NEXT["history"]})).moves("champion") == ()


def test_versions_cannot_refer_to_foreign_files(
    yard: Yard, good: registry.Version, harmless: Callable[[], None]
) -> None:
    """Versions are rejected if their files come from another run or version.

    The same applies to files on the server's disk or in an unsupported store.
    """
    client = mlflow.MlflowClient()
    approvals = {tag: value for tag, value in good.tags.items() if tag.startswith("modelyard.")}
    mlflow.set_experiment(EXPERIMENT)
    with mlflow.start_run() as run:
        mlflow.log_text(EVIL, "model/answer.txt")
    for source in (f"file://{yard.server.folder}/logins", f"file://{yard.folder}", str(yard.files(good))):
        with pytest.raises(MlflowException, match="Invalid model version source"):
            client.create_model_version(MODEL, source, run.info.run_id)
    denied(lambda: client.create_model_version(OTHER, f"runs:/{run.info.run_id}/model", run.info.run_id))
    client.create_model_version(MODEL, f"{run.info.artifact_uri}/model", run.info.run_id, approvals)
    client.create_model_version(MODEL, "gs://nowhere.invalid/model", tags=approvals)

    harmless()
