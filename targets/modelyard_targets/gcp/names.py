"""Names of Google Cloud resources that people or other systems look up, and the labels on all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.names import object_name
from modelyard.patterns import pattern
from modelyard.plan import NodeGroup
from modelyard.spec import System

_LONGEST_ON_GKE: Final = 40
"""Characters of a cluster's and of a node pool's name (container.v1 discovery document, 2026-11-25)."""

_LONGEST_REPOSITORY: Final = 63
_LONGEST_LABEL: Final = 63
"""Characters of a label's key and of its value (docs.cloud.google.com/resource-manager, "Labels", 2026-11-27)."""

_NOT_IN_LABELS: Final = pattern("[^a-z0-9_-]")


def cluster_name(system: System, placement: str) -> str:
    """Return the name that the cluster, its network and its keys share: system, environment and target."""
    parts = (system.metadata.name, "" if system.environment == "default" else system.environment, placement)
    return object_name(*(part for part in parts if part), limit=_LONGEST_ON_GKE)


def namespace(system: System) -> str:
    """Return the namespace where the spec names none: system and environment.

    IAM knows Pods by project and namespace: environments of one project would otherwise share their access.
    """
    parts = (system.metadata.name, "" if system.environment == "default" else system.environment)
    return object_name(*(part for part in parts if part), limit=_LONGEST_LABEL)


def pool_name(pool: str, group: NodeGroup) -> str:
    """Name a node pool after its compute class, its machine and its capacity type.

    The capacity type and accelerators of a node pool cannot change, so another machine means another pool and name.
    """
    capacity = "spot" if group.spot else "on-demand"
    return object_name(pool, group.machines[0], capacity, limit=_LONGEST_ON_GKE)


def repository(system: System, placement: str) -> str:
    """Return the Artifact Registry repository of the runtime image, separate for each environment."""
    return object_name(cluster_name(system, placement), limit=_LONGEST_REPOSITORY)


def secrets_account(system: System, placement: str) -> str:
    """Return the ServiceAccount of External Secrets: IAM knows Pods by project, namespace and ServiceAccount.

    Every cluster has this add-on in the same namespace, so a common name would let each read the secrets of all.
    """
    return f"external-secrets-{cluster_name(system, placement)}"


def secret_id(path: str) -> str:
    """Return a secret's name in Secret Manager, which has no slashes: `fraud-db` for `fraud/db`."""
    return path.strip("/").replace("/", "-")


def labels(system: System, placement: str) -> Iterator[tuple[str, str]]:
    """Yield the labels on every resource of the system, by which bills can be filtered."""
    yield "modelyard-system", label_text(system.metadata.name)
    yield "modelyard-environment", label_text(system.environment)
    yield "modelyard-target", label_text(placement)
    yield "modelyard-owner", label_text(system.governance.owner.team)
    for key, value in system.metadata.labels:
        yield label_key(key), label_text(value)


def label_key(key: str) -> str:
    """Return the Google Cloud label for a label of the spec; the prefix keeps it apart from our own."""
    return label_text(f"label-{key}")


def label_text(text: str) -> str:
    """Spell a text with the characters that labels may have: lowercase letters, digits, hyphens and underscores."""
    return _NOT_IN_LABELS.sub("-", text.lower())[:_LONGEST_LABEL]
