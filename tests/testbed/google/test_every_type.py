"""Tests that the stand-in supports each resource type the components register, and that it is tested here."""

from __future__ import annotations

import re
from pathlib import Path

from testbed.clouds.gcp.bodies import BODIES
from testbed.clouds.gcp.table import KINDS

_TYPE = re.compile(r'"(gcp:\w+/\w+:\w+)"')


def test_every_type_is_covered() -> None:
    covered = {kind for path in Path(__file__).parent.glob("*.py") for kind in _TYPE.findall(path.read_text())}

    assert set(KINDS) == set(BODIES)
    assert set(KINDS) - covered == set()
    assert covered - set(KINDS) == set()
