"""Tests how promotion stages affect the promoter's requirements, soak results, and alerts."""

from __future__ import annotations

import json
from typing import Any

import modelyard_schemas
from modelyard.plan import Kind
from modelyard.validate import python_fits
from modelyard_targets.kube.workload.registry_access import described_access, login_of
from tests.lowering import lowered
from tests.observed import alerts
from tests.plans import resource
from tests.specs import VALID_SPEC

STAGES = """\
    stages:
      candidate: {checks: [auc-pr], approvals: none, anyTime: true}
      champion:
        after: candidate
        soak: {for: 60d, monitor: quality, minRows: 500, onFailure: take-back}
        approvals: {from: [payments-risk]}
    explainability: {method: shap}
"""
CHANGES = """\
  changes:
    timeZone: Europe/Berlin
    windows: [{days: [mon, fri], from: "22:00", to: "04:00"}]
    freezes: [{from: 2026-12-18, to: 2027-01-06, reason: audit}]
  approvers:
"""
STAGED = (
    VALID_SPEC.replace("    explainability: {method: shap}\n", STAGES)
    .replace("  approvers:\n", CHANGES)
    .replace("    promoteTo: candidate\n", "")
)


def described(text: str, name: str) -> Any:
    """Return a workload's description after validating it against the schema."""
    description = json.loads(lowered(text).get("ConfigMap", f"{name}-description")["data"]["workload.json"])
    schema = json.loads(modelyard_schemas.text("workload"))
    assert python_fits(schema)(schema, description)
    return description


def test_promoter_description_has_requirements_of_each_stage() -> None:
    """In the promoter's description, each stage has its own checks, soak, approvals and change windows."""
    description = described(STAGED, "promoter")

    assert {name: promotion["promoteTo"] for name, promotion in description["promotions"].items()} == {
        "retrain": "candidate",
        "try-out": "candidate",
    }
    first = description["promotions"]["retrain"]
    assert first["checks"] == ["auc-pr"]
    assert not {"approvals", "changes", "after", "soak"} & first.keys()
    assert list(description["stages"]) == ["fraud-xgb.champion"]
    last = description["stages"]["fraud-xgb.champion"]
    assert (last["promoteTo"], last["after"]) == ("champion", "candidate")
    assert last["soak"] == {"seconds": 60 * 86400, "monitor": "quality", "minRows": 500, "takeBack": True}
    assert (last["approvals"]["from"], list(last["approvals"]["groups"])) == (["payments-risk"], ["payments-risk"])
    assert last["changes"] == {
        "timeZone": "Europe/Berlin",
        "windows": [{"days": [0, 4], "fromMinute": 1320, "toMinute": 240}],
        "freezes": [{"from": "2026-12-18", "to": "2027-01-06", "reason": "audit"}],
    }
    assert {line["name"] for line in last["validation"]} == {"auc-pr", "beats-champion"}


def test_change_windows_apply_to_every_promotion_without_stages() -> None:
    description = described(VALID_SPEC.replace("  approvers:\n", CHANGES), "promoter")

    assert "stages" not in description
    assert all(promotion["changes"]["timeZone"] == "Europe/Berlin" for promotion in description["promotions"].values())


def test_training_has_the_checks_of_its_stage() -> None:
    pipeline = described(STAGED, "retrain")["pipeline"]

    assert (pipeline["promoteTo"], pipeline["checks"]) == ("candidate", ["auc-pr"])
    assert "approvals" not in pipeline


def test_soak_monitor_records_results_and_moves_no_alias() -> None:
    """A monitor that judges a soak may only record results, unless it may also roll back."""
    quiet = STAGED.replace("rollback: true, cooldown: 7d", "cooldown: 7d")
    objects = lowered(quiet)
    monitor = resource(objects.context.plan, Kind.MONITOR, "monitor-quality")
    login = login_of(monitor, objects.context)

    assert login is not None
    assert (login.experiments, login.models, login.moves) == (("fraud/fraud-fraud-xgb/aliases/soaks",), (), False)
    access: dict[str, Any] = described_access(objects.context)
    usual: dict[str, Any] = described_access(lowered(VALID_SPEC).context)
    assert access["movers"] == ["workload.promoter"]
    assert "fraud/fraud-fraud-xgb/aliases/soaks" in access["experiments"]
    assert "fraud/fraud-fraud-xgb/aliases/soaks" not in usual["experiments"]
    with_rollback = lowered(STAGED)
    rolls_back = login_of(resource(with_rollback.context.plan, Kind.MONITOR, "monitor-quality"), with_rollback.context)
    assert rolls_back is not None
    assert rolls_back.moves
    assert "fraud/fraud-fraud-xgb/aliases/soaks" in rolls_back.experiments
    description = described(quiet, "monitor-quality")["monitor"]
    assert description["soaks"] == ["challenger"]
    assert [(model["variant"], "history" in model) for model in description["models"]] == [
        ("challenger", True),
        ("champion", False),
    ]
    assert "soaks" not in described(VALID_SPEC, "monitor-quality")["monitor"]


def test_later_stages_have_alerts_only_once() -> None:
    """Only the first pipeline that trains the model has alert rules for later stages."""
    rules = [rule for name in ("retrain", "try-out") for rule in alerts(STAGED, name) if "alias" in rule["labels"]]

    assert sorted(rule["alert"] for rule in rules) == ["ModelyardApprovalWaiting", "ModelyardSoakFailed"]
    for rule in rules:
        assert 'alias="champion"' in rule["expr"]
        assert 'model="fraud-xgb"' in rule["expr"]
        assert rule["labels"]["model"] == "fraud-xgb"
    waiting = next(rule for rule in rules if rule["alert"] == "ModelyardApprovalWaiting")
    assert "needs 1 of: payments-risk" in waiting["annotations"]["description"]
