"""Tests that a review compares permissions by the actions they allow rather than their names."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from modelyard.inputs import InputFile, Inputs
from modelyard.pipeline import Outcome, understand
from modelyard.plan import Access, Identity, Kind, Resource
from modelyard.records import replace
from modelyard.review.findings import Level
from modelyard.review.further import rights
from modelyard.review.sides import Sides
from modelyard.spec import SecretRef
from modelyard_targets import TARGETS
from tests.examples import SYSTEMS
from tests.narrowing import present
from tests.reviewing import review_of

SPEC = (SYSTEMS / "leads" / "system.yaml").read_text(encoding="utf-8")
RENAMED = re.sub(r"\blake\b", "pond", SPEC)


def understood(spec: str) -> Outcome:
    """Return the outcome for a valid spec."""
    outcome = understand(Inputs(InputFile("system.yaml", spec)), TARGETS)
    assert not outcome.failed, outcome.diagnostics
    return outcome


def codes(spec: str) -> set[str]:
    """Return the codes of the findings about a change to the given spec."""
    return {finding.code for finding in review_of(understood(SPEC), understood(spec)).findings}


def test_a_store_that_moved_renames_gives_nobody_a_right() -> None:
    result = codes(f"{RENAMED}moved: {{stores.pond: stores.lake}}\n")

    assert "R503" in result
    assert not result & {"R406", "R413"}


def test_another_store_does() -> None:
    assert {"R406", "R413"} <= codes(RENAMED)


SAMPLES: Mapping[str, object] = {
    "access": (Access("lake", "scores", "own"),),
    "secrets": (SecretRef("vault", "token", ""),),
    "api": "starter",
}
"""A right of each kind. The mode of access is one that does not exist."""


def test_every_kind_of_right_is_compared() -> None:
    """Otherwise, a new field of identities could hold rights that no review shows."""
    assert {*SAMPLES, "workload"} == set(Identity.__match_args__)


@pytest.mark.parametrize("kind", SAMPLES)
def test_a_new_right_of_any_kind_is_found(kind: str) -> None:
    """Only reading changes nothing, so a right that is not known is a danger."""
    plan = present(understood(SPEC).plan)
    nothing = Identity("inference.x", (), (), "")
    identities = (nothing, replace(nothing, **{kind: SAMPLES[kind]}))
    before, after = (
        replace(plan, resources=(Resource(Kind.IDENTITY, "x", "main", (), "inference.x", identity),))
        for identity in identities
    )

    (finding,) = rights(Sides(before.system, after.system), before, after)
    assert (finding.code, finding.level) == ("R406", Level.REVIEW if kind == "secrets" else Level.DANGER)
