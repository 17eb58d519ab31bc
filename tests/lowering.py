"""Lowers workloads in tests, from the text of a spec to objects in a cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias, cast

from modelyard.plan import Plan, Resource
from modelyard_targets.kube.placement.context import Context, KubeObject, context_for
from modelyard_targets.kube.project.workloads import WORKLOADS
from tests.plans import plan_of

Object: TypeAlias = dict[str, Any]

IMAGE = "registry.acme.example/fraud-runtime:0123456789ab"
REGISTRY = "http://mlflow.fraud.svc.cluster.local:5000"


@dataclass(frozen=True)
class Lowered:
    """All objects that the workloads on one placement are lowered to."""

    context: Context
    objects: tuple[KubeObject, ...]

    def __iter__(self) -> Iterator[Object]:
        return (cast("Object", obj.manifest) for obj in self.objects)

    def get(self, kind: str, name: str) -> Object:
        """Return the only object of the given kind and name."""
        (match,) = [obj for obj in self if obj["kind"] == kind and obj["metadata"]["name"] == name]
        return match

    def has(self, kind: str, name: str) -> bool:
        """Return whether an object of the given kind and name exists."""
        return name in self.names(kind)

    def names(self, kind: str) -> list[str]:
        """Return the names of all objects of a kind, in order."""
        return [obj["metadata"]["name"] for obj in self if obj["kind"] == kind]


def context_of(plan: Plan, placement: str = "main") -> Context:
    """Return the context for lowering in tests."""
    return context_for(plan, placement, runtime_image=IMAGE, registry_uri=REGISTRY)


def lower_workload(resource: Resource, context: Context) -> Iterator[KubeObject]:
    """Return the objects a resource is lowered to. Its type must have a case in WORKLOADS."""
    return WORKLOADS(resource, context)


def lowered(text: str, placement: str = "main") -> Lowered:
    """Return the objects of the workloads that a spec runs on a target."""
    plan = plan_of(text)
    context = context_of(plan, placement)
    resources = [resource for resource in plan.on(placement) if WORKLOADS.covers(resource)]
    return Lowered(context, tuple(obj for resource in resources for obj in lower_workload(resource, context)))


def differences(before: object, after: object, path: str = "") -> Iterator[str]:
    """Yield the dotted paths where two plain values (JSON data) differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        left, right = cast("Object", before), cast("Object", after)
        for key in dict.fromkeys([*left, *right]):
            yield from differences(left.get(key), right.get(key), f"{path}.{key}")
    elif isinstance(before, list) and isinstance(after, list):
        left_items, right_items = cast("list[object]", before), cast("list[object]", after)
        if len(left_items) != len(right_items):
            yield path
        for at, pair in enumerate(zip(left_items, right_items, strict=False)):
            yield from differences(*pair, f"{path}.{at}")
    elif before != after:
        yield path


def pod_specs(value: object) -> Iterator[Object]:
    """Yield every Pod spec in an object at any depth, including embedded templates."""
    if isinstance(value, dict):
        entries = cast("Object", value)
        if "containers" in entries:
            yield entries
        for entry in entries.values():
            yield from pod_specs(entry)
    elif isinstance(value, list):
        for entry in cast("list[object]", value):
            yield from pod_specs(entry)
