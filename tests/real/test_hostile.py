"""Hostile input in full: it needs no real part, but minutes."""

from __future__ import annotations

from tests.hostile.children import hostile

CASES = 20_000


def test_hostile_specs_compile_or_are_refused() -> None:
    """Generated and mutated specs through all stages and onto disk: no traceback, no hang, no more than 1 GB each."""
    told = hostile(10_000, CASES)

    assert not told.failures, "\n".join(told.failures[:5])
    assert told.compiled > CASES // 10
    assert len(told.codes) > 80
