"""Fixtures shared by test files: a project with all components, with no settings and with all settings."""

from __future__ import annotations

import pytest

from tests.stacks.aws.programs import Resources
from tests.stacks.azure.programs import registered_together, with_everything


@pytest.fixture(scope="session")
def everything(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Resources]:
    """Register a project with all components, and another that adds a public API and every setting."""
    return registered_together(tmp_path_factory.mktemp("everything"), with_everything())


@pytest.fixture
def resources(everything: dict[str, Resources]) -> Resources:
    """Return the registrations of the project without settings."""
    return everything["plain"]
