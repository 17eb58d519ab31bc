"""Texts of code in every field of every spec: it needs no real part, but minutes."""

from __future__ import annotations

import pytest

from tests.hostile.injection import problems
from tests.hostile.nasty import NASTY
from tests.hostile.seeds import Seed, seeds


@pytest.mark.parametrize("seed", [pytest.param(seed, id=seed.name) for seed in seeds()])
def test_it_is_data(seed: Seed) -> None:
    """Files, documents, programs and expressions are those of a harmless text; only the texts themselves differ."""
    texts = [text for text in NASTY if text]  # an empty one may leave its key out, such as the value of a taint
    assert [(text, found) for text in texts for found in problems(seed, text)] == []
