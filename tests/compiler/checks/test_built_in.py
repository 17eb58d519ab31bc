"""Tests that the storage format of models is derived from the code that trains them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.compiler.checks.checked_specs import codes_in

SPEC = (Path(__file__).parents[2] / "failing/W0949-pickled-at-high-risk/system.yaml").read_text(encoding="utf-8")
OWN = '    source: {entrypoint: "churn.train:main"}\n'
STEPS = """    steps:
      clean: {source: {entrypoint: "churn.clean:main"}, inputs: [history]}
      learn: {trainer: pytorch, inputs: [history], needs: [clean]}
"""


@pytest.mark.parametrize(
    ("before", "after", "codes"),
    [
        ("", "", ["W0949"]),
        ("risk: high", "risk: limited", []),
        ("framework: pytorch", "framework: xgboost", []),
        ("framework: pytorch", "framework: custom", []),
        (OWN, "", []),
        (OWN, STEPS, []),
    ],
)
def test_pickled_models_are_reported_in_high_risk_systems(before: str, after: str, codes: list[str]) -> None:
    """Only specs that always pickle models are reported, since what user code writes is only known after a run."""
    assert before in SPEC
    assert codes_in(SPEC.replace(before, after) if before else SPEC) == codes
