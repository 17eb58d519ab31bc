"""Tests that promotions without an effective gate or approval are reported."""

from __future__ import annotations

import pytest

from tests.compiler.checks.checked_specs import codes_in, diagnostics_of, places_in, where
from tests.specs import changed

LIVE = "champion: {model: fraud-xgb@champion}"
HIGH = ("risk: limited", "risk: high")
APPROVALS = "  approvals: {promote: {from: [model-risk, payments-risk], minimum: 2}}\n"
GATE = (
    "      auc-pr: {metric: auc_pr, min: 0.82}\n"
    "      beats-champion: {metric: auc_pr, versus: champion, minDelta: 0.01}\n"
)


@pytest.mark.parametrize(("bound", "codes"), [("0.9", ["W0935"]), ("0.82", []), ("0.8", [])])
def test_a_rollback_bound_stricter_than_the_gate_is_reported(bound: str, codes: list[str]) -> None:
    """A rollback bound may be as strict as the gate's. Without a rollback, a monitor may be stricter."""
    stricter = ("{auc_pr: {min: 0.8}}", f"{{auc_pr: {{min: {bound}}}}}")

    assert codes_in(changed(*stricter)) == codes
    assert codes_in(changed(*stricter, ("rollback: true, cooldown: 7d", "run: pipelines.retrain, cooldown: 7d"))) == []


def test_a_version_by_number_is_reported_if_it_bypasses_a_gate() -> None:
    """Serving a fixed version is an error at high risk with approvals, and a warning with a gate or an approval."""
    by_number = (LIVE, "champion: {model: fraud-xgb@12}")
    high = changed(*by_number, HIGH)
    undecided = (f"    validation:\n{GATE}", "")
    unasked = (APPROVALS, "")

    assert places_in(high) == [where(high, "fraud-xgb@12", "E0945")]
    assert codes_in(changed(*by_number)) == ["W0946"]
    assert codes_in(changed(*by_number, HIGH, unasked)) == ["W0936", "W0936", "W0946"]
    assert codes_in(changed(*by_number, unasked, undecided)) == ["W0936", "W0936"]


def test_hints_offer_no_version_number_that_bypasses_a_gate() -> None:
    """Hints only suggest a version number if there is neither a gate nor an approval."""
    nameless = (LIVE, "champion: {model: fraud-xgb}")
    free = changed(*nameless, (APPROVALS, ""), (f"    validation:\n{GATE}", ""))

    assert [diagnostic.hint for diagnostic in diagnostics_of(changed(*nameless))] == ["write fraud-xgb@champion"]
    assert [diagnostic.hint for diagnostic in diagnostics_of(free)] == ["write fraud-xgb@champion, or fraud-xgb@3"]


def test_an_unused_approver_group_is_reported() -> None:
    """A group of approvers with keys is reported unless its approval is required or accepted as an alternative."""
    assert codes_in(changed("from: [model-risk, payments-risk], minimum: 2", "from: [model-risk]")) == ["W0936"]
    assert codes_in(changed("minimum: 2}}", "minimum: 1}}")) == ["W0832"]


def test_an_alias_with_a_typo_is_reported_once() -> None:
    """Only the misspelled alias is reported, and not the intended one as unused."""
    assert codes_in(changed("model: fraud-xgb@candidate", "model: fraud-xgb@candidat")) == ["E0810"]
