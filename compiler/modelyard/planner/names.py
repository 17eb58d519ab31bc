"""Check that the names of resources on a target are unique."""

from __future__ import annotations

from collections.abc import Iterator

from modelyard.diagnostics.base import ENTRIES, Diagnostic, quote
from modelyard.diagnostics.plan import name_collision, reserved_name, same_namespace
from modelyard.plan import SYSTEM_POOL, Kind, Plan, Resource
from modelyard.source import Path

_OWN = frozenset(
    {
        Kind.CLUSTER,
        Kind.SYSTEM_POOL,
        Kind.NODE_POOL,
        Kind.NAMESPACE,
        Kind.SECRET,
        Kind.OBJECT_STORE,
        Kind.CHANNEL,
    }
)
"""Kinds of resources whose names cannot collide with workload names, because the namespace has no objects with them."""

_WORKLOADS = frozenset({"inference", "pipelines", "monitors", "pool"})


def check_names(plan: Plan) -> Iterator[Diagnostic]:
    """Report name collisions between workloads, between targets sharing a namespace, and with reserved names."""
    yield from _namespaces(plan)
    claims: dict[tuple[str, str], Resource] = {}
    reported: set[tuple[str, str]] = set()
    for resource in plan.resources:
        if resource.kind is Kind.NODE_POOL and resource.name == SYSTEM_POOL:
            why = "the node pool for the platform's own workloads has that name"
            yield reserved_name(plan.system.key(*resource.origin), resource.name, why)
        if resource.kind in _OWN:
            continue
        if resource.name == "default":
            why = "every namespace has a ServiceAccount with that name"
            yield reserved_name(plan.system.key(*_place(resource)), resource.name, why)
        first = claims.setdefault((resource.placement, resource.name), resource)
        rivals = (_owner(first), _owner(resource))
        if rivals not in reported and (rivals[0] != rivals[1] or _are_two_of(first, resource, Kind.MODEL_SERVER)):
            reported.add(rivals)
            span, where = plan.system.key(*_place(resource)), plan.system.key(*_place(first))
            yield name_collision(span, resource.name, _what(resource), _what(first), where)


def _are_two_of(first: Resource, second: Resource, kind: Kind) -> bool:
    return first is not second and first.kind is kind and second.kind is kind


def _owner(resource: Resource) -> str:
    """Return the owner of a resource's name: its workload, within which names may repeat, or the resource itself."""
    return resource.workload or resource.address


def _what(resource: Resource) -> str:
    """Describe a resource in the spec's terms."""
    section, _, name = resource.workload.partition(".")
    if section in _WORKLOADS:
        text = f"{ENTRIES.get(section, section)} {quote(name)}"
        variant = resource.origin[3:4] if resource.kind is Kind.MODEL_SERVER else ()
        return f"variant {quote(variant[0])} of {text}" if variant else text
    return "the registry" if resource.workload == "registry" else f"{resource.kind.value} {quote(resource.name)}"


def _place(resource: Resource) -> Path:
    """Return the path in the spec from which a resource's name is derived."""
    return resource.origin[:4] if resource.kind is Kind.MODEL_SERVER else resource.origin[:2]


def _namespaces(plan: Plan) -> Iterator[Diagnostic]:
    owners: dict[tuple[str, str], str] = {}
    for resource in plan.resources:
        if resource.kind is not Kind.NAMESPACE:
            continue
        target = plan.system.target(resource.placement)
        span = plan.system.at(*resource.origin) if target.namespace else plan.system.at("metadata", "name")
        if resource.name == "default" or resource.name.startswith("kube-"):
            yield reserved_name(span, resource.name, "that namespace belongs to the cluster")
        if target.in_cloud:
            continue
        other = owners.setdefault((target.context, resource.name), target.name)
        if other != target.name:
            yield same_namespace(plan.system.key(*resource.origin[:-1]), target.name, other, resource.name)
