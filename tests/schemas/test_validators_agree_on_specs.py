"""Tests that both validators agree on every spec in this repository, valid or invalid."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.load import load
from modelyard.pipeline import InputFile, Inputs, read
from tests.examples import Example, every_example
from tests.hostile import child
from tests.schemas.validators import SPECS

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for pattern in (
        "examples/*/system.yaml",
        "tests/fields/*.yaml",
        "tests/failing/*/system.yaml",
        "compiler/modelyard/templates/*.yaml",
    )
    for path in ROOT.glob(pattern)
)


@pytest.mark.parametrize("path", FILES)
def test_both_validators_agree_on_a_file(path: str) -> None:
    """Both validators agree on a spec file and its environments. Files that cannot be loaded are skipped."""
    document, _ = load((ROOT / path).read_bytes(), path)

    if document is not None:
        SPECS.places(document.value)


@pytest.mark.parametrize("example", [pytest.param(case, id=str(case)) for case in every_example()])
def test_both_validators_agree_on_an_environment_of_an_example(example: Example) -> None:
    """Both validators accept an example once its overlay and variables are applied."""
    document = read(example.inputs()).document
    assert document is not None

    assert SPECS.places(document.value) == frozenset()


def test_both_validators_agree_on_hostile_specs() -> None:
    """Both validators agree on hostile specs, many of which have several errors."""
    judged = 0
    for number in range(300):
        inputs = child.case(number)
        document = read(Inputs(InputFile("system.yaml", inputs.spec.content), inputs.environment)).document
        if document is not None:
            judged += 1
            SPECS.places(document.value)

    assert judged > 100
