"""Code as text in every field of every spec, which needs minutes but no real programs."""

from __future__ import annotations

import pytest

from tests.hostile.injection import problems
from tests.hostile.nasty import NASTY
from tests.hostile.seeds import Seed, seeds


@pytest.mark.parametrize("seed", [pytest.param(seed, id=seed.name) for seed in seeds()])
def test_it_is_data(seed: Seed) -> None:
    """The output has the same structure as for harmless text; only the texts themselves differ."""
    texts = [text for text in NASTY if text]  # an empty one may leave its key out, such as a taint's value
    assert [(text, found) for text in texts for found in problems(seed, text)] == []
