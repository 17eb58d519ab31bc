"""Tests that the tests in this folder cover every resource type supported by the stand-in."""

from __future__ import annotations

import re
from pathlib import Path

from testbed.clouds.aws.table import RECORDS

_MADE = re.compile(r'\.make\(\s*f?"[^"]*",\s*"([^"]*)"')


def test_every_type_is_covered() -> None:
    """At least one test creates a resource of every supported type."""
    created = {kind for path in Path(__file__).parent.glob("*.py") for kind in _MADE.findall(path.read_text())}

    assert set(RECORDS) - created == set()
    assert created - set(RECORDS) == set()
