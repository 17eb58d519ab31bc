"""Runs the full test with hostile input, which takes minutes but needs no external programs."""

from __future__ import annotations

from tests.hostile.children import hostile

CASES = 1_500


def test_hostile_specs_compile_or_are_refused() -> None:
    """No generated or mutated spec causes a traceback, a hang, or more than 1 GB of memory use."""
    report = hostile(10_000, CASES)

    assert not report.failures, "\n".join(report.failures[:5])
    assert report.compiled > CASES // 10
    assert len(report.codes) > 60
