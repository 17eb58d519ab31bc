"""Azure on loopback. Tests can inspect it, change it behind Pulumi's back, and make its calls fail."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from testbed.clouds.azure.api import FOLDER, Api
from testbed.clouds.azure.clusters import AUTHORITY, KUBECONFIG, SERVER
from testbed.clouds.azure.kinds import GROUP
from testbed.clouds.azure.storage import ACCOUNT, BLOBS, CONTAINER
from testbed.clouds.azure.table import CLOUD
from testbed.clouds.shared.account import StoredAccount, connection, login_plugin
from testbed.clouds.shared.store import Store
from testbed.kubernetes.control_plane import Cluster

SUBSCRIPTION = "6f0c6f2e-9c1d-4d0c-8f7e-0a1b2c3d4e5f"
TENANT = "72f988bf-86f1-41af-91ab-2d7cd011db47"
DEPLOYER = "11111111-2222-3333-4444-555555555555"
"""The object ID of the user who runs Pulumi."""

ALWAYS = ("Microsoft.Authorization", "Microsoft.Consumption", "Microsoft.Resources")
"""The resource providers that are registered in every subscription
(learn.microsoft.com/azure/azure-resource-manager/management/resource-providers-and-types, read 2026-11-27).
"""

_TOKEN = "MODELYARD_AZURE_TOKEN"
_PLUGIN = login_plugin(
    "The plug-in that a kubeconfig asks for: the token of the login that Pulumi uses.",
    "get-token --login azurecli --server-id 6dae42f8-4368-4678-94ff-3960e28e3630",
    _TOKEN,
)


class Cloud(StoredAccount[Api]):
    """An Azure subscription. Its environment variables keep a stack from calling any other machine.

    `registered` lists additional registered resource providers. `cluster` is the API server shared by all AKS clusters.
    Node pools add nodes to it, and kubeconfigs point to it.
    """

    def __init__(self, folder: Path, registered: Iterable[str] = (), cluster: Cluster | None = None) -> None:
        super().__init__(folder, Api(SUBSCRIPTION, "", Store(folder / "store.json")), CLOUD)
        self._cluster = _kubernetes(cluster) if cluster else {}
        self.api.store.put(
            "subscription",
            SUBSCRIPTION,
            {
                "tenant": TENANT,
                "namespaces": sorted({*ALWAYS, *registered}),
                "deployer": DEPLOYER,
                "members": [DEPLOYER],
            },
        )
        self._install_provider("pulumi-resource-azure-native", "testbed.clouds.azure.provider")
        self._install("kubelogin", _PLUGIN)

    def variables(self) -> dict[str, str]:
        """Return the environment variables that let a stack find the provider and this cloud."""
        return {**super().variables(), FOLDER: str(self.folder), **self._cluster}

    def upload(self, account: str, name: str) -> None:
        """Put a blob into an account's only container."""
        (container,) = [each for each in self.api.all(CONTAINER) if f"/storageAccounts/{account}/" in each]
        self.api.store.put(BLOBS, f"{account}/{name}", {"account": account, "container": container})

    def empty(self, account: str) -> None:
        """Delete all blobs in an account, as if their retention period had ended."""
        for key, blob in self.api.store.all(BLOBS).items():
            if blob["account"] == account:
                self.api.store.take(BLOBS, key)

    def account_of_others(self, name: str) -> None:
        """Reserve a storage account's name, as if it existed in another customer's subscription."""
        self.api.store.put("others' accountName", name, {})

    def group(self, name: str, region: str = "westeurope") -> str:
        """Create a resource group that belongs to no stack, and return its ID."""
        identifier = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{name}"
        declared = {"resourceGroupName": name, "location": region}
        self.api.store.put(GROUP, identifier, {"declared": declared, "assigned": {"name": name}})
        return identifier

    def container(self, group: str, account: str, container: str) -> None:
        """Create a storage account with a container. Neither belongs to a stack."""
        where = f"{self.group(group)}/providers/Microsoft.Storage/storageAccounts/{account}"
        values = {"resourceGroupName": group, "accountName": account}
        self.api.store.put(ACCOUNT, where, {"declared": {**values, "location": "westeurope"}, "assigned": {}})
        inner = f"{where}/blobServices/default/containers/{container}"
        self.api.store.put(CONTAINER, inner, {"declared": {**values, "containerName": container}, "assigned": {}})


def _kubernetes(cluster: Cluster) -> dict[str, str]:
    """Return the variables that make every AKS cluster point to the given cluster."""
    server, authority, token = connection(cluster)
    return {SERVER: server, AUTHORITY: authority, KUBECONFIG: str(cluster.kubeconfig), _TOKEN: token}
