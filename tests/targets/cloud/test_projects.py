"""Tests that roles are distributed across projects by name, deterministically."""

from __future__ import annotations

import pytest

from modelyard.plan import Resource
from modelyard_targets.cloud.projects import folder_name, split_roles
from tests.targets.aws.infrastructure import LEADS, plan_of


@pytest.fixture(scope="module")
def roles() -> tuple[Resource, ...]:
    """Return arbitrary roles. Only their names matter here."""
    return plan_of(LEADS).resources


def test_few_roles_are_in_one_project(roles: tuple[Resource, ...]) -> None:
    assert split_roles(roles, 1, 0) == (roles,)


def test_every_role_is_in_exactly_one_project(roles: tuple[Resource, ...]) -> None:
    parts = split_roles(roles, 1, 5000)

    assert len(parts) == 6
    assert sorted(role.place for part in parts for role in part) == sorted(role.place for role in roles)
    assert parts == split_roles(roles, 1, 5000)


def test_the_first_folder_has_no_number() -> None:
    assert [folder_name(at) for at in range(3)] == ["infrastructure", "infrastructure-2", "infrastructure-3"]
