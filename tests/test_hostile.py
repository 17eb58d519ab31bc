"""Hostile input ends in a result or in diagnostics: a sample of the cases that tests/real runs in full."""

from __future__ import annotations

import pytest

from modelyard.pipeline import Given, Inputs
from tests.hostile import child
from tests.hostile.children import hostile
from tests.hostile.seeds import seeds

SHARE = 1_000


def test_a_share_of_hostile_specs_compiles_or_is_refused() -> None:
    """There is no traceback, no hang, and at most 1 GB; and not all cases are refused by the first stage."""
    told = hostile(0, SHARE)

    assert not told.failures, "\n".join(told.failures[:5])
    assert told.compiled > SHARE // 10
    assert len(told.codes) > 40


def test_hostile_cases_are_reproducible() -> None:
    """A failure that cannot be repeated could not be investigated."""
    assert [child.case(number) for number in range(40)] == [child.case(number) for number in range(40)]
    assert len({str(child.case(number).spec.content) for number in range(40)}) > 35


def _broken(*_given: object) -> None:
    raise ZeroDivisionError


def test_exceptions_in_a_stage_are_reported() -> None:
    """The runner hides nothing: a target that raises is a failure, not a diagnostic."""
    inputs = Inputs(Given("system.yaml", seeds()[0].text))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(child, "compile_system", _broken)
        with pytest.raises(ZeroDivisionError):
            child.run(inputs)
    assert child.run(inputs) is not None
