"""Tests of findings that no single field shows."""

from __future__ import annotations

from pathlib import Path

from modelyard.records import replace
from modelyard.review.findings import Level
from modelyard.spec import Signed
from tests.narrowing import present
from tests.reviewing import outcome_of, review_of, reviewed

BASE = (Path(__file__).parents[2] / "reviews" / "base" / "shop.yaml").read_text(encoding="utf-8")


def test_signed_approvals_are_found() -> None:
    """An approval that a pull request adds lets a version go live."""
    before = outcome_of(BASE)
    signed = (Signed("shop-churn", "champion", "sha256:2c26", "{}"),)
    after = replace(before, system=replace(present(before.system), signed=signed))

    assert [(one.code, one.level) for one in review_of(before, after).findings] == [("R913", Level.REVIEW)]
    assert [(one.code, one.level) for one in review_of(after, before).findings] == [("R913", Level.NOTE)]


def test_the_stricter_profile_decides_the_level() -> None:
    """Lowering the risk together with a safeguard does not lower the level of the safeguard."""
    high = BASE.replace("risk: limited", "risk: high")
    looser = BASE.replace("capture: {store: lake, sample: 20%", "capture: {store: lake, keys: [amount], sample: 20%")
    levels = {one.code: (one.level, one.reasons) for one in reviewed(high, looser).findings}

    assert levels["R307"] == (Level.DANGER, ("risk: high",))


def test_an_environment_for_trials_lowers_what_can_be_undone() -> None:
    """A gate in `dev` is for review; a store that loses its data is not less dangerous there."""
    before, after = (
        outcome_of(BASE),
        outcome_of(BASE.replace("min: 0.8}", "min: 0.7}").replace("retain: 30d", "retain: 7d")),
    )
    trials = [replace(one, system=replace(present(one.system), environment="dev")) for one in (before, after)]
    levels = {one.code: one.level for one in review_of(*trials).findings}

    assert (levels["R201"], levels["R310"]) == (Level.REVIEW, Level.DANGER)


def test_a_variant_without_traffic_reaches_nobody() -> None:
    idle = BASE.replace("live: 95, next: 5", "live: 100, next: 0")
    other = idle.replace("next: {model: churn@candidate}", "next: {model: churn@champion}")
    found = {one.code: one for one in reviewed(idle, other).findings}

    assert (found["R104"].level, found["R104"].reasons) == (Level.NOTE, ("the variant gets no traffic",))
