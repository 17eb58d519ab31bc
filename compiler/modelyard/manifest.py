"""Build Kubernetes objects as values, using common names, labels and quantities, and restricted Pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from modelyard.stack import Manifest, Value

__all__ = [
    "POD_SECURITY",
    "RESTRICTED",
    "Manifest",
    "Value",
    "config_map",
    "cpu_text",
    "env",
    "env_from_field",
    "env_from_secret",
    "labels",
    "memory_text",
    "metadata",
    "object_of",
    "resources",
    "without_empty",
]

PART_OF = "app.kubernetes.io/part-of"
WORKLOAD = "modelyard.dev/workload"
COMPONENT = "modelyard.dev/component"
NAME = "app.kubernetes.io/name"
SYSTEM = "modelyard.dev/system"

RAY_USER = 1000
"""The user ID in Ray's images and in the runtime image built on them."""

RESTRICTED: Manifest = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": RAY_USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""The security context of all our containers. It satisfies the `restricted` Pod Security Standard."""

POD_SECURITY: Manifest = {
    "fsGroup": RAY_USER,
    "runAsGroup": RAY_USER,
    "runAsNonRoot": True,
    "runAsUser": RAY_USER,
    "seccompProfile": {"type": "RuntimeDefault"},
}
"""The security context of all our Pods."""

_MEMORY_UNITS = (("Ti", 1024**4), ("Gi", 1024**3), ("Mi", 1024**2), ("Ki", 1024))


def labels(system: str, name: str, workload: str = "", component: str = "") -> dict[str, Value]:
    """Return the labels that all our objects have. `name` is the owning object's name, which selectors use."""
    values: dict[str, Value] = {
        NAME: name,
        PART_OF: system,
        "app.kubernetes.io/managed-by": "pulumi",
        SYSTEM: system,
    }
    if workload:
        values[WORKLOAD] = workload
    if component:
        values[COMPONENT] = component
    return values


def metadata(
    name: str,
    namespace: str,
    labelled: Mapping[str, Value],
    annotations: Mapping[str, Value] | None = None,
) -> dict[str, Value]:
    """Return the metadata of a namespaced object."""
    values: dict[str, Value] = {"name": name, "namespace": namespace, "labels": dict(labelled)}
    if annotations:
        values["annotations"] = dict(annotations)
    return values


def object_of(api_version: str, kind: str, described: Mapping[str, Value], **fields: Value) -> dict[str, Value]:
    """Build an object from its apiVersion, kind, metadata and other fields."""
    return {"apiVersion": api_version, "kind": kind, "metadata": dict(described), **fields}


def config_map(described: Mapping[str, Value], data: Mapping[str, str]) -> dict[str, Value]:
    """Build a ConfigMap that contains the given files."""
    return object_of("v1", "ConfigMap", described, data=dict(data))


def cpu_text(millis: int) -> str:
    """Format CPUs as a Kubernetes quantity: `4` or `500m`."""
    return str(millis // 1000) if millis % 1000 == 0 else f"{millis}m"


def cpu_words(millis: int) -> str:
    """Format CPUs for messages: `4` or `63.59`."""
    return f"{millis / 1000:g}"


def memory_text(size: int) -> str:
    """Format memory as a Kubernetes quantity: `16Gi`, `512Mi`, or plain bytes if no unit divides it evenly."""
    for unit, factor in _MEMORY_UNITS:
        if size and size % factor == 0:
            return f"{size // factor}{unit}"
    return str(size)


def gibibytes(size: int) -> str:
    """Return a size in Gi with at most one decimal, rounded down."""
    tenths = size * 10 // 1024**3
    return f"{tenths / 10:g}Gi"


def resources(cpu_millis: int, memory_bytes: int, extra: Mapping[str, str] | None = None) -> dict[str, Value]:
    """Return equal requests and limits, so that a Pod gets exactly its planned resources.

    Ray sizes itself by the limits, so it would run out of memory on an overcommitted node.
    """
    amounts: dict[str, Value] = {"cpu": cpu_text(cpu_millis), "memory": memory_text(memory_bytes), **(extra or {})}
    return {"requests": dict(amounts), "limits": dict(amounts)}


def env(name: str, value: str) -> dict[str, Value]:
    """Return an environment variable with a literal value, which must not be secret."""
    return {"name": name, "value": value}


def env_from_secret(name: str, secret: str, key: str) -> dict[str, Value]:
    """Return an environment variable that reads a key of a Secret."""
    return {"name": name, "valueFrom": {"secretKeyRef": {"name": secret, "key": key}}}


def env_from_field(name: str, path: str) -> dict[str, Value]:
    """Return an environment variable that reads a field of the Pod."""
    return {"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}}


def without_empty(entries: Mapping[str, Value]) -> dict[str, Value]:
    """Remove entries whose value is None or an empty list, mapping or string."""
    return {key: value for key, value in entries.items() if not _is_empty(value)}


def _is_empty(value: Value) -> bool:
    # Concrete classes come first, because abstract ones are slow to check.
    return not value and (value is None or isinstance(value, (str, list, tuple, dict, Sequence, Mapping)))
