"""Names of Azure resources that users or other systems look up, and the tags shared by all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.names import HASH_LENGTH, object_name, short_hash
from modelyard.patterns import pattern
from modelyard.plan import NodeGroup
from modelyard.spec import System, TargetSpec
from modelyard_targets.azure.options import options_of

_LONGEST_CLUSTER: Final = 40
"""Maximum length of a cluster's name. The nodes' resource group is named after the cluster and has at most 80
characters (learn.microsoft.com/azure/aks, "Resource group and VNet", read 2026-11-25), and the names of other resources
add words of their own to it.
"""

_LONGEST_POOL: Final = 60
_LONGEST_REGISTRY: Final = 50
_LONGEST_SERVER: Final = 63
"""Maximum lengths of names (learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules,
2026-11-25).
"""

_NOT_IN_TAGS: Final = pattern("[^a-z0-9_.-]")
_NOT_ALPHANUMERIC: Final = pattern("[^a-z0-9]")
_NOT_IN_SECRETS: Final = pattern("[/_.]")

_LONGEST_TAG: Final = 128
_LONGEST_VALUE: Final = 256


def cluster_name(system: System, placement: str) -> str:
    """Return the name of the cluster, its network and its keys, from system, environment and target."""
    parts = (system.metadata.name, "" if system.environment == "default" else system.environment, placement)
    return object_name(*(part for part in parts if part), limit=_LONGEST_CLUSTER)


def group_name(system: System, target: TargetSpec) -> str:
    """Return a target's resource group, which defaults to the cluster's name if the spec doesn't set one."""
    return options_of(target).resource_group or cluster_name(system, target.name)


def nodes_group(group: str) -> str:
    """Return the name of the resource group AKS creates for nodes, disks and load balancers.

    `group` is the name of the main group.
    """
    return f"{group}-nodes"


def pool_name(pool: str, group: NodeGroup) -> str:
    """Name a node pool after its compute class, machine type and capacity type (spot or on-demand).

    These types can't change for an existing node pool, so a different machine type means a new pool with a new name.
    """
    machine = group.machines[0].removeprefix("Standard_").lower().replace("_", "-")
    return object_name(pool, machine, _capacity(group), limit=_LONGEST_POOL)


def agent_pool(pool: str, group: NodeGroup) -> str:
    """Return a node pool's AKS name, which is a hash due to the 12-character limit. Labels have the full name."""
    return f"{_capacity(group)[0]}{short_hash(pool, group.machines[0], _capacity(group))}"


def registry_name(system: System, placement: str) -> str:
    """Return the container registry's name, which is alphanumeric and unique across all of Azure."""
    readable = _NOT_ALPHANUMERIC.sub("", cluster_name(system, placement))[: _LONGEST_REGISTRY - HASH_LENGTH]
    return readable + _hash(system, placement, "registry")


def server_name(system: System, placement: str, store: str) -> str:
    """Return the name of a database server, which is unique across all of Azure."""
    readable = object_name(cluster_name(system, placement), store, limit=_LONGEST_SERVER - HASH_LENGTH - 1)
    return f"{readable}-{_hash(system, placement, store)}"


def secret_id(path: str) -> str:
    """Return a secret's name in Key Vault, which has only letters, digits and hyphens: `fraud-db` for `fraud/db`."""
    return _NOT_IN_SECRETS.sub("-", path.strip("/"))


def tags(system: System, placement: str) -> Iterator[tuple[str, str]]:
    """Yield the tags for all of the system's resources. Billing reports can filter on them."""
    yield "modelyard-system", system.metadata.name
    yield "modelyard-environment", system.environment
    yield "modelyard-target", placement
    yield "modelyard-owner", system.governance.owner.team[:_LONGEST_VALUE]
    for key, value in system.metadata.labels:
        yield tag_key(key), value[:_LONGEST_VALUE]


def tag_key(key: str) -> str:
    """Return a spec label's tag name, prefixed to distinguish it from our own tags. Azure ignores case."""
    return _NOT_IN_TAGS.sub("-", f"label-{key.lower()}")[:_LONGEST_TAG]


def _capacity(group: NodeGroup) -> str:
    return "spot" if group.spot else "on-demand"


def _hash(system: System, placement: str, what: str) -> str:
    """Return a hash that includes the owner's domain, since names in Azure's domains must be globally unique."""
    company, region = system.governance.owner.domain, system.target(placement).region
    return short_hash(company, region, system.metadata.name, system.environment, placement, what)
