"""Tests that loading a version reverifies its approvals against the keys listed at that time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mlflow
import pandas as pd
import pytest
from mlflow.sklearn import log_model
from sklearn.linear_model import LogisticRegression

from modelyard_runtime.bundles.bundle import MANIFEST, files_in, read_bundle
from modelyard_runtime.bundles.store import publish
from modelyard_runtime.models.loading import Models, load
from modelyard_runtime.monitoring.breach import take_back
from modelyard_runtime.promotion import aliases
from modelyard_runtime.promotion.approvals import subject
from modelyard_runtime.promotion.delivery import deliver
from modelyard_runtime.promotion.evidence import add_later, lacks_approvals
from modelyard_runtime.promotion.history import APPROVE, BY_HAND, PROMOTE, TAKE_BACK, History, Move, arrived
from modelyard_runtime.promotion.promoter import promote_waiting
from modelyard_runtime.refusals import Refusal
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.files import digest_of
from modelyard_runtime.storage.filesystem import local
from modelyard_runtime.workload.records import Model, MonitorWorkload, Promotion, Workload
from tests.runtime.described import look_of, record
from tests.runtime.signing import Signer

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning", "ignore::DeprecationWarning")

ROWS = pd.DataFrame({"amount": [1.0, 2.0, 3.0, 4.0]})
NAMED: dict[str, Any] = {
    "registeredName": "fraud",
    "alias": "champion",
    "uri": "models:/fraud@champion",
    "history": "fraud/aliases",
}


def approval_requirement(*signers: Signer, minimum: int = 1) -> dict[str, Any]:
    """Return a requirement for approvals by the given groups, each with a single member."""
    groups = {signer.key.name: {"sshKeys": [signer.line]} for signer in signers}
    return {"from": list(groups), "minimum": minimum, "groups": groups}


@pytest.fixture
def risk(tmp_path: Path) -> Signer:
    """Return a signer in a group that may approve."""
    return Signer(tmp_path, "risk")


@pytest.fixture
def payments(tmp_path: Path) -> Signer:
    """Return a signer in another group that may approve."""
    return Signer(tmp_path, "payments")


@pytest.fixture
def workload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Return the promoter's description of a training pipeline that does not yet require approvals."""
    monkeypatch.chdir(tmp_path)
    described: dict[str, Any] = {
        "system": "cards",
        "environment": "prod",
        "registry": {"uri": f"file://{tmp_path}/registry"},
        "pipeline": {"model": {"registeredName": "fraud", "history": "fraud/aliases"}, "promoteTo": "champion"},
    }
    registry.connect(record(Workload, described))
    mlflow.set_experiment("evidence")
    yield described
    mlflow.end_run()


def train() -> registry.Version:
    """Register a version whose gate has passed."""
    with mlflow.start_run():
        fitted = LogisticRegression().fit(ROWS, [0, 0, 1, 1])
        uri = log_model(fitted, name="model", serialization_format="cloudpickle", pip_requirements=[]).model_uri
    return registry.register("fraud", uri, {"modelyard.digest": digest_of(uri), "modelyard.gate": "held"})


def number(models: Models) -> str:
    """Return the version that a server would currently load, or an empty string."""
    version = models.version()
    return "" if version is None else version.version


def seal(folder: Path) -> None:
    """Update a bundle's file hashes without changing its digest and signatures."""
    bundle = read_bundle((folder / MANIFEST).read_bytes())
    (folder / MANIFEST).write_text(replace(bundle, files=files_in(folder)).text())


@pytest.fixture
def approve(workload: dict[str, Any]) -> Callable[[Signer, registry.Version], None]:
    """Return a function that signs an approval and attaches it to a version."""

    def signed(signer: Signer, version: registry.Version) -> None:
        signer.approve(
            version,
            subject(
                record(Workload, workload), record(Promotion, workload["pipeline"]), version.tags["modelyard.digest"]
            ),
        )

    return signed


Approves = Callable[[Signer, registry.Version], None]


def actions() -> list[str]:
    """Return the actions recorded in the alias's history."""
    return [move.action for move in History(record(Model, NAMED)).moves("champion")]


def test_live_version_can_be_approved_later(workload: dict[str, Any], risk: Signer, approve: Approves) -> None:
    """New servers refuse the live version until it is approved.

    The time when the alias first pointed to it is kept.
    """
    version = train()
    promote_waiting(look_of(workload))
    pipeline = workload["pipeline"]
    pipeline["approvals"] = approval_requirement(risk)
    described = {**NAMED, "approvals": approval_requirement(risk)}
    assert lacks_approvals(record(Workload, workload), record(Promotion, pipeline))
    with pytest.raises(Refusal, match=r"its record lacks 1 approval\(s\) of risk for these files"):
        load(record(Workload, workload), record(Model, described), version)

    approve(risk, version)
    with pytest.raises(Refusal, match="its record lacks"):
        load(record(Workload, workload), record(Model, described), version)
    add_later(record(Workload, workload), record(Promotion, pipeline))
    add_later(record(Workload, workload), record(Promotion, pipeline))

    assert load(record(Workload, workload), record(Model, described), version).predict(ROWS).tolist() == [0, 0, 1, 1]
    assert not lacks_approvals(record(Workload, workload), record(Promotion, pipeline))
    assert actions() == [PROMOTE, APPROVE]
    moves = History(record(Model, NAMED)).moves("champion")
    assert arrived(moves, version.version) == moves[0]


def test_approval_with_a_removed_key_does_not_count(
    workload: dict[str, Any], risk: Signer, payments: Signer, approve: Approves
) -> None:
    """If the key behind an approval was removed, another group can approve the live version."""
    pipeline = workload["pipeline"]
    pipeline["approvals"] = approval_requirement(risk)
    version = train()
    approve(risk, version)
    promote_waiting(look_of(workload))
    assert load(record(Workload, workload), record(Model, {**NAMED, "approvals": approval_requirement(risk)}), version)

    pipeline["approvals"] = approval_requirement(payments)
    described = {**NAMED, "approvals": approval_requirement(payments)}
    with pytest.raises(Refusal, match="is not a key of a group that may still approve"):
        load(record(Workload, workload), record(Model, described), version)
    approve(payments, version)
    add_later(record(Workload, workload), record(Promotion, pipeline))
    assert load(record(Workload, workload), record(Model, described), version)


def test_late_approval_does_not_restore_a_rolled_back_version(
    workload: dict[str, Any], risk: Signer, approve: Approves, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late approval doesn't restore a version that was rolled back in the meantime.

    A monitor rolls the version back after the promoter reads the alias but before it records the approval.
    """
    first = train()
    promote_waiting(look_of(workload))
    second = train()
    promote_waiting(look_of(workload))
    workload["pipeline"]["approvals"] = approval_requirement(risk)
    approve(risk, second)
    appended = History.append

    def append(self: History, move: Move) -> str:
        if move.action == APPROVE:
            aliases.take_back(
                History(record(Model, NAMED)), "champion", "monitors.labels", "a breach", datetime.now(UTC)
            )
        return appended(self, move)

    monkeypatch.setattr(History, "append", append)
    add_later(record(Workload, workload), record(Promotion, workload["pipeline"]))

    assert actions() == [PROMOTE, PROMOTE, TAKE_BACK, APPROVE]
    assert aliases.settle(History(record(Model, NAMED)), "champion") == first.version
    assert aliases.refused_again(History(record(Model, NAMED)), "champion") == {second.version}


def test_rollback_skips_versions_that_servers_would_refuse(
    workload: dict[str, Any], risk: Signer, approve: Approves
) -> None:
    """A rollback skips versions without the approvals now required. If none has them, the alias stays."""
    watched: dict[str, Any] = {**NAMED, "approvals": approval_requirement(risk)}
    watching: dict[str, Any] = {**workload, "monitor": {"models": [watched]}}
    pipeline = workload["pipeline"]
    pipeline["approvals"] = approval_requirement(risk)
    versions: list[registry.Version] = []
    for approved in (True, False, True):
        pipeline["approvals"] = approval_requirement(risk) if approved else {}
        versions.append(train())
        if approved:
            approve(risk, versions[-1])
        promote_waiting(look_of(workload))
    first, second, third = versions

    messages = take_back(record(MonitorWorkload, watching), datetime.now(UTC), timedelta(0), frozenset({""}))
    assert messages == ["'champion' of fraud is version 1 again"]
    assert aliases.refused_again(History(record(Model, NAMED)), "champion") == {second.version, third.version}
    assert load(record(Workload, workload), record(Model, watched), first)

    messages = take_back(
        record(MonitorWorkload, watching), datetime.now(UTC) + timedelta(days=1), timedelta(0), frozenset({""})
    )
    assert messages == ["'champion' of fraud is kept: no earlier version can be loaded"]


def test_later_approval_does_not_replace_an_earlier_one(
    workload: dict[str, Any], risk: Signer, approve: Approves, tmp_path: Path
) -> None:
    """Both approvals are kept, because targets may list either the old or the new key during a rotation."""
    new = Signer(tmp_path / "new", "risk")
    pipeline = workload["pipeline"]
    pipeline["approvals"] = approval_requirement(risk)
    version = train()
    approve(risk, version)
    promote_waiting(look_of(workload))
    pipeline["approvals"] = approval_requirement(new)
    approve(new, version)
    add_later(record(Workload, workload), record(Promotion, pipeline))

    assert load(record(Workload, workload), record(Model, {**NAMED, "approvals": approval_requirement(risk)}), version)
    assert load(record(Workload, workload), record(Model, {**NAMED, "approvals": approval_requirement(new)}), version)


def test_bundle_is_used_once_it_has_valid_approvals(
    workload: dict[str, Any], risk: Signer, approve: Approves, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A bundle's file hashes are checked again, because others may be able to write to the store."""
    bundles = tmp_path / "bundles"
    model: dict[str, Any] = {
        **workload["pipeline"]["model"],
        "delivery": {"uri": f"file://{bundles}", "store": "artifacts"},
    }
    version = train()
    promote_waiting(look_of(workload))
    deliver(record(Workload, workload), record(Model, model), "champion")
    bundle = {"uri": f"file://{bundles}", "store": "artifacts", "cache": str(tmp_path / "disk"), "pollSeconds": 1}
    described: dict[str, Any] = {**NAMED, "bundle": bundle, "approvals": approval_requirement(risk)}
    assert number(Models(record(Workload, workload), record(Model, described))) == ""
    assert "its record lacks 1 approval(s) of risk" in caplog.text

    workload["pipeline"]["approvals"] = approval_requirement(risk)
    approve(risk, version)
    add_later(record(Workload, workload), record(Promotion, workload["pipeline"]))
    deliver(record(Workload, workload), record(Model, model), "champion")
    assert number(Models(record(Workload, workload), record(Model, described))) == version.version

    (folder,) = [path for path in (bundles / "versions").iterdir() if path.name.count("-") == 2]
    forged = tmp_path / "forged"
    folder.rename(forged)
    (forged / "model" / "model.pkl").write_bytes(b"import os; os.abort()")
    seal(forged)
    publish(forged, local(bundles))
    fresh: dict[str, Any] = {**described, "bundle": {**bundle, "cache": str(tmp_path / "other")}}
    assert number(Models(record(Workload, workload), record(Model, fresh))) == ""
    assert (
        number(Models(record(Workload, workload), record(Model, described))) == version.version
    )  # and the bundle on this disk is kept


def test_edge_does_not_return_to_an_older_bundle_when_a_key_is_removed(
    workload: dict[str, Any], risk: Signer, payments: Signer, approve: Approves, tmp_path: Path
) -> None:
    """An edge process without a bundle doesn't download one whose approvals have become invalid."""
    bundles = tmp_path / "bundles"
    pipeline = workload["pipeline"]
    model: dict[str, Any] = {**pipeline["model"], "delivery": {"uri": f"file://{bundles}", "store": "artifacts"}}
    bundle = {"uri": f"file://{bundles}", "store": "artifacts", "cache": str(tmp_path / "disk"), "pollSeconds": 1}
    described: dict[str, Any] = {**NAMED, "bundle": bundle, "approvals": approval_requirement(risk, payments)}
    pipeline["approvals"] = approval_requirement(risk, payments)
    for signer in (payments, risk):
        version = train()
        approve(signer, version)
        promote_waiting(look_of(workload))
        deliver(record(Workload, workload), record(Model, model), "champion")
        assert number(Models(record(Workload, workload), record(Model, described))) == version.version

    left: dict[str, Any] = {**described, "approvals": approval_requirement(payments)}
    assert number(Models(record(Workload, workload), record(Model, left))) == ""
    fresh: dict[str, Any] = {**left, "bundle": {**bundle, "cache": str(tmp_path / "other")}}
    assert number(Models(record(Workload, workload), record(Model, fresh))) == ""
    assert not [path for path in (tmp_path / "other").rglob("*") if path.is_file()]


def test_manually_moved_version_keeps_its_earlier_approvals(
    workload: dict[str, Any], risk: Signer, approve: Approves
) -> None:
    """Moving the alias back manually to a previously approved version requires no new approval."""
    workload["pipeline"]["approvals"] = approval_requirement(risk)
    first = train()
    approve(risk, first)
    promote_waiting(look_of(workload))
    second = train()
    approve(risk, second)
    promote_waiting(look_of(workload))
    registry.set_alias("fraud", "champion", first.version)
    aliases.observe(History(record(Model, NAMED)), "champion")

    assert actions() == [PROMOTE, PROMOTE, BY_HAND]
    assert load(record(Workload, workload), record(Model, {**NAMED, "approvals": approval_requirement(risk)}), first)
