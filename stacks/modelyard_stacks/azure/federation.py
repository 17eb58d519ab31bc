"""Identities for the Pods of a ServiceAccount, based on tokens signed by their cluster."""

from __future__ import annotations

import pulumi
from pulumi_azure_native import managedidentity

from .adopted import AdoptedCluster
from .cluster import Cluster

_AUDIENCE = "api://AzureADTokenExchange"


class PodIdentity:
    """An Entra ID identity for the Pods of a single ServiceAccount.

    Each workload has its own, since an identity accepts tokens from at most 20 ServiceAccounts. Source:
    https://learn.microsoft.com/en-us/azure/aks/workload-identity-overview, 2026-11-25.
    """

    client_id: pulumi.Output[str]
    principal_id: pulumi.Output[str]

    def __init__(
        self,
        title: str,
        *,
        cluster: Cluster | AdoptedCluster,
        namespace: str,
        service_account: str,
        opts: pulumi.ResourceOptions,
    ) -> None:
        group = cluster.group
        identity = managedidentity.UserAssignedIdentity(
            title,
            managedidentity.UserAssignedIdentityArgs(
                resource_group_name=group.group, location=group.region_name, tags=group.common_tags
            ),
            opts,
        )
        managedidentity.FederatedIdentityCredential(
            title,
            resource_group_name=group.group,
            resource_name_=identity.name,
            federated_identity_credential_resource_name=service_account,
            issuer=cluster.issuer,
            subject=f"system:serviceaccount:{namespace}:{service_account}",
            audiences=[_AUDIENCE],
            opts=opts,
        )
        self.client_id, self.principal_id = identity.client_id, identity.principal_id
