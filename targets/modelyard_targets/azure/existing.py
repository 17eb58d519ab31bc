"""A system on a shared AKS cluster, including what the projects create for it and its secret store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.program import Call, Literal, Ref
from modelyard.spec import target_path
from modelyard_targets.azure.addons import IDENTITY_ANNOTATION
from modelyard_targets.azure.foundation import FOUNDATION, group_call, key_call
from modelyard_targets.azure.identities import SECRETS, SECRETS_CLIENT
from modelyard_targets.azure.names import cluster_name
from modelyard_targets.azure.network_policies import reach_vault
from modelyard_targets.azure.options import options_of
from modelyard_targets.cloud.existing_platform import account_reference, secrets_account
from modelyard_targets.cloud.pools import training_pools
from modelyard_targets.cloud.services import secrets_store
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.platform import AddOn, Argument


def existing_calls(context: Context) -> Iterator[Call]:
    """Yield the components for the resource group, the system's data key, and the cluster lookup.

    The lookup includes the cluster's network.
    """
    name, here = cluster_name(context.system, context.placement), target_path(context.system, context.placement)
    cluster = options_of(context.target).cluster
    group: tuple[str, Literal] = ("group", Ref("group"))
    yield group_call(context)
    yield key_call(context)
    together = training_pools(context.plan, context.placement)
    adopted: tuple[tuple[str, Literal], ...] = (
        group,
        ("cluster", cluster.adopt),
        ("resource_group", cluster.resource_group),
        *((("training_pools", together),) if together else ()),
    )
    network: tuple[tuple[str, Literal], ...] = (
        group,
        ("cluster", Ref("cluster")),
        ("dns_group", cluster.dns_group),
        *((("endpoints", cluster.endpoints),) if cluster.endpoints else ()),
    )
    yield Call("cluster", "ExistingCluster", name, adopted, FOUNDATION, (*here, "cluster"))
    yield Call("network", "ClusterNetwork", name, network, FOUNDATION, (*here, "cluster"))


def late_objects(context: Context) -> Iterator[Call]:
    """Yield the ServiceAccount whose identity reads the system's secrets, and the secret store that uses it."""
    yield from secrets_account(context, {IDENTITY_ANNOTATION: Ref("infrastructure", key=SECRETS_CLIENT)})
    vault: Argument = {
        "authType": "WorkloadIdentity",
        "vaultUrl": Ref("infrastructure", key="vault_url"),
        "tenantId": Ref("infrastructure", key="tenant"),
        "serviceAccountRef": account_reference(context),
    }
    yield from secrets_store(context, {"azurekv": vault})


INSTALLS: Final = {SECRETS: AddOn(egress=reach_vault)}
