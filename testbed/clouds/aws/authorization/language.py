"""Policies as records. Unsupported parts of IAM's language raise an error so that no test passes by accident.

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
    """Raised for parts of a policy or request that this evaluator doesn't support."""


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
    """A policy, and its name for error messages, e.g. `identity-based policy retrain`."""

    name: str
    statements: tuple[Statement, ...]


Document: TypeAlias = Mapping[str, Any]


def parse(name: str, document: str | Document) -> Policy:
    """Parse a policy from JSON. Raises NotEvaluated for an unsupported version, element or principal."""
    read: Any = json.loads(document) if isinstance(document, str) else document
    if read.get("Version") != _VERSION:
        raise NotEvaluated(f"{name}: version {read.get('Version')!r}, expected {_VERSION}")
    raw = read["Statement"]
    statements = [raw] if isinstance(raw, Mapping) else raw
    return Policy(name, tuple(_statement(name, each) for each in statements))


def several(value: object) -> tuple[str, ...]:
    """Return a policy's single value or list as strings, with booleans written as in JSON."""
    values: Iterable[object] = value if isinstance(value, list | tuple) else (value,)
    return tuple(str(each).lower() if isinstance(each, bool) else str(each) for each in values)


def _statement(name: str, raw: Document) -> Statement:
    sid = str(raw.get("Sid", ""))
    if unknown := (set(raw) - _ELEMENTS) | (set(raw) & _UNSUPPORTED):
        raise NotEvaluated(f"{name} {sid}: element {', '.join(sorted(unknown))}")
    if raw["Effect"] not in ("Allow", "Deny"):
        raise NotEvaluated(f"{name} {sid}: effect {raw['Effect']!r}")
    return Statement(
        sid=sid,
        allows=raw["Effect"] == "Allow",
        principals=_principals(f"{name} {sid}", raw.get("Principal")),
        actions=several(raw["NotAction" if "NotAction" in raw else "Action"]),
        all_but_actions="NotAction" in raw,
        resources=several(raw.get("NotResource", raw.get("Resource", ()))),
        all_but_resources="NotResource" in raw,
        conditions=tuple(
            Condition(operator, key, several(values))
            for operator, keys in raw.get("Condition", {}).items()
            for key, values in keys.items()
        ),
    )


def _principals(where: str, raw: object) -> Mapping[str, tuple[str, ...]] | None:
    if raw is None:
        return None
    if raw == "*":
        return {"AWS": ("*",)}
    assert isinstance(raw, Mapping)
    if unknown := set(raw) - _PRINCIPALS:
        raise NotEvaluated(f"{where}: principal of type {', '.join(sorted(unknown))}")
    return {str(kind): several(names) for kind, names in raw.items()}
