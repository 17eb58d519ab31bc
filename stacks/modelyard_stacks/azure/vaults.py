"""Key vaults in the form that all components use."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import keyvault

from .group import ResourceGroup

_LONGEST_NAME = 24
_SUFFIX = 8
"""The maximum length of a vault's name, and the number of characters that Pulumi appends to it.

Source: https://learn.microsoft.com/en-us/azure/azure-resource-manager/management/resource-name-rules, 2026-11-27.
"""


def closed_vault(
    name: str,
    use: str,
    *,
    group: ResourceGroup,
    kept_days: int,
    clients: Sequence[str] = (),
    opts: pulumi.ResourceOptions,
) -> keyvault.Vault:
    """Create a vault with role-based access, which nobody can purge until `kept_days` after its deletion.

    Only private endpoints, authorized Azure services, and `clients` can connect to it. Its name consists of the start
    of `name`, the `use`, and a suffix from Pulumi, because names are global and a deleted vault's name stays reserved.
    """
    return keyvault.Vault(
        vault_title(name, use),
        keyvault.VaultArgs(
            resource_group_name=group.group,
            location=group.region_name,
            properties=keyvault.VaultPropertiesArgs(
                tenant_id=group.tenant,
                sku=keyvault.SkuArgs(family="A", name=keyvault.SkuName.STANDARD),
                enable_rbac_authorization=True,  # by default, every contributor may change the access policies
                enable_soft_delete=True,
                enable_purge_protection=True,
                soft_delete_retention_in_days=kept_days,
                public_network_access="enabled" if clients else "disabled",
                network_acls=keyvault.NetworkRuleSetArgs(
                    bypass="AzureServices",
                    default_action="Deny",
                    ip_rules=[keyvault.IPRuleArgs(value=client) for client in clients],
                ),
            ),
            tags=group.common_tags,
        ),
        opts,
    )


def vault_title(name: str, use: str) -> str:
    """Return the start of a vault's name, as Azure only accepts letters, digits and single hyphens."""
    room = _LONGEST_NAME - _SUFFIX - len(use) - 1
    return f"{name[:room].strip('-')}-{use}"
