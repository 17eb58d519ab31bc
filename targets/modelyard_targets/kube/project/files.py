"""Manifest files in the order in which they are applied: several for shared objects, then one per workload."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Final

from modelyard.plan import AlertRules, Cluster, Kind, Namespace, NodePool, RegistryServer, Resource, SystemPool
from modelyard.records import record
from modelyard.spec import Channel, Inference, Store
from modelyard.stack import Manifest
from modelyard_targets.kube.access.admission import policies_of_runs
from modelyard_targets.kube.access.namespace import lower_namespace
from modelyard_targets.kube.access.secrets import lower_secrets
from modelyard_targets.kube.addons.addon_network import FILE as ADDONS
from modelyard_targets.kube.addons.addon_network import lower_addon_network
from modelyard_targets.kube.monitoring.channels import lower_channel
from modelyard_targets.kube.monitoring.dashboard import lower_dashboard
from modelyard_targets.kube.monitoring.monitor_rules import lower_monitor_rules
from modelyard_targets.kube.monitoring.pipeline_rules import lower_pipeline_rules
from modelyard_targets.kube.monitoring.registry_rules import lower_registry_rules
from modelyard_targets.kube.monitoring.scraping import lower_scraping
from modelyard_targets.kube.monitoring.slo_rules import lower_slo_rules
from modelyard_targets.kube.network.gateway import lower_gateway
from modelyard_targets.kube.objects.overrides import overridden, overrides_on
from modelyard_targets.kube.placement.charts import charts
from modelyard_targets.kube.placement.context import Context, KubeObject
from modelyard_targets.kube.project.site_rules import recordings, site_rules
from modelyard_targets.kube.project.workloads import WORKLOADS, Lowering, in_turn, no_objects
from modelyard_targets.kube.services.database import lower_database
from modelyard_targets.kube.services.registry import lower_registry
from modelyard_targets.kube.services.stores import lower_object_store

FOUNDATION: Final = ("namespace", "nodes", "secrets", "stores", "channels", "gateway")
"""The manifest files that all other files depend on, in the order in which they are applied."""

REGISTRY: Final = "registry"
"""The name of the registry's manifest file. It is applied after the foundation and the registry's logins."""

FIRST: Final = (ADDONS, *FOUNDATION, REGISTRY)
"""Manifest files that are always in the first project: network policies of add-ons, foundation and registry."""

_SHARED: Final[Mapping[Kind, str]] = {
    Kind.NAMESPACE: "namespace",
    Kind.SYSTEM_POOL: "nodes",
    Kind.NODE_POOL: "nodes",
    Kind.SECRET: "secrets",
    Kind.OBJECT_STORE: "stores",
    Kind.DATABASE: "stores",
    Kind.REGISTRY: REGISTRY,
    Kind.PROMOTER: "promoter",
    Kind.CHANNEL: "channels",
    Kind.CLUSTER: "gateway",
}
_PREFIXES: Final[Mapping[str, str]] = {
    "inference": "model",
    "pool": "pool",
    "pipelines": "pipeline",
    "monitors": "monitor",
    "registry": "registry",
    "sites": "sites",
    "promoter": "promoter",
    "starter": "starter",
}
_ENTRIES: Final = frozenset({"inference", "pipelines", "monitors"})
_SHARED_NAMES: Final = frozenset(_SHARED.values())
_ALWAYS_LOWERED: Final = frozenset({Kind.IDENTITY})
"""The kinds of resources that always have an object: an identity has a ServiceAccount. Most files contain one."""


@record
class File:
    """A manifest file and the resources in it."""

    name: str
    resources: tuple[Resource, ...]


def files_of(context: Context) -> tuple[File, ...]:
    """Return a placement's files in the order in which they are applied, including empty files."""
    by_name: dict[str, list[Resource]] = {name: [] for name in FIRST}
    for resource in context.plan.on(context.placement):
        by_name.setdefault(file_of(resource), []).append(resource)
    return tuple(File(name, tuple(resources)) for name, resources in by_name.items())


def file_of(resource: Resource) -> str:
    """Return the name, without extension, of the file for a resource's objects."""
    return _SHARED.get(resource.kind) or _file_of_workload(resource.workload)


@lru_cache(maxsize=100_000)
def _file_of_workload(address: str) -> str:
    """Return the file name for a workload, whose resources are consecutive."""
    section, _, name = address.partition(".")
    return f"{_PREFIXES[section]}-{name}" if name else _PREFIXES[section]


def owner_of(file: File) -> str:
    """Return the address of the spec entry that owns all objects in a file, or ""."""
    if file.name in _SHARED_NAMES or not file.resources:
        return ""
    owner = file.resources[0].workload  # of all resources, because the file is named after it
    return owner if owner.partition(".")[0] in _ENTRIES else ""


def objects_of(file: File, context: Context) -> Iterator[KubeObject]:
    """Yield a file's objects in order, with the spec's labels and overrides applied.

    Admission policies come last, because they depend on the overridden objects.
    """
    overrides = overrides_on(context.system, context.placement)
    final: list[KubeObject] = []
    for obj in plain_objects_of(file, context):
        final.append(overridden(obj, overrides))
        yield final[-1]
    yield from _labelled_all(policies_of_runs(file.resources, final, context), context)


def has_objects(file: File, context: Context) -> bool:
    """Return whether a file has objects.

    Builds at most the first object, without labels and overrides, which never remove objects.
    """
    if any(resource.kind in _ALWAYS_LOWERED for resource in file.resources):
        return True
    return any(True for _ in _lowered(file, context)) or any(True for _ in objects_of(file, context))


def plain_objects_of(file: File, context: Context) -> Iterator[KubeObject]:
    """Yield a file's objects before overrides and without admission policies."""
    yield from _labelled_all(_lowered(file, context), context)


def _labelled_all(objects: Iterable[KubeObject], context: Context) -> Iterator[KubeObject]:
    own = dict(context.system.metadata.labels)
    for obj in objects:
        yield KubeObject(obj.origin, _labelled(obj.manifest, own)) if own else obj


def _lowered(file: File, context: Context) -> Iterator[KubeObject]:
    if file.name == ADDONS:
        yield from lower_addon_network(context)
        return
    if file.name == "secrets":
        yield from lower_secrets(file.resources, context)
        return
    for resource in file.resources:
        yield from LOWERINGS(resource, context)


def _labelled(manifest: Manifest, own: Mapping[str, str]) -> Manifest:
    metadata = manifest["metadata"]
    assert isinstance(metadata, Mapping)
    labels = metadata.get("labels")
    assert isinstance(labels, Mapping)
    return {**manifest, "metadata": {**metadata, "labels": {**own, **labels}}}


def _namespace(resource: Resource[Namespace], context: Context) -> Iterator[KubeObject]:
    return lower_namespace(resource, context, context.platform.quota(context.plan, context.placement))


def _machines(resource: Resource[NodePool], context: Context) -> Iterator[KubeObject]:
    yield from context.platform.machines(resource, context)


def _store(resource: Resource[Store], context: Context) -> Iterator[KubeObject]:
    if resource.kind is Kind.OBJECT_STORE:
        yield from lower_object_store(resource, context)
        return
    yield from lower_database(resource, context, charts()["cloudnative-pg"].namespace)
    yield from context.platform.login(resource, context)


def _rules(resource: Resource[AlertRules], context: Context) -> Iterator[KubeObject]:
    for lower in (lower_slo_rules, lower_monitor_rules, lower_pipeline_rules, lower_registry_rules):
        yield from lower(resource, context)


def _alert_rules(resource: Resource[AlertRules], context: Context) -> Iterator[KubeObject]:
    """Yield alert rules. A site whose alerts are evaluated by another target only records series and sends them."""
    if resource.value.sites:
        yield site_rules(resource, context, _rules)
    elif context.target.telemetry.alerts_on:
        yield from recordings(_rules(resource, context))
    else:
        yield from _rules(resource, context)


LOWERINGS: Final[Lowering] = (
    WORKLOADS.case(Cluster, lower_gateway)
    .case(SystemPool, no_objects)
    .case(NodePool, _machines)
    .case(Namespace, in_turn(_namespace, lower_scraping))
    .case(Store, _store)
    .case(RegistryServer, lower_registry)
    .case(Channel, lower_channel)
    .case(AlertRules, _alert_rules)
    .case(Inference, lower_dashboard)
)
"""The functions that lower each type of resource.

Secrets are lowered together, because a Secret may have several keys.
"""
