"""Workload identities, which give the Pods of one ServiceAccount exactly the access in the spec."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

import pulumi

from .adopted import AdoptedCluster
from .cluster import Cluster
from .conditions import below
from .federation import PodIdentity
from .group import ResourceGroup
from .roles import ACTIONS, Mode, StoreRoles, account_groups, assign, group_id, store_role
from .storage import ObjectStore


class StoreAccess(TypedDict):
    """Access to one folder or file in a container. An empty prefix means the whole container.

    `write` includes `read` and deletion. `append` adds blobs but can neither read, overwrite nor delete them. A prefix
    that ends with a slash is a folder, and any other may be a folder or a file. `group` is the name or ID of the
    account's resource group if the account is in a different one.
    """

    account: str
    container: str
    prefix: str
    mode: Mode
    group: NotRequired[str]


class Identity(pulumi.ComponentResource):
    """A workload's identity, which its ServiceAccount's Pods assume using their token. There is no key.

    The ServiceAccount needs `client_id` in an annotation, and the Pods need a label. Blobs can only be opened and
    listed under the prefixes in `access`. `stores` and `roles` are components of the same program, where `roles` may
    also be the name of that component in another program of the same target.
    """

    client_id: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        *,
        group: ResourceGroup,
        cluster: Cluster | AdoptedCluster,
        namespace: str,
        service_account: str,
        access: Sequence[StoreAccess],
        roles: StoreRoles | str,
        stores: Sequence[ObjectStore] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        if not access:
            raise pulumi.RunError(f"{name}: an identity needs at least one permission")
        super().__init__("modelyard:azure:Identity", name, None, group.options(opts))
        self._group = group
        identity = PodIdentity(
            name,
            cluster=cluster,
            namespace=namespace,
            service_account=service_account,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.client_id, self._principal = identity.client_id, identity.principal_id
        self._roles = roles if isinstance(roles, str) else roles.title
        dependencies = [*stores, *(() if isinstance(roles, str) else roles.ready)]
        self._within = pulumi.ResourceOptions(parent=self, depends_on=dependencies)
        for container in dict.fromkeys(self._container(each) for each in access):
            self._open(name, container, [each for each in access if self._container(each) == container])
        self.register_outputs({"clientId": self.client_id})

    def _container(self, access: StoreAccess) -> str:
        """Return the ID of a container, whose account may be in a different resource group."""
        account = access["account"]
        group = account_groups().get(account) or access.get("group") or self._group.group_name
        return (
            f"{group_id(self._group, group)}/providers/Microsoft.Storage/storageAccounts/{account}"
            f"/blobServices/default/containers/{access['container']}"
        )

    def _open(self, name: str, container: str, access: Sequence[StoreAccess]) -> None:
        where = f"{access[0]['account']}-{access[0]['container']}"
        for mode in ACTIONS:
            prefixes = [each["prefix"] for each in access if each["mode"] == mode]
            if prefixes:
                assign(
                    f"{name}-{where}-{mode}",
                    group=self._group,
                    role=store_role(self._group, self._roles, mode),
                    principal=self._principal,
                    scope=container,
                    condition=below(prefixes, mode) if all(prefixes) else None,
                    opts=self._within,
                )
