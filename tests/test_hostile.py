"""Tests that hostile specs yield output or diagnostics, using a sample of the cases in tests/real."""

from __future__ import annotations

import pytest

from modelyard.pipeline import InputFile, Inputs
from tests.hostile import child
from tests.hostile.children import hostile
from tests.hostile.seeds import seeds

SHARE = 1_000


def test_a_sample_of_hostile_specs_compiles_or_is_refused() -> None:
    """No hostile spec raises an exception, hangs or uses more than 1 GB of memory, and some pass the first stage."""
    report = hostile(0, SHARE)

    assert not report.failures, "\n".join(report.failures[:5])
    assert report.compiled > SHARE // 10
    assert len(report.codes) > 40


def test_hostile_cases_are_reproducible() -> None:
    """A case number always maps to the same spec, so failures can be investigated."""
    assert [child.case(number) for number in range(40)] == [child.case(number) for number in range(40)]
    assert len({str(child.case(number).spec.content) for number in range(40)}) > 35


def _broken(*_given: object) -> None:
    raise ZeroDivisionError


def test_exceptions_in_a_stage_are_reported() -> None:
    """If a target raises an exception, the runner reports a failure instead of a diagnostic."""
    inputs = Inputs(InputFile("system.yaml", seeds()[0].text))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(child, "compile_system", _broken)
        with pytest.raises(ZeroDivisionError):
            child.run(inputs)
    assert child.run(inputs) is not None
