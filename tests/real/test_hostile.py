"""The full test with hostile input. It takes minutes but needs no real programs."""

from __future__ import annotations

from tests.hostile.children import hostile

CASES = 20_000


def test_hostile_specs_compile_or_are_refused() -> None:
    """No generated or mutated spec causes a traceback, a hang, or more than 1 GB of memory in any stage."""
    told = hostile(10_000, CASES)

    assert not told.failures, "\n".join(told.failures[:5])
    assert told.compiled > CASES // 10
    assert len(told.codes) > 80
