"""Evaluates what a member of Google's policies may do, by the registered bindings and their roles' permissions.

Bindings only allow. A permission is denied unless a binding with a true condition grants it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.stacks.aws.programs import Found, of

BINDING = "gcp:storage/bucketIAMMember:BucketIAMMember"

_ROLES: Mapping[str, list[str]] = json.loads(Path(__file__).with_name("roles.json").read_text(encoding="utf-8"))[
    "roles"
]
_COMPARISON = re.compile(r'resource\.name(?: == "([^"\\]+)"|\.startsWith\("([^"\\]+)"\))')
_MOST_OPERATORS = 12


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket, and a member of its policy."""

    found: Found
    name: str
    member: str

    def may(self, permission: str, path: str = "") -> bool:
        """Return whether the member has a permission on an object, or on the bucket itself."""
        resource = f"projects/_/buckets/{self.name}" + (f"/objects/{path}" if path else "")
        return any(
            permission in _ROLES[binding["role"]] and _holds(binding.get("condition"), resource)
            for binding in self.bindings()
        )

    def bindings(self) -> Iterator[dict[str, Any]]:
        """Yield the member's bindings in the policy of the bucket."""
        for each in of(self.found, BINDING).values():
            if each["inputs"]["bucket"] == self.name and each["inputs"]["member"] == self.member:
                yield each["inputs"]


def permissions(role: str) -> list[str]:
    """Return the permissions of a predefined role."""
    return _ROLES[role]


def _holds(condition: Mapping[str, str] | None, resource: str) -> bool:
    """Evaluate comparisons joined by ||, the only expressions in our conditions. Raise an error for any other."""
    if condition is None:
        return True
    parts = condition["expression"].split(" || ")
    assert len(parts) - 1 <= _MOST_OPERATORS
    matched = [_COMPARISON.fullmatch(part) for part in parts]
    assert all(matched), condition
    return any(each is not None and (resource == each[1] or _starts(resource, each[2])) for each in matched)


def _starts(resource: str, prefix: str | None) -> bool:
    return prefix is not None and resource.startswith(prefix)
