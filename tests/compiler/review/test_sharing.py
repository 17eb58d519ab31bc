"""Tests that two versions of a system share all equal objects, without affecting any finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.records import replace
from modelyard.spec import System, shared
from modelyard.stages import Outcome
from tests.benchmarks.systems import ON_PREM, system
from tests.narrowing import present
from tests.reviewing import outcome_of, review_of
from tests.test_reviews import REVIEWS, specs_of


def _system(outcome: Outcome) -> System:
    return present(outcome.system)


def test_equal_parts_are_the_same_objects() -> None:
    """Only objects that differ (here, one pipeline) are new. A section without differences is the same mapping."""
    before = _system(outcome_of(system(2, where=ON_PREM)))
    after = _system(outcome_of(system(2, where=ON_PREM, changed=1), other=before))

    assert after.models is before.models
    assert after.deployment is before.deployment
    assert after.pipelines["p0"] is before.pipelines["p0"]
    assert after.pipelines["p1"] != before.pipelines["p1"]
    assert after.document is not before.document


def test_a_shared_section_keeps_its_own_order_and_entries() -> None:
    first, second = _system(outcome_of(system(1, where=ON_PREM))), _system(outcome_of(system(2, where=ON_PREM)))

    assert list(shared(first, second).models) == ["m0"]
    assert list(shared(second, first).models) == ["m0", "m1"]
    assert shared(second, first) == second


def test_a_boolean_is_not_shared_with_a_number() -> None:
    """Python considers `true` equal to 1, but user code may not."""
    plain = _system(outcome_of(system(1, where=ON_PREM)))
    (step,) = plain.pipelines["p0"].steps

    def with_value(value: bool | int) -> System:
        pipeline = replace(plain.pipelines["p0"], steps=(replace(step, parameters=(("shuffle", value),)),))
        return replace(plain, pipelines={"p0": pipeline})

    flag, number = with_value(True), with_value(1)

    assert shared(number, flag).pipelines["p0"] is number.pipelines["p0"]
    assert shared(with_value(True), flag).pipelines is flag.pipelines


@pytest.mark.parametrize("name", ["R102-variant-added", "R503-renamed", "R508-namespace"])
def test_findings_do_not_depend_on_sharing(name: str) -> None:
    old, new = specs_of(Path(REVIEWS) / f"{name}.md")
    before, after = outcome_of(old, "before.yaml"), outcome_of(new, "after.yaml")

    assert review_of(before, outcome_of(new, "after.yaml", before.system)) == review_of(before, after)
    assert review_of(outcome_of(old, "before.yaml", after.system), after) == review_of(before, after)
