"""Derives what an identity may do from role assignments and the actions of the assigned roles.

Assignments can only allow actions. An action is denied unless an assignment on the resource, or on a scope containing
it, has a role with that action. Conditions restrict an assignment further.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from testbed.clouds.azure.api import last

TABLE = Path(__file__).with_name("roles.json")
"""The built-in roles that the components assign. `python -m tools.list_azure_roles` writes this file."""


@dataclass(frozen=True, slots=True)
class Role:
    """The actions allowed by a role, in which `*` matches any text, and the actions it excludes."""

    name: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def allows(self, action: str, *, data: bool) -> bool:
        """Return whether the role allows an action on resources or, with `data`, on the data in them."""
        allowed, refused = (self.data_actions, self.not_data_actions) if data else (self.actions, self.not_actions)
        return _any(allowed, action) and not _any(refused, action)


@dataclass(frozen=True, slots=True)
class Grant:
    """A principal's role on a resource and everything inside it, optionally with a condition."""

    principal: str
    role: Role
    scope: str
    condition: str | None

    def covers(self, resource: str) -> bool:
        """Return whether a resource is the grant's resource or inside it. IDs are case-insensitive."""
        return f"{resource}/".lower().startswith(f"{self.scope.rstrip('/')}/".lower())


def built_in() -> dict[str, Role]:
    """Return the built-in roles by their GUIDs."""
    table: Mapping[str, Mapping[str, Any]] = json.loads(TABLE.read_text(encoding="utf-8"))["roles"]
    return {identifier: role_of(each) for identifier, each in table.items()}


def role_of(values: Mapping[str, Any]) -> Role:
    """Build a role from an entry in the table of built-in roles, or from a permission of a custom role."""
    kinds = ("actions", "notActions", "dataActions", "notDataActions")
    return Role(str(values.get("name", "")), *(tuple(values.get(kind) or ()) for kind in kinds))


def grants(assignments: Iterable[Mapping[str, Any]], definitions: Iterable[Mapping[str, Any]]) -> Iterator[Grant]:
    """Yield the grants from role assignments, using built-in roles and the given custom roles."""
    known = {guid: [role] for guid, role in built_in().items()}
    for each in definitions:
        permissions: list[Mapping[str, Any]] = each["permissions"]
        known[last(str(each["roleDefinitionId"]))] = [
            role_of({**permission, "name": each["roleName"]}) for permission in permissions
        ]
    for each in assignments:
        for role in known[last(str(each["roleDefinitionId"]))]:
            yield Grant(str(each["principalId"]), role, str(each["scope"]), each.get("condition"))


def _any(patterns: Iterable[str], action: str) -> bool:
    return any(re.fullmatch(re.escape(each).replace(r"\*", ".*"), action, re.IGNORECASE) for each in patterns)
