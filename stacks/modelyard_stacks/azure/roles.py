"""Roles, and their assignment to identities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias, cast
from uuid import NAMESPACE_URL, uuid5

import pulumi
from pulumi_azure_native import authorization

from .group import ResourceGroup

Mode: TypeAlias = Literal["read", "write", "append"]

ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d"
CLUSTER_ADMIN = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b"
CLUSTER_USER = "4abbcc35-e782-43d8-92c5-2d3f1bd2253f"
CRYPTO_USER = "12338af0-0e69-4776-bea7-57ae8d297424"
DISK_ENCRYPTION = "136d308c-0937-4a49-9bd7-edfb42adbffc"
ENCRYPTION_USER = "e147488a-f6f5-4113-8e2d-b22465e65bf6"
IDENTITY_OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830"
NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"
VAULT_CONTRIBUTOR = "f25e0fa2-a7c8-4377-a976-54943a77a395"
"""Built-in roles by their GUIDs, which are the same in every tenant.

Source: https://learn.microsoft.com/en-us/azure/role-based-access-control/built-in-roles, 2026-11-25.
"""

BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
READ, WRITE, ADD, DELETE = f"{BLOBS}/read", f"{BLOBS}/write", f"{BLOBS}/add/action", f"{BLOBS}/delete"
ACTIONS: dict[Mode, tuple[str, ...]] = {"read": (READ,), "write": (READ, WRITE, ADD, DELETE), "append": (ADD,)}
"""The actions that a mode allows on blobs. `add` can create a blob but not overwrite it.

Source: https://learn.microsoft.com/en-us/rest/api/storageservices/authorize-with-azure-active-directory, 2026-11-27.
"""


class StoreRoles(pulumi.ComponentResource):
    """Roles that let workloads read, read and write, or only add blobs in object stores.

    They allow nothing else. Azure's own role for writing blobs also allows deleting the container, and none of Azure's
    roles allows only adding blobs. These roles can be assigned in this resource group, in the other `groups` (names or
    IDs), and in the groups of the accounts in the stack setting `accounts`. `Identity` knows their IDs, and must wait
    for `ready`.
    """

    ready: tuple[pulumi.Resource, ...]
    title: str

    def __init__(
        self,
        name: str,
        *,
        group: ResourceGroup,
        groups: Sequence[str] = (),
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("modelyard:azure:StoreRoles", name, None, group.options(opts))
        group_ids = sorted({group_id(group, other) for other in (*groups, *account_groups().values())})
        own = group_id(group, group.group_name)
        self._scopes: list[pulumi.Input[str]] = [group.id_of_group(), *(other for other in group_ids if other != own)]
        self.ready = tuple(self._define(name, group, mode) for mode in ACTIONS)
        self.title = name
        self.register_outputs({})

    def _define(self, name: str, group: ResourceGroup, mode: Mode) -> authorization.RoleDefinition:
        return authorization.RoleDefinition(
            f"{name}-{mode}",
            authorization.RoleDefinitionArgs(
                role_definition_id=store_role(group, name, mode),
                # unique in the whole tenant
                role_name=f"modelyard {name} {mode} in {group.subscription}",
                role_type="CustomRole",
                description=f"{name}: {mode} blobs, and nothing else",
                scope=self._scopes[0],
                assignable_scopes=self._scopes,
                permissions=[
                    authorization.PermissionArgs(
                        actions=[], not_actions=[], data_actions=list(ACTIONS[mode]), not_data_actions=[]
                    )
                ],
            ),
            pulumi.ResourceOptions(parent=self),
        )


def store_role(group: ResourceGroup, name: str, mode: Mode) -> str:
    """Return the GUID of a role in the `StoreRoles` called `name`, which other projects of the target also need.

    Systems may share a resource group, but each defines its own roles.
    """
    return str(uuid5(NAMESPACE_URL, f"{group.subscription}/{group.group_name}/{name}/{mode}"))


def account_groups() -> Mapping[str, str]:
    """Return the `accounts` setting, i.e. the resource groups (names or IDs) of accounts created by other programs."""
    value: object = pulumi.Config().get_object("accounts")
    if value is None:
        return {}
    groups = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    if not groups or not all(isinstance(group, str) and group for group in groups.values()):
        raise pulumi.RunError(
            "the setting accounts must map each account to its group: pulumi config set --path accounts.NAME GROUP"
        )
    return {account: str(group) for account, group in groups.items()}


def group_id(group: ResourceGroup, name: str) -> str:
    """Return the ID of a resource group given by its ID, or by its name in the same subscription."""
    return name if name.startswith("/") else f"/subscriptions/{group.subscription}/resourceGroups/{name}"


def assign(
    title: str,
    *,
    group: ResourceGroup,
    role: str,
    principal: pulumi.Input[str],
    scope: pulumi.Input[str],
    condition: str | None = None,
    opts: pulumi.ResourceOptions,
) -> authorization.RoleAssignment:
    """Give an identity a role on a resource and its contents, unless `condition` restricts this further."""
    return authorization.RoleAssignment(
        title,
        authorization.RoleAssignmentArgs(
            principal_id=principal,
            # without it, Azure looks up an identity that may be too new to be found
            principal_type="ServicePrincipal",
            role_definition_id=group.role_id(role),
            scope=scope,
            condition=condition,
            condition_version="2.0" if condition else None,
        ),
        # Azure refuses a second assignment of the same role to the same identity on the same resource
        pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(delete_before_replace=True)),
    )
