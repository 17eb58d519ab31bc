"""What things of an AWS account are called where a human or another system needs the name."""

from __future__ import annotations

from typing import Final

from modelyard.names import object_name
from modelyard.plan import NodeGroup
from modelyard.spec import Store, System

_LONGEST_GROUP: Final = 55
"""EKS takes 63 characters for a node group, and Pulumi appends eight."""


def cluster_name(system: System, placement: str) -> str:
    """The cluster, the alias of its key and its log groups: system, environment and target."""
    parts = (system.metadata.name, "" if system.environment == "default" else system.environment, placement)
    return "-".join(part for part in parts if part)


def database_identifier(system: System, placement: str, store: Store) -> str:
    """An instance of RDS, as `modelyard_stacks.aws.database` calls it."""
    return f"{cluster_name(system, placement)}-{store.called}"


def login_secret(system: System, placement: str, store: Store) -> str:
    """The secret with the login of a database, as `modelyard_stacks.aws.login` calls it."""
    return f"{database_identifier(system, placement, store)}-login"


def group_name(pool: str, group: NodeGroup) -> str:
    """A node group: its pool, its first machine and whether it may be taken away; what changes the one, makes another.

    Instance types of a node group cannot be changed, so a name that says the first of them is never in the way.
    """
    machine = group.machines[0].replace(".", "-")
    return object_name(pool, machine, "spot" if group.spot else "on-demand", limit=_LONGEST_GROUP)


def repository(system: System, placement: str) -> str:
    """The path of the runtime image's repository in the account's registry: no two environments share one."""
    return f"{cluster_name(system, placement)}/{system.metadata.name}-runtime"
