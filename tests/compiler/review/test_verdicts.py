"""Tests that what a review finds out after a verdict adds to it."""

from __future__ import annotations

import pytest

from modelyard.plan import Plan
from modelyard.review.findings import Finding, Level
from modelyard.review.issuers import with_opened_stores
from tests.plans import system_of
from tests.specs import VALID_SPEC

_ISSUER = ("deployment", "targets", "main", "issuer")
_TRIAL, _RISK = "environment dev is for trials", "risk: high"


@pytest.mark.parametrize(
    ("level", "reasons", "kept"),
    [(Level.REVIEW, (_TRIAL,), (_TRIAL,)), (Level.DANGER, (_RISK,), ())],
)
def test_an_issuer_that_opens_nothing_keeps_the_reasons_for_its_level(
    level: Level, reasons: tuple[str, ...], kept: tuple[str, ...]
) -> None:
    """The reasons for a danger are dropped, because it is not one."""
    plan = Plan(system_of(VALID_SPEC), (), ())
    finding = Finding("R403", level, _ISSUER, "m", "it is trusted", after="https://a.example", reasons=reasons)

    (result,) = with_opened_stores([finding], None, plan)
    assert (result.level, result.reasons) == (Level.REVIEW, kept)
    assert result.why.startswith("no workload there opens a store")
