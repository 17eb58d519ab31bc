"""Checks that the tests in this folder cover every type of the stand-in."""

from __future__ import annotations

import re
from pathlib import Path

from testbed.clouds.aws.table import RECORDS

_MADE = re.compile(r'\.make\(\s*f?"[^"]*",\s*"([^"]*)"')


def test_every_type_has_been_lived_through() -> None:
    """Every type is created by some test, as it would otherwise be untested."""
    made = {kind for path in Path(__file__).parent.glob("*.py") for kind in _MADE.findall(path.read_text())}

    assert set(RECORDS) - made == set()
    assert made - set(RECORDS) == set()
