"""Names of AWS resources that people or other systems look up."""

from __future__ import annotations

from typing import Final

from modelyard.names import object_name
from modelyard.plan import NodeGroup
from modelyard.spec import Store, System

AUTOSCALER: Final = "cluster-autoscaler"
KARPENTER: Final = "karpenter"
"""Names of add-ons, and of their ServiceAccounts."""

_LONGEST_GROUP: Final = 55
"""Node group names may have 63 characters. Pulumi appends eight of them."""


def cluster_name(system: System, placement: str) -> str:
    """Return the name of the cluster, its key alias and its log groups, from system, environment and target."""
    parts = (system.metadata.name, "" if system.environment == "default" else system.environment, placement)
    return "-".join(part for part in parts if part)


def database_identifier(system: System, placement: str, store: Store) -> str:
    """Return the identifier of an RDS instance, as set by `modelyard_stacks.aws.database`."""
    return f"{cluster_name(system, placement)}-{store.called}"


def login_secret(system: System, placement: str, store: Store) -> str:
    """Return the name of the secret with a database's login, as set by `modelyard_stacks.aws.login`."""
    return f"{database_identifier(system, placement, store)}-login"


def group_name(pool: str, group: NodeGroup) -> str:
    """Name a node group after its pool, first instance type and capacity type (spot or on-demand).

    A node group's instance types can't change, so a different first type means a new group with a new name.
    """
    machine = group.machines[0].replace(".", "-")
    return object_name(pool, machine, "spot" if group.spot else "on-demand", limit=_LONGEST_GROUP)


def repository(system: System, placement: str) -> str:
    """Return the name of the runtime image's repository in the account's registry, one per environment."""
    return f"{cluster_name(system, placement)}/{system.metadata.name}-runtime"
