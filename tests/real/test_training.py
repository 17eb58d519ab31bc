"""Built-in trainers on several workers of a real Ray."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.test_runtime import happened


def test_two_workers_make_what_one_makes(tmp_path: Path) -> None:
    """The models are equally good for every kind of task, and complete even if a worker is lost during training."""
    facts = happened("whole_training.py", tmp_path)
    lost, rounds, quality = (facts.pop(name) for name in ("lost", "rounds", "quality"))

    assert len(facts) == 4
    for together, alone in facts.values():
        assert together == pytest.approx(alone, abs=0.02)
    assert (lost, rounds) == (1, 2000)
    assert quality > 0.9
