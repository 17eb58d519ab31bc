"""The classes that an infrastructure program imports: in which modules they lie, and what else those need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from modelyard.program import Call, Import

PACKAGE: Final = "modelyard_stacks"

MODULES: Final[Mapping[str, str]] = {
    "Account": "aws.account",
    "AdoptedCluster": "aws.adopted",
    "AdoptedKey": "aws.adopted",
    "AdoptedNetwork": "aws.network",
    "Alarms": "aws.alarms",
    "Budget": "aws.budget",
    "Cluster": "aws.cluster",
    "ClusterAddons": "aws.cluster",
    "ClusterAutoscaler": "aws.platform",
    "Crossing": "aws.crossing",
    "Database": "aws.database",
    "DatabaseLogin": "aws.login",
    "Identity": "aws.identity",
    "ImageRegistry": "aws.images",
    "Infrastructure": "infrastructure",
    "Karpenter": "aws.platform",
    "Key": "aws.key",
    "Network": "aws.network",
    "NodePool": "aws.nodes",
    "ObjectStore": "aws.storage",
    "SecretsReader": "aws.platform",
    "SystemPool": "aws.system_pool",
}
"""By class, its module below `modelyard_stacks`."""

NEEDS: Final[Mapping[str, tuple[str, ...]]] = {
    "aws.access": ("aws.account",),
    "aws.addons": ("aws.account", "aws.key", "aws.policies"),
    "aws.adopted": ("aws.account",),
    "aws.alarms": ("aws.account", "aws.database", "aws.key", "aws.network", "aws.policies"),
    "aws.budget": ("aws.account",),
    "aws.cluster": ("aws.access", "aws.account", "aws.addons", "aws.key", "aws.logs", "aws.network", "aws.policies"),
    "aws.crossing": ("aws.account", "aws.identity", "aws.policies"),
    "aws.database": ("aws.account", "aws.cluster", "aws.key", "aws.logs", "aws.network"),
    "aws.endpoints": ("aws.account", "aws.policies"),
    "aws.flow_logs": ("aws.account", "aws.key", "aws.logs", "aws.policies"),
    "aws.identity": ("aws.account", "aws.adopted", "aws.cluster", "aws.key", "aws.policies"),
    "aws.images": ("aws.account", "aws.key"),
    "aws.karpenter": ("aws.account", "aws.policies"),
    "aws.key": ("aws.account", "aws.policies"),
    "aws.login": ("aws.account", "aws.cluster", "aws.database", "aws.identity", "aws.key", "aws.policies"),
    "aws.logs": ("aws.key",),
    "aws.network": ("aws.account", "aws.endpoints", "aws.flow_logs", "aws.key"),
    "aws.nodes": ("aws.cluster", "aws.key", "aws.network"),
    "aws.platform": ("aws.account", "aws.cluster", "aws.identity", "aws.karpenter", "aws.key", "aws.policies"),
    "aws.storage": ("aws.account", "aws.key", "aws.policies"),
    "aws.system_pool": ("aws.cluster", "aws.key", "aws.network", "aws.nodes"),
}
"""By module, the modules beside it that it imports; a test compares this with what the sources say."""


def imports_of(calls: Iterable[Call]) -> tuple[Import, ...]:
    """`from modelyard_stacks.aws.network import Network` for each class that is called."""
    classes = dict.fromkeys(call.component for call in calls)
    return tuple(Import(f"{PACKAGE}.{MODULES[name]}", name) for name in classes)


def modules_of(calls: Iterable[Call]) -> tuple[str, ...]:
    """The modules that have to lie beside a program, sorted: those that it imports and what these need."""
    found: set[str] = set()
    waiting = [MODULES[call.component] for call in calls]
    while waiting:
        module = waiting.pop()
        if module not in found:
            found.add(module)
            waiting += NEEDS.get(module, ())
    return tuple(sorted(found))
