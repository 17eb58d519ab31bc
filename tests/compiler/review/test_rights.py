"""Tests that a review compares permissions by the actions that they allow rather than by their names."""

from __future__ import annotations

import re

from modelyard.inputs import InputFile, Inputs
from modelyard.pipeline import Outcome, understand
from modelyard_targets import TARGETS
from tests.examples import SYSTEMS
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
