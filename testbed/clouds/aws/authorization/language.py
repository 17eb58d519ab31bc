"""Policies as records. Unsupported parts of IAM's language raise an error, so no test passes by accident.

Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html, 2026-11-25.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

_VERSION = "2012-10-17"  # in other versions, variables would be plain strings
_ELEMENTS = frozenset(
    ("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource", "NotResource", "Condition")
)
_UNSUPPORTED = frozenset(("NotPrincipal",))  # AWS advises against it, and our policies do not use it
_PRINCIPALS = frozenset(("AWS", "Service", "Federated"))


class NotEvaluated(Exception):
    """Raised for a part of a policy or request that this evaluator does not support."""


@dataclass(frozen=True, slots=True)
class Condition:
    """An operator, a condition key, and the values it is compared with."""

    operator: str
    key: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """A policy statement. `principals` maps AWS, Service or Federated to names, and is None in identity policies."""

    sid: str
    allows: bool
    principals: Mapping[str, tuple[str, ...]] | None
    actions: tuple[str, ...]
    all_but_actions: bool
    resources: tuple[str, ...]
    all_but_resources: bool
    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy with its name for error messages, such as `identity-based policy retrain`."""

    name: str
    statements: tuple[Statement, ...]


Document: TypeAlias = Mapping[str, Any]


def parse(name: str, document: str | Document) -> Policy:
    """Parse a policy from JSON. Raise NotEvaluated for an unsupported version, element or principal."""
    read: Any = json.loads(document) if isinstance(document, str) else document
    if read.get("Version") != _VERSION:
        raise NotEvaluated(f"{name}: version {read.get('Version')!r}, expected {_VERSION}")
    written = read["Statement"]
    statements = [written] if isinstance(written, Mapping) else written
    return Policy(name, tuple(_statement(name, each) for each in statements))


def several(value: object) -> tuple[str, ...]:
    """Return a single value or a list in a policy as strings. Booleans are written as in JSON."""
    values: Iterable[object] = value if isinstance(value, list | tuple) else (value,)
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in values)


def _statement(name: str, written: Document) -> Statement:
    sid = str(written.get("Sid", ""))
    if unknown := (set(written) - _ELEMENTS) | (set(written) & _UNSUPPORTED):
        raise NotEvaluated(f"{name} {sid}: element {', '.join(sorted(unknown))}")
    if written["Effect"] not in ("Allow", "Deny"):
        raise NotEvaluated(f"{name} {sid}: effect {written['Effect']!r}")
    return Statement(
        sid=sid,
        allows=written["Effect"] == "Allow",
        principals=_principals(f"{name} {sid}", written.get("Principal")),
        actions=several(written["NotAction" if "NotAction" in written else "Action"]),
        all_but_actions="NotAction" in written,
        resources=several(written.get("NotResource", written.get("Resource", ()))),
        all_but_resources="NotResource" in written,
        conditions=tuple(
            Condition(operator, key, several(values))
            for operator, keys in written.get("Condition", {}).items()
            for key, values in keys.items()
        ),
    )


def _principals(where: str, written: object) -> Mapping[str, tuple[str, ...]] | None:
    if written is None:
        return None
    if written == "*":
        return {"AWS": ("*",)}
    assert isinstance(written, Mapping)
    if unknown := set(written) - _PRINCIPALS:
        raise NotEvaluated(f"{where}: principal of type {', '.join(sorted(unknown))}")
    return {str(kind): several(names) for kind, names in written.items()}
