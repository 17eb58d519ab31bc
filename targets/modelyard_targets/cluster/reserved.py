"""Names in the namespace that are not free for workloads: those of its policies, the registry's, the buckets' Jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from modelyard.diagnostics.base import Diagnostic, quote
from modelyard.diagnostics.plan import reserved_name
from modelyard.names import object_name
from modelyard.plan import Kind, Plan, RegistryServer
from modelyard.spec import Store
from modelyard_targets.cluster import namespace
from modelyard_targets.cluster.fixed import BUCKET_NAME, REGISTRY_NAME

_NAMED = frozenset(
    {
        Kind.IDENTITY,
        Kind.MODEL_SERVER,
        Kind.TRAINING_JOB,
        Kind.BATCH_JOB,
        Kind.CUSTOM_JOB,
        Kind.MONITOR,
        Kind.DATABASE,
    }
)
"""Kinds that have an account, a network policy or Pods under their own name."""


def check_names(plan: Plan, placement: str) -> Iterator[Diagnostic]:
    """Workloads whose policy would take the place of the platform's, or whose Pods would pass for the registry's."""
    taken = _taken(plan, placement)
    told: set[str] = set()
    for resource in plan.on(placement):
        if resource.kind in _NAMED and resource.name in taken and resource.name not in told:
            told.add(resource.name)
            yield reserved_name(plan.system.key(*resource.origin[:2]), resource.name, taken[resource.name])


def _taken(plan: Plan, placement: str) -> Mapping[str, str]:
    """What each name belongs to."""
    found: dict[str, str] = dict.fromkeys(namespace.POLICIES, "the namespace has a network policy of that name")
    for resource in plan.on(placement):
        if isinstance(resource.value, RegistryServer) and not resource.value.registry.adopt:
            found[REGISTRY_NAME] = "the registry's Pods and Service are called so"
        elif resource.kind is Kind.OBJECT_STORE and isinstance(resource.value, Store) and not resource.value.adopt:
            name = object_name(BUCKET_NAME, resource.name)
            found[name] = f"what makes the bucket of store {quote(resource.name)} is called so"
    return found
