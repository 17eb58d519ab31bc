"""Updates sections of handwritten pages that are printed from code. Each section is enclosed by two comments."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from tests.operations_page import alerts_part
from tests.risk_page import risk_part
from tests.sizes_part import sizes_part

PARTS: Final[Mapping[tuple[str, str], Callable[[], str]]] = {
    ("kubernetes.md", "sizes"): sizes_part,
    ("operations.md", "alerts"): alerts_part,
    ("risk.md", "risk"): risk_part,
}
"""The functions that print the parts, by page and name of the part."""


def with_part(page: str, part: str, printed: str) -> str:
    """Return the page with the given text between the two comments enclosing a part."""
    around = re.compile(rf"(?<=<!-- printed: {part} -->\n).*?(?=<!-- /printed -->)", re.DOTALL)
    (replaced, count) = around.subn(lambda _: f"\n{printed.strip()}\n\n", page)
    assert count == 1, part
    return replaced
