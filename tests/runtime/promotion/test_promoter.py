"""Tests promotions and rollbacks in a real registry while other changes happen in between."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import mlflow
import pytest

from modelyard_runtime.monitoring.breach import take_back
from modelyard_runtime.promotion import promoter as promotion
from modelyard_runtime.promotion.approvals import APPROVAL_TAG, KIND, subject
from modelyard_runtime.promotion.gate import DIGEST_TAG, GATE_TAG
from modelyard_runtime.promotion.history import History
from modelyard_runtime.promotion.look import Subject
from modelyard_runtime.promotion.promoter import compared_with, promote, promote_waiting, report_standing, standing
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.files import digest_of
from modelyard_runtime.registry.lineage import WORKLOAD_TAG
from modelyard_runtime.telemetry import reported
from modelyard_runtime.telemetry.otlp import Sample
from modelyard_runtime.workload.records import Model, MonitorWorkload, PromoterWorkload, Promotion, Workload
from tests.runtime.described import BEGINNING, completed, look_of, record
from tests.runtime.signing import Existing, Signer

NAME = "cards-fraud"
NOW = datetime.now(UTC) + timedelta(days=1)  # later than every promotion, however long other tests take
OF_ALL = frozenset({""})
"""A breach measured over all rows rather than over the rows of a single variant."""
PIPELINE: dict[str, Any] = {
    "model": {"registeredName": NAME},
    "promoteTo": "champion",
    "validation": [{"name": "better", "metric": "auc_pr", "versus": "champion", "minDelta": 0}],
}

Register = Callable[[], registry.Version]


@pytest.fixture
def workload(tmp_path: Path) -> dict[str, Any]:
    """Describe a training pipeline whose local registry is empty."""
    return {"registry": {"uri": f"file://{tmp_path}/registry"}, "pipeline": PIPELINE}


@pytest.fixture
def trained(workload: dict[str, Any]) -> Register:
    """Return a function that registers a version whose gate passed against the current champion."""
    registry.connect(record(Workload, workload))
    mlflow.set_experiment("promotion")

    def register() -> registry.Version:
        with mlflow.start_run():
            mlflow.log_text("weights", "model/weights.txt")
            uri = mlflow.get_artifact_uri("model")
        mlflow.MlflowClient().create_registered_model(NAME) if not registry.versions(NAME) else None
        created = mlflow.MlflowClient().create_model_version(NAME, uri)
        version = registry.version(NAME, str(created.version))
        registry.tag(version, {GATE_TAG: "held", **compared_with(record(Promotion, PIPELINE), NAME)})
        return registry.version(NAME, version.version)

    return register


def champion() -> str:
    """Return the version the `champion` alias points to, or an empty string."""
    version = registry.version_at(NAME, "champion")
    return "" if version is None else version.version


def test_newer_of_two_concurrent_runs_stays_promoted(workload: dict[str, Any], trained: Register) -> None:
    """The older run promotes last and changes nothing, as its gate didn't compare it with the newer version."""
    first, second = trained(), trained()

    assert promote(look_of(workload), second).startswith("'champion' of cards-fraud is now version 2")
    assert "is the newer version 2; version 1 is kept" in promote(look_of(workload), first)
    assert promote_waiting(look_of(workload)) == "no version of cards-fraud is waiting for 'champion'"
    assert champion() == "2"


def test_version_compared_with_a_former_champion_is_not_promoted(workload: dict[str, Any], trained: Register) -> None:
    """A waiting version isn't promoted if another, possibly better version became champion in the meantime."""
    promote(look_of(workload), trained())
    second, third = trained(), trained()
    promote(look_of(workload), second)

    assert "compared it with version 1, and 'champion' is 2 now" in promote(look_of(workload), third)
    assert promote_waiting(look_of(workload)).startswith("none of the 1 waiting versions of cards-fraud has everything")
    assert champion() == "2"


def test_rows_of_a_rolled_back_version_cause_no_second_rollback(workload: dict[str, Any], trained: Register) -> None:
    """A rolled-back version's rows in the monitor window don't cause a second rollback."""
    for version in (trained, trained, trained):
        promote(look_of(workload), version())
    model = {"registeredName": NAME, "alias": "champion"}
    watching: dict[str, Any] = {**workload, "monitor": {"models": [model], "windowSeconds": 86400, "data": {}}}
    hour = timedelta(hours=1)

    assert take_back(record(MonitorWorkload, watching), NOW, hour, OF_ALL) == [
        "'champion' of cards-fraud is version 2 again"
    ]
    assert "the window begins before" in take_back(record(MonitorWorkload, watching), NOW + 2 * hour, hour, OF_ALL)[0]
    assert champion() == "2"
    assert take_back(record(MonitorWorkload, watching), NOW + 25 * hour, hour, OF_ALL) == [
        "'champion' of cards-fraud is version 1 again"
    ]


@pytest.mark.parametrize("breached", [{"treatment"}, {"control", "twin"}, {"control", "treatment"}, {"", "gone"}])
def test_only_the_breaching_variant_is_rolled_back(
    workload: dict[str, Any], trained: Register, breached: set[str]
) -> None:
    """Only aliases followed by breaching variants are rolled back.

    Two variants follow one alias, and a third follows another.
    """
    for version in (trained, trained):
        registered = version()
        for alias in ("champion", "challenger"):
            promote(look_of({**workload, "pipeline": {**PIPELINE, "promoteTo": alias, "validation": []}}), registered)
    served = {"control": "challenger", "treatment": "champion", "twin": "challenger"}
    models = [{"registeredName": NAME, "alias": alias, "variant": variant} for variant, alias in served.items()]
    models.append({"registeredName": NAME, "version": "2", "variant": "fixed"})
    watching: dict[str, Any] = {**workload, "monitor": {"models": models, "windowSeconds": 60, "data": {}}}

    messages = take_back(record(MonitorWorkload, watching), NOW, timedelta(0), frozenset(breached))

    at = {alias: getattr(registry.version_at(NAME, alias), "version", "") for alias in set(served.values())}
    blamed = {served[name] for name in breached if name in served}
    assert at == {alias: "1" if alias in blamed else "2" for alias in at}
    assert len(messages) == max(len(blamed), 1)


def stands(workload: dict[str, Any]) -> dict[str, float]:
    """Return the metrics behind the alerts for refused gates and pending approvals."""
    return {
        sample.name: sample.value
        for sample in standing(look_of({**workload, "system": "cards", "address": "pipelines.retrain"}))
    }


def test_metrics_show_refused_and_waiting_versions(workload: dict[str, Any], trained: Register, tmp_path: Path) -> None:
    """Versions count as waiting until they are approved, and as refused until a newer version passes."""
    risk = Signer(tmp_path, "risk")
    approvals: dict[str, Any] = {"from": ["risk"], "minimum": 1, "groups": {"risk": {"sshKeys": [risk.line]}}}
    workload["pipeline"] = {**PIPELINE, "approvals": approvals}
    assert stands(workload) == {"modelyard_gate_refused": 0, "modelyard_versions_waiting": 0}

    version = trained()
    registry.tag(version, {DIGEST_TAG: "d1"})
    assert stands(workload) == {"modelyard_gate_refused": 0, "modelyard_versions_waiting": 1}

    risk.approve(
        version,
        subject(record(Workload, {**workload, "system": "cards"}), record(Promotion, workload["pipeline"]), "d1"),
    )
    registry.tag(trained(), {GATE_TAG: "refused"})
    assert stands(workload) == {"modelyard_gate_refused": 1, "modelyard_versions_waiting": 0}


def test_unpromotable_version_does_not_wait_for_approval(
    workload: dict[str, Any], trained: Register, tmp_path: Path
) -> None:
    """A version compared with a former champion can't be promoted and therefore doesn't wait for approval."""
    risk = Signer(tmp_path, "risk")
    approvals = {"from": ["risk"], "minimum": 1, "groups": {"risk": {"sshKeys": [risk.line]}}}
    approved: dict[str, Any] = {**workload, "system": "cards", "pipeline": {**PIPELINE, "approvals": approvals}}
    first, second = trained(), trained()
    registry.tag(first, {DIGEST_TAG: digest_of(first.uri)})
    registry.tag(second, {DIGEST_TAG: "d2"})
    assert stands(approved)["modelyard_versions_waiting"] == 2

    risk.approve(
        first, subject(record(Workload, approved), record(Promotion, approved["pipeline"]), digest_of(first.uri))
    )
    promote(look_of(approved), registry.version(NAME, first.version))

    assert stands(approved)["modelyard_versions_waiting"] == 0


def test_unreachable_prometheus_does_not_fail_a_run(
    workload: dict[str, Any], trained: Register, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A promoter run succeeds even if Prometheus's port refuses connections."""
    trained()
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    receiver = {"otlp": "http://127.0.0.1:9/api/v1/otlp/v1/metrics", "namespace": "cards"}
    described: dict[str, Any] = {
        "system": "cards",
        "name": "retrain",
        "address": "pipelines.retrain",
        "metrics": receiver,
    }

    report_standing(look_of({**workload, **described}))

    assert "the metrics cannot be pushed to http://127.0.0.1:9/" in caplog.text


@pytest.fixture
def promoter(workload: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return a function that runs the promoter for two pipelines of a model that needs two groups' approval."""
    risk, payments = Signer(tmp_path, "risk"), Signer(tmp_path, "payments")
    keys = {signer.key.name: {"sshKeys": [signer.line]} for signer in (risk, payments)}
    approvals = {"from": list(keys), "minimum": 2, "groups": keys}
    aliases = {"retrain": "champion", "challenge": "candidate"}
    promotions = {
        name: {"model": {"registeredName": NAME}, "promoteTo": alias, "approvals": approvals}
        for name, alias in aliases.items()
    }
    metrics = {"otlp": "http://127.0.0.1:9/api/v1/otlp/v1/metrics", "namespace": "cards"}
    context = {"system": "cards", "environment": "prod", "name": "promoter", "address": "promoter", "metrics": metrics}
    described = {**workload, **context, "type": "promoter", "promotions": promotions}
    monkeypatch.setattr(reported, "push", lambda *context: None)
    (tmp_path / "workload.json").write_text(json.dumps(completed(PromoterWorkload, {**BEGINNING, **described})))
    monkeypatch.setenv("MODELYARD_WORKLOAD", str(tmp_path / "workload.json"))
    return promotion.run


def test_promoter_promotes_a_version_that_two_groups_approved(
    promoter: Callable[[], int], trained: Register, tmp_path: Path
) -> None:
    """Forged approvals have no effect, and another pipeline's versions don't get this alias."""
    version = trained()
    digest = digest_of(version.uri)
    registry.tag(version, {DIGEST_TAG: digest, WORKLOAD_TAG: "pipelines.retrain"})
    signers = {name: Existing(tmp_path, name) for name in ("risk", "payments")}
    about = {
        **KIND,
        "system": "cards",
        "environment": "prod",
        "model": NAME,
        "alias": "champion",
        "digest": digest,
    }
    registry.tag(version, {f"{APPROVAL_TAG}payments": digest})
    signers["risk"].approve(version, about)
    Signer(tmp_path, "stranger").approve(version, about)
    assert promoter() == 0
    assert champion() == ""

    signers["payments"].approve(version, about)
    assert promoter() == 0
    assert champion() == "1"
    assert registry.version_at(NAME, "candidate") is None
    (move,) = History(record(Model, {"registeredName": NAME})).moves("champion")
    assert (move.digest, set(move.evidence)) == (digest, {"risk", "payments"})
    assert move.finished


def test_promoter_updates_the_training_pipelines_metrics(
    promoter: Callable[[], int], trained: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The promoter's next pass clears the pipeline's alert, because it pushes the same series as the pipeline."""
    pushed: dict[str, tuple[str, dict[str, Any]]] = {}

    def push(url: str, samples: list[Sample], source: dict[str, str], at_s: float) -> None:
        """Record the most recent push of metrics from each source."""
        values = {sample.name: sample.value for sample in samples}
        pushed[source["service.name"]] = (samples[0].labels["pipeline"], values)

    monkeypatch.setattr(reported, "push", push)
    version = trained()
    registry.tag(version, {DIGEST_TAG: digest_of(version.uri), WORKLOAD_TAG: "pipelines.retrain"})

    assert promoter() == 0
    waiting = {name: values["modelyard_versions_waiting"] for name, (_, values) in pushed.items()}
    assert waiting == {"cards-retrain": 1, "cards-challenge": 0}
    described: dict[str, Any] = json.loads(Path(os.environ["MODELYARD_WORKLOAD"]).read_text())
    own = {**described.pop("promotions")["retrain"], "promotedBy": "promoter"}
    described |= {"type": "training", "name": "cards-1", "address": "pipelines.retrain", "pipeline": own}
    before = pushed.pop("cards-retrain")
    report_standing(look_of(described))
    assert pushed["cards-retrain"] == before


def test_failing_pipeline_does_not_delay_others(
    promoter: Callable[[], int], trained: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If one pipeline's store is unreachable, the promoter still handles the other pipeline before failing."""
    version, attempted = trained(), []

    def waiting(look: Subject, _now: datetime) -> str:
        attempted.append(look.made_by)
        raise OSError("the store does not answer")

    monkeypatch.setattr(promotion, "promote_waiting", waiting)

    assert promoter() == 1
    assert attempted == ["pipelines.retrain", "pipelines.challenge"]
    assert version.version == "1"


def test_promoter_records_manual_moves(promoter: Callable[[], int], trained: Register) -> None:
    trained()
    registry.set_alias(NAME, "champion", "1")

    assert promoter() == 0
    assert [move.action for move in History(record(Model, {"registeredName": NAME})).moves("champion")] == ["by-hand"]
