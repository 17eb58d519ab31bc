"""Evaluates what a single policy allows, regardless of the caller."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from testbed.clouds.aws.authorization.conditions import hold
from testbed.clouds.aws.authorization.language import Statement, parse
from testbed.clouds.aws.authorization.patterns import matches, matches_resource

Context: TypeAlias = Mapping[str, str | Sequence[str]]


def allows(policy: str, action: str, resource: str = "", context: Context | None = None) -> bool:
    """Return whether this policy alone allows an action. For a trust policy, the resource is empty."""
    statements = _about(policy, action, resource, context or {})
    return bool(statements) and all(each.allows for each in statements)


def denies(policy: str, action: str, resource: str, context: Context | None = None) -> bool:
    """Return whether this policy denies an action, even if other policies allow it."""
    return any(not each.allows for each in _about(policy, action, resource, context or {}))


def _about(policy: str, action: str, resource: str, context: Context) -> list[Statement]:
    context_values = {
        key.lower(): (value,) if isinstance(value, str) else tuple(value) for key, value in context.items()
    }
    return [
        each
        for each in parse("policy", policy).statements
        if any(matches(pattern, action, context_values, ignore_case=True) for pattern in each.actions)
        and (
            not each.resources or any(matches_resource(pattern, resource, context_values) for pattern in each.resources)
        )
        and hold(each.conditions, context_values)
    ]
