"""Tests built-in trainers with several workers on a real Ray cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.real.test_runtime import happened


def test_two_workers_train_models_as_good_as_one(tmp_path: Path) -> None:
    """For each task type, two workers train as good a model as one, and training survives the loss of a worker."""
    facts = happened("whole_training.py", tmp_path)
    lost, rounds, quality = (facts.pop(name) for name in ("lost", "rounds", "quality"))

    assert len(facts) == 3
    for together, alone in facts.values():
        assert together == pytest.approx(alone, abs=0.02)
    assert (lost, rounds) == (1, 2000)
    assert quality > 0.9
