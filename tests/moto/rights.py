"""What a policy allows, by the rules of IAM: the part of its language that our policies are written in.

An explicit denial wins, what nothing allows is denied. Source:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html, 2026-11-24.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

Context: TypeAlias = Mapping[str, str | Sequence[str]]


def allows(policy: str, action: str, resource: str = "", context: Context | None = None) -> bool:
    """Whether this policy alone lets somebody do this; the resource of a trust policy is empty."""
    decided = _effects(policy, action, resource, context or {})
    return "Deny" not in decided and "Allow" in decided


def denies(policy: str, action: str, resource: str, context: Context | None = None) -> bool:
    """Whether this policy forbids it, whatever others allow."""
    return "Deny" in _effects(policy, action, resource, context or {})


def _effects(policy: str, action: str, resource: str, context: Context) -> set[str]:
    here = {key.lower(): _several(value) for key, value in context.items()}
    return {
        statement["Effect"]
        for statement in json.loads(policy)["Statement"]
        if any(_like(pattern.lower(), action.lower()) for pattern in _several(statement["Action"]))
        and any(_like(pattern, resource) for pattern in _several(statement.get("Resource", "")))
        and _holds(statement.get("Condition", {}), here)
    }


def _holds(conditions: Mapping[str, Mapping[str, Any]], here: Mapping[str, Sequence[str]]) -> bool:
    return all(
        _one_holds(operator, _several(expected), here.get(key.lower()))
        for operator, keys in conditions.items()
        for key, expected in keys.items()
    )


def _one_holds(operator: str, expected: Sequence[str], actual: Sequence[str] | None) -> bool:
    if operator == "Null":
        return (actual is None) == (expected[0] == "true")
    name = operator.removeprefix("ForAllValues:").removesuffix("IfExists")
    negated = "Not" in name
    test = _TESTS[name.replace("Not", "")]
    if actual is None:
        return negated or operator != name
    matched = [any(test(pattern, value) for pattern in expected) for value in actual]
    every = all(matched) if operator.startswith("ForAllValues:") else any(matched)
    return every != negated


def _several(value: str | Sequence[str]) -> Sequence[str]:
    return [value] if isinstance(value, str) else value


def _like(pattern: str, text: str) -> bool:
    parts = ({"*": ".*", "?": "."}.get(sign, re.escape(sign)) for sign in pattern)
    return re.fullmatch("".join(parts), text, re.DOTALL) is not None


def _equal(expected: str, actual: str) -> bool:
    return expected == actual


_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "ArnEquals": _like,
    "ArnLike": _like,
    "Bool": _equal,
    "StringEquals": _equal,
    "StringLike": _like,
}
