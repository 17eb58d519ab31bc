"""Tests promotion stages in a real registry: soaks, change windows, freezes and per-stage approvals."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from modelyard_runtime.captures.capture import CAPTURED_AT, MODEL_VERSION, PREDICTION
from modelyard_runtime.monitoring import monitor
from modelyard_runtime.promotion.approvals import subject
from modelyard_runtime.promotion.gate import DIGEST_TAG, GATE_TAG
from modelyard_runtime.promotion.history import BY_HAND, PROMOTE, TAKE_BACK, History, Move, arrived
from modelyard_runtime.promotion.promoter import AGAINST_TAG, FAILED_TAG
from modelyard_runtime.promotion.soak import Judged, of_soaks
from modelyard_runtime.registry import client as registry
from modelyard_runtime.registry.files import digest_of
from modelyard_runtime.registry.lineage import WORKLOAD_TAG
from modelyard_runtime.workload.records import Model, MonitorWorkload, Promotion, Workload
from tests.runtime.described import completed, record
from tests.runtime.signing import Signer
from tests.runtime.staged import CANDIDATE, CHAMPION, DAY, NAME, SOAK, Yard


@pytest.fixture
def yard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Yard:
    return Yard(tmp_path, monkeypatch)


def test_version_moves_from_stage_to_stage(yard: Yard) -> None:
    """One promoter pass is enough without conditions. A stage accepts only versions from the previous stage."""
    yard.train()
    assert yard.look() == {"candidate": "1", "champion": "1"}
    yard.train(**{WORKLOAD_TAG: "pipelines.other"})
    assert yard.look() == {"candidate": "1", "champion": "1"}
    moves = History(record(Model, CANDIDATE["model"])).moves("champion")
    assert [(move.action, move.version) for move in moves] == [(PROMOTE, "1")]
    assert moves[0].digest.startswith("sha256:")


def test_soak_lasts_as_long_as_required(yard: Yard, caplog: pytest.LogCaptureFixture) -> None:
    """A version is promoted only once its soak ends, and a newer version starts a soak of its own."""
    caplog.set_level("INFO")
    yard.ask(soak={"seconds": 7 * 86400})
    yard.train()
    assert yard.look() == {"candidate": "1"}
    assert "version 1 of cards-fraud does not become 'champion' yet: it has been 'candidate' since" in caplog.text
    assert yard.look(6.9 * DAY) == {"candidate": "1"}
    yard.train()
    assert yard.look(6.95 * DAY) == {"candidate": "2"}
    assert yard.look(7.1 * DAY) == {"candidate": "2", "champion": "2"}


@pytest.mark.parametrize(
    ("looked", "judged", "enters", "failed"),
    [
        (6 * DAY, Judged(500, {}), False, False),
        (8 * DAY, Judged(500, {}), True, False),
        (8 * DAY, Judged(49, {}), False, False),
        (8 * DAY, Judged(49, {"recall": 0.1}), False, False),
        (8 * DAY, Judged(500, {"recall": 0.1}), False, True),
        (8 * DAY, Judged(500, {}, ["recall"]), False, False),
    ],
)
def test_soak_ends_only_with_enough_good_answers(
    yard: Yard, looked: timedelta, judged: Judged, enters: bool, failed: bool
) -> None:
    yard.ask(soak=SOAK)
    yard.train()
    yard.look()
    yard.judge(looked, "1", judged)
    assert ("champion" in yard.look(9 * DAY)) is enters
    assert yard.metric("modelyard_soak_failed") == failed


def test_answers_of_another_version_do_not_count(yard: Yard) -> None:
    """If the alias moves while the monitor reads captures, the previous version's predictions do not count."""
    yard.ask(soak=SOAK)
    yard.train()
    yard.look()
    yard.train()
    assert yard.look() == {"candidate": "2"}
    yard.judge(8 * DAY, "1", Judged(500, {}))
    assert yard.look(9 * DAY) == {"candidate": "2"}
    yard.judge(8 * DAY, "2", Judged(500, {}))
    assert yard.look(9 * DAY) == {"candidate": "2", "champion": "2"}


def test_failed_soak_may_roll_back_the_previous_stage(yard: Yard) -> None:
    """A version that fails its soak is rolled back once and never promoted. The previous version's soak restarts."""
    yard.train()
    yard.look()
    yard.ask(soak={**SOAK, "takeBack": True})
    yard.train()
    assert yard.look() == {"candidate": "2", "champion": "1"}
    yard.judge(8 * DAY, "2", Judged(500, {"recall": 0.1}))
    assert yard.look(9 * DAY) == {"candidate": "1", "champion": "1"}
    assert yard.look(9 * DAY) == {"candidate": "1", "champion": "1"}
    last = History(record(Model, CANDIDATE["model"])).moves("candidate")[-1]
    assert (last.action, last.version) == (TAKE_BACK, "2")
    assert "monitor labels found 500 of its predictions beyond the bounds: recall is 0.1" in last.why


def test_failure_is_reported_until_another_version_arrives(yard: Yard) -> None:
    """After a rollback, later passes continue to report the failed soak."""
    yard.train()
    yard.look()
    yard.ask(soak={**SOAK, "takeBack": True})
    yard.train()
    yard.look()
    yard.judge(8 * DAY, "2", Judged(500, {"recall": 0.1}))
    for _ in range(2):
        yard.look(9 * DAY)
        assert yard.metric("modelyard_soak_failed") == 1
    yard.train()
    assert yard.look(9 * DAY) == {"candidate": "3", "champion": "1"}
    assert yard.metric("modelyard_soak_failed") == 0


def test_promoted_version_is_not_judged_again(yard: Yard) -> None:
    """A champion's soak is not judged again, even though the monitor still watches the previous stage's alias."""
    yard.train()
    yard.look()
    yard.train()
    yard.ask(soak={**SOAK, "takeBack": True})
    yard.look()
    yard.judge(8 * DAY, "2", Judged(500, {}))
    assert yard.look(9 * DAY) == {"candidate": "2", "champion": "2"}
    yard.judge(60 * DAY, "2", Judged(500, {"recall": 0.1}))
    assert yard.look(61 * DAY) == {"candidate": "2", "champion": "2"}


def test_only_files_that_served_are_promoted(yard: Yard, caplog: pytest.LogCaptureFixture) -> None:
    """A version's files are compared with those that served, because training pipelines can change files and tags."""
    yard.ask(soak={"seconds": 86400})
    version = yard.train()
    assert yard.look() == {"candidate": "1"}
    (weights,) = yard.file.parent.rglob("weights.txt")
    weights.write_text("others")
    registry.tag(version, {DIGEST_TAG: digest_of(version.uri)})

    with pytest.raises(AssertionError):  # the failure of the promoter triggers an alert
        yard.look(2 * DAY)

    assert "version 1 of cards-fraud is not the version that has been 'candidate'" in caplog.text
    assert registry.version_at(NAME, "champion") is None


def test_soaking_variants_map_to_their_alias() -> None:
    model = {**CANDIDATE["model"], "alias": "candidate"}
    models = [{**model, "variant": name} for name in ("a", "b", "c")]
    workload: dict[str, Any] = {"monitor": {"soaks": ["a", "b"], "models": models}}

    served = of_soaks(record(MonitorWorkload, workload))

    assert served == {"a": f"{NAME}@candidate", "b": f"{NAME}@candidate"}


@pytest.mark.parametrize(
    "seen",
    [
        "",
        "[]",
        '{"at": "2999-11-26T12:00:00", "rows": 500, "failed": {}, "unknown": []}',
        '{"at": "2999-11-26T12:00:00+00:00", "rows": 500, "failed": {"recall": "low"}, "unknown": []}',
        '{"at": "2999-11-26T12:00:00+00:00", "rows": 500, "failed": 7, "unknown": []}',
    ],
)
def test_unreadable_record_does_not_count(yard: Yard, seen: str) -> None:
    yard.ask(soak=SOAK)
    yard.train()
    yard.look()
    history = History(record(Model, CANDIDATE["model"]))
    (move,) = history.moves("candidate")
    history.witness(move, "labels", seen)

    assert yard.look(9 * DAY) == {"candidate": "1"}


def test_monitor_records_are_not_alias_moves(yard: Yard) -> None:
    """A monitor's soak results go to a separate MLflow experiment and therefore don't count as alias moves."""
    yard.ask(soak=SOAK)
    yard.train()
    yard.look()
    history = History(record(Model, CANDIDATE["model"]))
    history.witness(Move("champion", PROMOTE, "1", "", "", "", id="m"), "labels", "{}")

    assert yard.look(9 * DAY) == {"candidate": "1"}
    assert len(history.moves("candidate")) == 1
    assert not history.moves("champion")


def test_check_that_a_stage_skips_compares_nothing(yard: Yard) -> None:
    """A stage that skips the champion comparison doesn't care if that champion has been replaced."""
    lines = [{"name": "better", "metric": "auc_pr", "versus": "champion"}]
    yard.described["promotions"] = {"retrain": {**CANDIDATE, "validation": lines, "checks": []}}
    yard.ask(validation=lines, checks=[], soak=SOAK)
    yard.train(**{AGAINST_TAG: "7"})
    assert yard.look() == {"candidate": "1"}
    yard.judge(8 * DAY, "1", Judged(500, {}))
    assert yard.look(9 * DAY) == {"candidate": "1", "champion": "1"}


def test_log_names_missing_and_invalid_approvals(yard: Yard, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    risk, other = Signer(tmp_path, "risk"), Signer(tmp_path, "other")
    first = yard.train()
    about = subject(record(Workload, yard.described), record(Promotion, CHAMPION), first.tags[DIGEST_TAG])
    elsewhere = risk.sign({**about, "digest": "sha256:0"})
    statements = [other.sign(about), elsewhere]
    keys = {"risk": {"sshKeys": [risk.line]}}
    yard.ask(approvals={"from": ["risk"], "minimum": 1, "groups": keys, "given": statements})

    assert yard.look() == {"candidate": "1"}

    assert "version 1 of cards-fraud waits for 1 more approval(s) of risk" in caplog.text
    assert "an approval beside the spec does not count: SHA256:" in caplog.text
    assert "another digest" not in caplog.text
    yard.ask(approvals={"from": ["risk"], "minimum": 1, "groups": keys, "given": [*statements, risk.sign(about)]})
    assert yard.look() == {"candidate": "1", "champion": "1"}


def test_failed_first_version_is_not_rolled_back(yard: Yard) -> None:
    """If there is no previous version, a failed soak does not cause a rollback."""
    yard.ask(soak={**SOAK, "takeBack": True})
    yard.train()
    yard.look()
    yard.judge(8 * DAY, "1", Judged(500, {"recall": 0.1}))
    assert yard.look(9 * DAY) == {"candidate": "1"}


def test_only_the_stage_that_requires_approvals_waits_for_them(yard: Yard, tmp_path: Path) -> None:
    """A version may be approved during its soak but counts as awaiting approval only afterwards."""
    risk = Signer(tmp_path, "risk")
    approvals = {"from": ["risk"], "minimum": 1, "groups": {"risk": {"sshKeys": [risk.line]}}}
    yard.ask(soak={"seconds": 86400}, approvals=approvals)
    first = yard.train()
    assert yard.look() == {"candidate": "1"}
    assert yard.metric("modelyard_versions_waiting") == 0
    assert yard.look(2 * DAY) == {"candidate": "1"}
    assert yard.metric("modelyard_versions_waiting") == 1
    risk.approve(
        first, {**subject(record(Workload, yard.described), record(Promotion, CANDIDATE), first.tags[DIGEST_TAG])}
    )
    assert yard.look(2 * DAY) == {"candidate": "1"}  # the version was approved for another alias
    risk.approve(
        first, {**subject(record(Workload, yard.described), record(Promotion, CHAMPION), first.tags[DIGEST_TAG])}
    )
    assert yard.look(2 * DAY) == {"candidate": "1", "champion": "1"}
    assert list(History(record(Model, CANDIDATE["model"])).moves("champion")[0].evidence) == ["risk"]


def test_stage_may_skip_some_gate_checks(yard: Yard) -> None:
    """A challenger that failed some gate checks can be promoted if the stage skips those checks."""
    yard.described["promotions"] = {"retrain": {**CANDIDATE, "checks": ["good"]}}
    yard.train(**{GATE_TAG: "refused", FAILED_TAG: '["better"]'})
    assert yard.look() == {"candidate": "1"}
    yard.train(**{GATE_TAG: "refused", FAILED_TAG: '["better", "good"]'})
    yard.train(**{GATE_TAG: "refused", FAILED_TAG: '["bett'})  # a truncated list
    yard.train(**{GATE_TAG: "refused"})
    assert yard.look() == {"candidate": "1"}
    yard.ask(checks=["good"])
    assert yard.look() == {"candidate": "1", "champion": "1"}


def test_freeze_allows_only_rollbacks(yard: Yard) -> None:
    yard.train()
    yard.look()
    today = datetime.now(UTC).date()
    freeze = {"from": str(today), "to": str(today + 20 * DAY), "reason": "audit"}
    changes = {"timeZone": "Etc/UTC", "freezes": [freeze]}
    yard.train()
    yard.look()
    yard.ask(soak={**SOAK, "takeBack": True}, changes=changes)
    yard.train()
    assert yard.look(8 * DAY) == {"candidate": "3", "champion": "2"}
    yard.judge(8 * DAY, "3", Judged(500, {}))
    assert yard.look(9 * DAY) == {"candidate": "3", "champion": "2"}
    assert yard.look(22 * DAY) == {"candidate": "3", "champion": "3"}
    yard.train()
    yard.look(22 * DAY)
    yard.judge(30 * DAY, "4", Judged(500, {"recall": 0.1}))
    changes["freezes"] = [{"from": str(today), "to": str(today + 90 * DAY)}]
    assert yard.look(31 * DAY) == {"candidate": "3", "champion": "3"}


def test_soak_counts_from_the_last_promotion_to_the_alias() -> None:
    """A soak starts at the version's last promotion, because other versions held the alias in between."""
    moves = [
        Move("candidate", action, version, "", "", "", over=over, id=str(at))
        for at, (action, version, over) in enumerate(
            [
                (PROMOTE, "1", ()),
                (PROMOTE, "2", ()),
                (TAKE_BACK, "2", ()),
                (PROMOTE, "1", ()),
                (PROMOTE, "3", ()),
                (BY_HAND, "1", ("3",)),
            ]
        )
    ]

    def since(count: int, version: str) -> str | None:
        move = arrived(moves[:count], version)
        return None if move is None else move.id

    assert since(1, "1") == "0"
    assert since(2, "1") is None
    assert since(3, "1") == "2"
    assert since(4, "1") == "2"
    assert since(5, "3") == "4"
    assert since(6, "1") == "5"
    assert since(6, "") is None


def test_monitor_records_results_for_the_soaking_version(
    yard: Yard, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The monitor uses captures and late labels, ignoring rows scored by the variant's previous version."""
    for _ in range(2):
        yard.train()
        yard.look()
    now, random = datetime.now(UTC), np.random.default_rng(1)
    ids = np.arange(400)
    truth = random.integers(0, 2, 400)
    good = ids >= 200  # predicted by version 2
    predicted = np.where(good, truth, 1 - truth)
    frame = pd.DataFrame(
        {
            CAPTURED_AT: pd.Timestamp(now) - pd.Timedelta(hours=3),
            MODEL_VERSION: np.where(good, "2", "1"),
            PREDICTION: predicted,
            "id": ids,
        }
    )
    day = tmp_path / "captures" / f"day={now - timedelta(hours=3):%Y-%m-%d}" / "variant=next"
    day.mkdir(parents=True)
    frame.to_parquet(day / "a.parquet")
    (tmp_path / "labels").mkdir()
    pd.DataFrame({"id": ids, "fraud": truth}).to_parquet(tmp_path / "labels" / "a.parquet")
    model = {**CANDIDATE["model"], "alias": "candidate", "uri": f"models:/{NAME}@candidate", "variant": "next"}
    watching = {
        **yard.described,
        "type": "monitor",
        "name": "labels",
        "address": "monitors.labels",
        "monitor": {
            "type": "prediction-quality",
            "watch": "inference.scorer",
            "checks": [{"name": "right", "metric": "accuracy", "min": 0.9, "severity": "ticket"}],
            "windowSeconds": 86400,
            "threads": 1,
            "data": {"labels": {"uri": f"file://{tmp_path}/labels", "format": "parquet", "label": "fraud"}},
            "labels": "labels",
            "key": ["id"],
            "models": [{**model, "task": "binary-classification"}],
            "current": {"capture": {"uri": f"file://{tmp_path}/captures", "store": ""}},
            "soaks": ["next"],
            "onBreach": {"notify": [], "rollback": False, "cooldownSeconds": 0},
        },
    }
    del watching["promotions"], watching["stages"]
    yard.file.write_text(json.dumps(completed(MonitorWorkload, watching)))

    assert monitor.run() == 0

    move = arrived(History(record(Model, CANDIDATE["model"])).moves("candidate"), "2")
    assert move is not None
    witness = json.loads(History(record(Model, CANDIDATE["model"])).witnessed(move.id, "labels"))
    assert (witness["rows"], witness["failed"], witness["unknown"]) == (200, {}, [])
