"""Every type of the stand-in is tried by one of the tests beside this one."""

from __future__ import annotations

import re
from pathlib import Path

from testbed.clouds.aws.table import RECORDS

_MADE = re.compile(r'\.make\(\s*f?"[^"]*",\s*"([^"]*)"')


def test_every_type_has_been_lived_through() -> None:
    """A type that nothing here makes would be untried."""
    made = {kind for path in Path(__file__).parent.glob("*.py") for kind in _MADE.findall(path.read_text())}

    assert set(RECORDS) - made == set()
    assert made - set(RECORDS) == set()
