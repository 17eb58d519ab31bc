"""Options and checks for all tests.

`--accept` rewrites expected output and golden folders instead of comparing them. The runtime checks every emitted
workload description.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings

from tests import accepted

accepted.hold()
settings.register_profile("modelyard", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("modelyard")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--accept", action="store_true", help="rewrite expected texts and golden folders")


@pytest.fixture
def accept(request: pytest.FixtureRequest) -> bool:
    """Return whether to store the current output as the expected output instead of comparing it."""
    return bool(request.config.getoption("--accept"))
