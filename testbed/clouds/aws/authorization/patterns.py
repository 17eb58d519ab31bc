"""Matches patterns in policies: `*`, `?`, variables, and ARNs, which are compared part by part.

Sources, 2026-11-25: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html and
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from testbed.clouds.aws.authorization.language import NotEvaluated

Context: TypeAlias = Mapping[str, Sequence[str]]
"""The condition keys of a request in lower case, and their values."""

_ARN_PARTS = 6
_PIECE = re.compile(r"\$\{(?P<variable>[^}]*)\}|(?P<wildcard>[*?])|(?P<text>.)", re.DOTALL)
_VARIABLE = re.compile(r"(?P<name>[^,]+?)(\s*,\s*'(?P<default>[^']*)')?")
_SIGNS = {"*", "?", "$"}


def matches(pattern: str, text: str, context: Context, *, wildcards: bool = True, ignore_case: bool = False) -> bool:
    """Return whether a pattern matches a whole string. Variables without a value match nothing."""
    expression = _expression(pattern, context, wildcards=wildcards)
    if expression is None:
        return False
    flags = re.DOTALL | (re.IGNORECASE if ignore_case else 0)
    return re.fullmatch(expression, text, flags) is not None


def resolves(pattern: str, context: Context) -> bool:
    """Return whether every variable in a pattern has a value."""
    return _expression(pattern, context, wildcards=True) is not None


def matches_arn(pattern: str, text: str, context: Context) -> bool:
    """Match ARNs. A wildcard does not match a colon, except in the last part."""
    expected, actual = _parts(pattern), text.split(":", _ARN_PARTS - 1)
    return len(expected) == len(actual) == _ARN_PARTS and all(
        matches(part, value, context) for part, value in zip(expected, actual, strict=True)
    )


def matches_arn_condition(pattern: str, text: str, context: Context) -> bool:
    """Match ARNs in a condition. Raises NotEvaluated if the pattern isn't an ARN, i.e. the policy has an error."""
    if len(_parts(pattern)) < _ARN_PARTS:
        raise NotEvaluated(f"{pattern}, which is compared with an ARN and is none")
    return matches_arn(pattern, text, context)


def matches_resource(pattern: str, text: str, context: Context) -> bool:
    """Return whether a statement's resource covers the request's resource. `*` also covers requests without an ARN."""
    return pattern == "*" or matches_arn(pattern, text, context)


def _parts(pattern: str) -> list[str]:
    """Split a pattern into the six parts of an ARN, ignoring colons within variables."""
    hidden = re.sub(r"\$\{[^}]*\}", lambda match: match.group().replace(":", "\0"), pattern)
    return [part.replace("\0", ":") for part in hidden.split(":", _ARN_PARTS - 1)]


def _expression(pattern: str, context: Context, *, wildcards: bool) -> str | None:
    pieces: list[str] = []
    for piece in _PIECE.finditer(pattern):
        if piece["variable"] is not None:
            value = _value(piece["variable"], context)
            if value is None:
                return None
            pieces.append(re.escape(value))
        elif piece["wildcard"] and wildcards:
            pieces.append(".*" if piece["wildcard"] == "*" else ".")
        else:
            pieces.append(re.escape(piece.group()))
    return "".join(pieces)


def _value(variable: str, context: Context) -> str | None:
    if variable in _SIGNS:
        return variable
    read = _VARIABLE.fullmatch(variable)
    if read is None:
        raise NotEvaluated(f"policy variable ${{{variable}}}")
    values = context.get(read["name"].lower())
    if values is not None and len(values) > 1:
        raise NotEvaluated(f"policy variable ${{{variable}}} with several values")
    return values[0] if values else read["default"]
