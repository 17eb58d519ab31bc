"""Find override operations that remove safeguards from emitted objects."""

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
"""Pod fields, each with the value that removes a protection.

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
}
"""Object kinds that are safeguards themselves, each with its protective fields."""

_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "Namespace": ("metadata", "labels", "pod-security.kubernetes.io/enforce"),
    "ServiceAccount": ("metadata", "annotations", "eks.amazonaws.com/role-arn"),
}
"""Paths of safeguards in object metadata. Patching a parent also changes the safeguard."""

_IDENTITIES: Final = frozenset(place[-1] for place in _PLACES.values())
_CONTAINERS: Final = frozenset({"containers", "initContainers"})
_REQUIRED: Final = ("allowPrivilegeEscalation", "capabilities", "readOnlyRootFilesystem")
_REQUIRED_OF_POD: Final = ("runAsNonRoot", "seccompProfile")
"""Fields that every emitted securityContext sets. A replacement securityContext without them removes protection."""

_EXPOSING: Final = frozenset({"LoadBalancer", "NodePort"})


def lifted(override: Override) -> Iterator[tuple[int, str]]:
    """Yield the position and effect of each operation that removes a safeguard, such as `privileged: true`."""
    for at, operation in enumerate(override.patch):
        effect = next(_effects(override.kind, operation), "")
        if effect:
            yield at, effect


def _effects(kind: str, operation: Mapping[str, Json]) -> Iterator[str]:
    op, path = str(operation["op"]), _keys(operation["path"])
    if op == "test":
        return
    source = _keys(operation["from"]) if "from" in operation else []
    removed = path if op == "remove" else source if op == "move" else None
    for keys in (path, *([source] if op == "move" else [])):
        if kind in _GUARDS and (not keys or keys[0] in _GUARDS[kind]):
            yield f"it changes the rules of a {kind}"
        if keys and keys[-1] in _IDENTITIES:
            yield f"it changes {keys[-1]}"
        if _around(kind, op, keys):
            yield f"it changes {_PLACES[kind][-1]}"
    if removed and removed[-1] in _PROTECTIONS:
        yield f"it removes {removed[-1]}"
    if "from" in operation and path and path[-1] in _PROTECTIONS | _OPENINGS:
        yield f"it changes {path[-1]}"
    if op in {"add", "replace"}:
        yield from _values(kind, path, operation["value"])


def _around(kind: str, op: str, keys: list[str]) -> bool:
    """Return whether an operation replaces or removes the parent of a safeguard. The first annotations may be added."""
    place = _PLACES.get(kind, ())
    adds_annotations = op == "add" and keys[-1:] == ["annotations"]
    return len(keys) < len(place) and place[: len(keys)] == tuple(keys) and not adds_annotations


def _keys(pointer: Json) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in str(pointer).split("/")[1:]]


def _values(kind: str, keys: list[str], value: Json) -> Iterator[str]:
    """Yield each safeguard that setting a path to a new value would remove, at any depth."""
    key = keys[-1] if keys else ""
    if key in _OPENINGS:
        yield f"it sets {key}"
    elif key in _IDENTITIES:
        yield f"it changes {key}"
    elif key in _PROTECTIONS and value in (None, {}, []):
        yield f"it empties {key}"
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _values(kind, [*keys, name], inner)
        if (_is_container(keys) or "containers" in value) and "securityContext" not in value:
            yield "it sets a Pod or container without securityContext"
        if key == "securityContext":
            of_container = _is_container(keys[:-1]) or keys[-2:-1] == ["autoscalerOptions"]
            missing = [field for field in (_REQUIRED if of_container else _REQUIRED_OF_POD) if field not in value]
            yield from (f"it sets {key} without {field}" for field in missing)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(kind, [*keys, "-"], inner)
    elif _unsafe(kind, key, value):
        yield f"it sets {key}: {str(value).lower() if isinstance(value, bool) else value}"
    elif ("capabilities", "add") in pairwise(keys):
        yield f"it adds the capability {value}"


def _is_container(keys: list[str]) -> bool:
    return len(keys) > 1 and keys[-2] in _CONTAINERS and (keys[-1] == "-" or keys[-1].isdecimal())


def _unsafe(kind: str, field: str, value: Json) -> bool:
    if field == "type":
        return value == "Unconfined" or (kind == "Service" and value in _EXPOSING)
    return field in _UNSAFE and value == _UNSAFE[field] and isinstance(value, type(_UNSAFE[field]))
