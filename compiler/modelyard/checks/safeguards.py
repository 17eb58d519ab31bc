"""Safeguards of emitted objects, and the operations of an override that lift one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Final

from modelyard.source import Json
from modelyard.spec import Override

_UNSAFE: Final[Mapping[str, Json]] = {
    "privileged": True,
    "allowPrivilegeEscalation": True,
    "automountServiceAccountToken": True,
    "hostNetwork": True,
    "hostPID": True,
    "hostIPC": True,
    "runAsNonRoot": False,
    "readOnlyRootFilesystem": False,
    "runAsUser": 0,
    "runAsGroup": 0,
    "procMount": "Unmasked",
}
"""Fields of a Pod with the value that lifts their protection.

Source: https://kubernetes.io/docs/concepts/security/pod-security-standards/, 2026-11-25.
"""

_OPENINGS: Final = frozenset({"hostPath", "hostPort"})
_PROTECTIONS: Final = frozenset({*_UNSAFE, "securityContext", "capabilities", "drop", "seccompProfile"})
_GUARDS: Final = {
    "NetworkPolicy": ("spec",),
    "Role": ("rules",),
    "ClusterRole": ("rules",),
    "RoleBinding": ("subjects", "roleRef"),
    "ClusterRoleBinding": ("subjects", "roleRef"),
    "ValidatingAdmissionPolicy": ("spec",),
    "ValidatingAdmissionPolicyBinding": ("spec",),
}
"""Kinds of objects that are a safeguard, and the fields in which it lies."""

_IDENTITIES: Final = frozenset({"eks.amazonaws.com/role-arn", "pod-security.kubernetes.io/enforce"})
_EXPOSING: Final = frozenset({"LoadBalancer", "NodePort"})


def lifted(override: Override) -> Iterator[tuple[int, str]]:
    """Operations that lift a safeguard: the place in the patch, and what it does, such as `privileged: true`."""
    for at, operation in enumerate(override.patch):
        effect = next(_effects(override.kind, operation), "")
        if effect:
            yield at, effect


def _effects(kind: str, operation: Mapping[str, Json]) -> Iterator[str]:
    op, keys = str(operation["op"]), _keys(operation["path"])
    if op == "test":
        return
    if kind in _GUARDS and (not keys or keys[0] in _GUARDS[kind]):
        yield f"it changes the rules of a {kind}"
    if keys and keys[-1] in _IDENTITIES:
        yield f"it changes {keys[-1]}"
    gone = keys if op == "remove" else _keys(operation["from"]) if op == "move" else []
    if gone and gone[-1] in _PROTECTIONS:
        yield f"it removes {gone[-1]}"
    if op in {"add", "replace"}:
        yield from _values(kind, keys, operation["value"])


def _keys(pointer: Json) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in str(pointer).split("/")[1:]]


def _values(kind: str, keys: list[str], value: Json) -> Iterator[str]:
    """What a value at a path lifts, and what lies below it."""
    last = keys[-1] if keys else ""
    if last in _OPENINGS:
        yield f"it sets {last}"
    elif last in _PROTECTIONS and value in (None, {}, []):
        yield f"it empties {last}"
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _values(kind, [*keys, name], inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(kind, [*keys, "-"], inner)
    elif _unsafe(kind, last, value):
        yield f"it sets {last}: {str(value).lower() if isinstance(value, bool) else value}"
    elif ("capabilities", "add") in pairwise(keys):
        yield f"it adds the capability {value}"


def _unsafe(kind: str, field: str, value: Json) -> bool:
    if field == "type":
        return value == "Unconfined" or (kind == "Service" and value in _EXPOSING)
    return field in _UNSAFE and value == _UNSAFE[field] and isinstance(value, type(_UNSAFE[field]))
