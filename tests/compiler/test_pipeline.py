"""Tests that the compiler's stage table matches the order of the stage enumeration and the documentation."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from modelyard.pipeline import STAGES, Stage, understand
from modelyard_targets import TARGETS
from tests.examples import Example

PAGE = Path(__file__).resolve().parents[2] / "docs" / "pipeline.md"


HELLO = Example("hello", None)


def test_stages_are_in_enumeration_order() -> None:
    assert [stage for stage, _ in STAGES] == list(Stage)


def test_the_documentation_has_a_section_for_each_stage() -> None:
    """The page lists the stages in order, followed by the two steps after the last stage."""
    names = [stage.name.lower() for stage in Stage]

    assert re.findall(r"^## ([a-z]+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE) == [*names, "lower", "emit"]


@pytest.mark.parametrize(
    ("right", "wrong", "reached"),
    [
        ("kind: MLSystem", "kind: [", Stage.LOAD),
        ("team: growth", 'team: "${vars.team}"', Stage.SUBSTITUTE),
        ("format: parquet", "format: parket", Stage.VALIDATE),
        ("inputs: [subscribers]", "inputs: [subscriber]", Stage.RESOLVE),
        ("metric: auc_roc", "metric: auc_rok", Stage.CHECK),
        ("cpu: 2, memory: 8Gi", "cpu: 2, memory: 800Gi", Stage.PLAN),
        ('adopt: customers, endpoint: "http://minio.minio.svc:9000", ', "", Stage.FIT),
    ],
)
def test_an_invalid_spec_is_refused_by_the_right_stage(right: str, wrong: str, reached: Stage) -> None:
    """Stages before the expected one report nothing, and those after it don't run on the invalid spec."""
    text = (HELLO.root / "hello" / "system.yaml").read_text(encoding="utf-8")
    assert right in text
    outcome = understand(HELLO.inputs(text.replace(right, wrong)), TARGETS)

    assert outcome.failed
    assert (outcome.reached, min(outcome.stages.values())) == (reached, reached)


def test_a_valid_spec_passes_every_stage() -> None:
    """A valid spec passes all stages and is then lowered."""
    outcome = understand(HELLO.inputs(), TARGETS)

    assert (outcome.failed, outcome.reached, outcome.stacks) == (False, Stage.FIT, ())
    assert [stack.target for stack in HELLO.compiled().stacks] == ["main"]
