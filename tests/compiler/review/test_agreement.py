"""Tests who must accept a change's dangers: the line below the verdict, and which signatures suffice."""

from __future__ import annotations

from datetime import date
from functools import cache
from itertools import combinations

import pytest

from modelyard.inputs import BASE_FOLDER, InputFile, Inputs
from modelyard.pipeline import understand
from modelyard.review import accepting
from modelyard.review.accepting import Acknowledged, Signers, accepted, agreement, still_needed
from modelyard.review.acknowledged import Acknowledgement
from modelyard.review.comparing import Outcomes, compared
from modelyard.review.findings import Level
from modelyard.source import Span
from modelyard.stages import Outcome
from modelyard_targets import TARGETS
from tests.compiler.review.reviews import a_finding, a_review
from tests.specs import VALID_SPEC

_BOTH = "2 of model-risk, payments-risk must sign for each danger"
_APPROVALS = "  approvals: {promote: {from: [model-risk, payments-risk], minimum: 2}}\n"
_GROUPS = ("risk", "growth", "owner")
_TODAY = date(2026, 12, 1)
_DANGER = ("auc_pr, min: 0.82", "auc_pr, min: 0.42")


def required_approvers(prod: str, *environments: str) -> str:
    """Return who must accept a looser gate in the given environments if prod requires different approvals."""
    assert VALID_SPEC.count(_DANGER[0]) == 1
    specs = {BASE_FOLDER: VALID_SPEC, "prod": VALID_SPEC.replace(_APPROVALS, prod)}
    before: Outcomes = {name: _outcome(spec, name) for name, spec in specs.items()}
    after: Outcomes = {
        name: _outcome(spec.replace(*_DANGER), name) if name in environments else before[name]
        for name, spec in specs.items()
    }
    return agreement(compared(before, after, TARGETS), before, after)


@cache
def _outcome(spec: str, name: str) -> Outcome:
    inputs = InputFile("system.yaml", f"{spec}environments: {{prod: {{}}}}\n")
    return understand(Inputs(inputs, None if name == BASE_FOLDER else name), TARGETS)


def test_environments_with_the_same_rule_are_not_named() -> None:
    assert required_approvers(_APPROVALS, BASE_FOLDER, "prod") == _BOTH


def test_each_rule_names_the_environments_in_which_it_holds() -> None:
    """The owner's group alone is never enough, which the line says for environments needing one signature."""
    approvals = _APPROVALS.replace("minimum: 2", "minimum: 1")
    fewer = "1 of model-risk, payments-risk must sign for each danger, and payments-risk alone is not enough"

    assert required_approvers(approvals, BASE_FOLDER, "prod") == f"in default: {_BOTH}; in prod: {fewer}"


def test_only_environments_with_a_danger_count() -> None:
    approvals = _APPROVALS.replace("minimum: 2", "minimum: 1")

    assert required_approvers(approvals, BASE_FOLDER) == _BOTH
    assert required_approvers(approvals, "prod").startswith("1 of model-risk")


def test_environments_in_which_nobody_has_to_sign_are_not_named() -> None:
    """In such environments, anyone who may change the acknowledgements can accept a danger."""
    assert required_approvers("", BASE_FOLDER, "prod") == _BOTH
    assert (
        required_approvers("", "prod")
        == "anyone who may change `reviews/acknowledged.yaml` has to accept each danger there"
    )


def test_approvals_of_a_stage_ask_for_signatures_too() -> None:
    """Without signatures, anyone who may edit acknowledgements could accept removing a stage's approvals."""
    stage = "    stages: {champion: {approvals: {from: [model-risk], minimum: 1}}}\n    validation:\n"
    staged = VALID_SPEC.replace(_APPROVALS, "").replace("    validation:\n", stage, 1)
    before, after = (_outcome(spec, BASE_FOLDER) for spec in (staged, staged.replace(*_DANGER)))
    sides: tuple[Outcomes, Outcomes] = ({BASE_FOLDER: before}, {BASE_FOLDER: after})

    assert agreement(compared(*sides, TARGETS), *sides) == "1 of model-risk must sign for each danger"


@pytest.mark.parametrize("signed", [signed for count in range(3) for signed in combinations(_GROUPS, count)])
@pytest.mark.parametrize("validity", ["valid", "expired", "forged"])
@pytest.mark.parametrize("minimum", [1, 2])
def test_a_finding_needs_no_signature_exactly_if_it_is_accepted(
    signed: tuple[str, ...], validity: str, minimum: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `modelyard acknowledge` says about missing signatures agrees with what `diff` accepts."""
    signers = Signers({group: frozenset({group.encode()}) for group in _GROUPS}, minimum, "owner")

    def required(_: str, __: Outcomes, ___: Outcomes) -> Signers:
        return signers

    monkeypatch.setattr(accepting, "signers_of", required)
    finding = a_finding("R201", Level.DANGER, "m")
    until = date(2026, 11, 30) if validity == "expired" else _TODAY
    by_group = {
        group: Acknowledgement("R201", finding.whole_fingerprint, group, "reason", until, Span("a", at, 1, 2), "text")
        for at, group in enumerate(signed, 1)
    }
    keys = {entry: None if validity == "forged" else group.encode() for group, entry in by_group.items()}
    file = Acknowledged(tuple(by_group.values()), (), keys)
    sides: tuple[Outcomes, Outcomes] = ({}, {BASE_FOLDER: Outcome()})

    reviewed = accepted(a_review([finding]), file, *sides, _TODAY)
    (result,) = (each for each in reviewed.findings if each.code == "R201")
    needed = still_needed(finding, file, [signers], _TODAY)
    is_enough = validity == "valid" and len(signed) >= minimum and signed != ("owner",)
    assert bool(result.accepted) is is_enough
    assert (needed == "") is is_enough
