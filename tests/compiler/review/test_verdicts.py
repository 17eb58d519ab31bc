"""Tests that findings made after a verdict add to it, and that every direction has one verdict."""

from __future__ import annotations

import pytest

from modelyard.plan import Plan
from modelyard.review.changes import Change, Direction
from modelyard.review.findings import Finding, Level
from modelyard.review.issuers import with_opened_stores
from modelyard.review.meaning import parsed
from modelyard.review.rules import rule_for
from modelyard.review.sides import Sides
from modelyard.review.values import Leaf
from tests.plans import system_of
from tests.specs import VALID_SPEC

_WAVES = ("deployment", "targets", "main", "sites", "waves")
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


def _shares(before: str, after: str) -> Change:
    old, new = (Leaf(f"[{text}]", items=tuple(text.split(", "))) for text in (before, after))
    return Change((*_WAVES, "shares"), old, new, parsed("promotion"))


@pytest.mark.parametrize(
    ("shares", "way"),
    [
        (_shares("10%", "50%"), Direction.LOOSER),
        (_shares("50%", "10%"), Direction.STRICTER),
        (_shares("10%, 50%", "20%, 40%"), Direction.OTHER),
    ],
)
def test_shares_of_waves_have_the_verdicts_of_their_soak(shares: Change, way: Direction) -> None:
    sides = Sides(*2 * (system_of(VALID_SPEC),))
    numbers = {Direction.LOOSER: (2.0, 1.0), Direction.STRICTER: (1.0, 2.0), Direction.OTHER: (1.0, 1.0)}[way]
    old, new = (Leaf(f"{number:g}h", number) for number in numbers)
    soak = Change((*_WAVES, "soak"), old, new, parsed("promotion: less"))

    assert soak.way is way
    assert rule_for(shares).verdict(shares, sides) == rule_for(soak).verdict(soak, sides)
