"""Azure services as Kubernetes objects: volumes, node pool priorities, secrets and databases."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from modelyard.plan import NodePool, Plan
from modelyard.program import Call, Ref
from modelyard.spec import Store
from modelyard_targets.azure.check_cluster import STORAGE_CLASS
from modelyard_targets.azure.names import agent_pool
from modelyard_targets.azure.options import ranges_of
from modelyard_targets.cloud.services import managed_database, program_object, secrets_store
from modelyard_targets.kube.placement.context import Context
from modelyard_targets.kube.placement.platform import Argument, ManagedDatabase

if TYPE_CHECKING:
    from modelyard.handover import SecretCommands

_PRIORITIES: Final = "cluster-autoscaler-priority-expander"
"""The ConfigMap in kube-system that the autoscaler's `priority` expander reads (kubernetes/autoscaler,
cluster-autoscaler/expander/priority, read 2026-11-27).
"""

_HIGHEST: Final = 100
_ANY: Final = ".*"


def foundation_objects(context: Context) -> Iterator[Call]:
    """Yield the default storage class and the autoscaler's node pool priorities."""
    yield _storage_class()
    yield _priorities(context)


def secret_store(context: Context) -> Iterator[Call]:
    """Yield the secret store for Key Vault, limited to this system's namespaces.

    Since it has no ServiceAccount of its own, the store uses the identity of External Secrets. It is a component call
    instead of a manifest because the vault's address is only known while the program runs.
    """
    vault: Argument = {"authType": "WorkloadIdentity", "vaultUrl": Ref("infrastructure", key="vault_url")}
    yield from secrets_store(context, {"azurekv": vault})


def database(store: Store, context: Context) -> ManagedDatabase:
    """Return the flexible server, whose address and secret name are outputs of the infrastructure."""
    return managed_database(store, context, ranges_of(context.target).endpoints)


def priorities(plan: Plan, placement: str) -> dict[int, list[str]]:
    """Rank node pools by the names of their scale sets, `aks-<pool>-<number>-vmss`.

    A compute class's first pool ranks highest.
    """
    ranked: dict[int, list[str]] = {}
    for pool in plan.of(NodePool, placement):
        for at, group in enumerate(pool.value.groups):
            ranked.setdefault(_HIGHEST - at, []).append(f"^aks-{agent_pool(pool.name, group)}-")
    return {**ranked, 1: [_ANY]}


def _storage_class() -> Call:
    """Build the default storage class, which uses Premium SSDs encrypted by the cluster's disk encryption set."""
    document: dict[str, Argument] = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": STORAGE_CLASS, "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "provisioner": "disk.csi.azure.com",
        "parameters": {"skuName": "Premium_LRS"},
        "reclaimPolicy": "Delete",
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
    }
    return program_object("storage_class", STORAGE_CLASS, document, "cluster")


def _priorities(context: Context) -> Call:
    lines = (
        f"{priority}:\n" + "".join(f"  - {name}\n" for name in names)
        for priority, names in priorities(context.plan, context.placement).items()
    )
    document: dict[str, Argument] = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _PRIORITIES, "namespace": "kube-system"},
        "data": {"priorities": "".join(lines)},
    }
    return program_object("priorities", f"kube-system/{_PRIORITIES}", document, "cluster")


COPY_IDENTITY: Final = (
    "`az identity federated-credential create --name {account} --identity-name IDENTITY --resource-group GROUP --issuer"
    " ISSUER --subject system:serviceaccount:{namespace}:{account} --audiences api://AzureADTokenExchange` lets it use"
    " a managed identity with the role Storage Blob Data Contributor on the containers, where ISSUER is the output"
    " `issuer` of infrastructure; its annotation azure.workload.identity/client-id then names that identity"
)
"""Source: learn.microsoft.com/azure/aks/workload-identity-deploy-cluster, 2026-12-01."""


def secret_commands(name: str, context: Context) -> SecretCommands:
    """Return Azure CLI commands for reading and writing a secret.

    Without `--output none`, `set` would print the stored value. The CLI opens the `--file` path, here /dev/stdin, as
    is. Source: learn.microsoft.com/cli/azure/keyvault/secret, 2026-12-01.
    """
    from shlex import quote

    from modelyard.handover import SecretCommands

    secret = f'--vault-name "$vault" --name {quote(name)}'
    return SecretCommands(
        read=f"az keyvault secret show {secret} --query value --output tsv",
        write=f"az keyvault secret set {secret} --file /dev/stdin --output none",
        output="vault",
    )
