"""Names of Google Cloud resources that people or other systems look up, and the labels on all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.names import object_name
from modelyard.patterns import pattern
from modelyard.plan import NodeGroup
from modelyard.spec import System

_LONGEST_ON_GKE: Final = 40
"""The maximum length of a cluster's or node pool's name (container.v1 discovery document, 2026-11-25)."""

_LONGEST_REPOSITORY: Final = 63
_LONGEST_LABEL: Final = 63
"""The maximum length of a label's key or value (docs.cloud.google.com/resource-manager, "Labels", 2026-11-27)."""

_NOT_IN_LABELS: Final = pattern("[^a-z0-9_-]")


def cluster_name(system: System, placement: str) -> str:
    """Return the name of the cluster, its network and its keys, from system, environment and target."""
    parts = (system.metadata.name, "" if system.environment == "default" else system.environment, placement)
    return object_name(*(part for part in parts if part), limit=_LONGEST_ON_GKE)


def namespace(system: System) -> str:
    """Return the default namespace, built from system and environment.

    IAM identifies Pods by project and namespace, so if environments in a project shared a namespace, each would have
    the same access as all the others.
    """
    parts = (system.metadata.name, "" if system.environment == "default" else system.environment)
    return object_name(*(part for part in parts if part), limit=_LONGEST_LABEL)


def pool_name(pool: str, group: NodeGroup) -> str:
    """Name a node pool after its compute class, machine type and capacity type (spot or on-demand).

    A node pool's capacity type and accelerators can't change, so a different machine type means a new pool with a new
    name.
    """
    capacity = "spot" if group.spot else "on-demand"
    return object_name(pool, group.machines[0], capacity, limit=_LONGEST_ON_GKE)


def repository(system: System, placement: str) -> str:
    """Return the runtime image's repository in Artifact Registry, one per environment."""
    return object_name(cluster_name(system, placement), limit=_LONGEST_REPOSITORY)


def secrets_account(system: System, placement: str) -> str:
    """Return the ServiceAccount of External Secrets, whose name is unique to the cluster.

    IAM identifies Pods by project, namespace and ServiceAccount. Every cluster has this add-on in the same namespace,
    so with a shared name, each cluster could read the secrets of all the others.
    """
    return f"external-secrets-{cluster_name(system, placement)}"


def secret_id(path: str) -> str:
    """Return a secret's name in Secret Manager, which doesn't allow slashes: `fraud/db` becomes `fraud-db`."""
    return path.strip("/").replace("/", "-")


def labels(system: System, placement: str) -> Iterator[tuple[str, str]]:
    """Yield the labels for all of the system's resources. Billing reports can filter on them."""
    yield "modelyard-system", label_text(system.metadata.name)
    yield "modelyard-environment", label_text(system.environment)
    yield "modelyard-target", label_text(placement)
    yield "modelyard-owner", label_text(system.governance.owner.team)
    for key, value in system.metadata.labels:
        yield label_key(key), label_text(value)


def label_key(key: str) -> str:
    """Return the Google Cloud label for a spec label, prefixed to avoid collisions with our own labels."""
    return label_text(f"label-{key}")


def label_text(text: str) -> str:
    """Convert text to the characters that labels allow: lowercase letters, digits, hyphens and underscores."""
    return _NOT_IN_LABELS.sub("-", text.lower())[:_LONGEST_LABEL]
