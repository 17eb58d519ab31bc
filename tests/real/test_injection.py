"""Injects code into every text field of every seed spec.

Takes minutes but needs no external programs.
"""

from __future__ import annotations

import pytest

from tests.hostile.injection import problems
from tests.hostile.nasty import NASTY, WORST
from tests.hostile.seeds import Seed, seeds

ONCE = {"azure_existing", "gcp_existing", "azure_adopted", "gcp_adopted", "sites_file"}
"""Seed specs that use strings in the same places as another seed, for AWS or with the sites in the spec."""


@pytest.mark.parametrize("seed", [pytest.param(seed, id=seed.name) for seed in seeds() if seed.name not in ONCE])
def test_code_in_texts_stays_data(seed: Seed) -> None:
    """Text from a spec never changes the structure of the output, only its strings.

    A small system is tested with every hostile string, and the others with one string per kind of syntax.
    """
    texts = NASTY if seed.name == "two" else WORST
    some = [text for text in texts if text]  # an empty string may remove its key, such as the value of a taint
    assert [(text, problem) for text in some for problem in problems(seed, text)] == []
