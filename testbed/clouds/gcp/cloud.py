"""Google Cloud on loopback. Tests can inspect it, change it behind Pulumi's back, and make its calls fail."""

from __future__ import annotations

from pathlib import Path

from testbed.clouds.gcp.api import FOLDER, Api
from testbed.clouds.gcp.clusters import AUTHORITY, SERVER
from testbed.clouds.gcp.pools import KUBECONFIG
from testbed.clouds.gcp.storage import OBJECTS, SECRET
from testbed.clouds.gcp.table import CLOUD
from testbed.clouds.shared.account import StoredAccount, connection, login_plugin
from testbed.clouds.shared.store import Store
from testbed.kubernetes.control_plane import Cluster

NUMBER = "123456789012"
"""The project number."""

ENABLED = ("cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com")
"""The services that must be enabled manually before a first deployment."""

_TOKEN = "MODELYARD_GCP_TOKEN"
_PLUGIN = login_plugin(
    "The plug-in that a kubeconfig asks for: the token of the login that Pulumi uses.",
    "--use_application_default_credentials",
    _TOKEN,
)


class Cloud(StoredAccount[Api]):
    """A Google Cloud project. Its environment variables keep a stack from calling any other machine.

    `cluster` is the API server shared by all GKE clusters. Node pools add nodes to it, and kubeconfigs point to it.
    """

    def __init__(self, folder: Path, project: str, cluster: Cluster | None = None) -> None:
        super().__init__(folder, Api(project, "", Store(folder / "store.json")), CLOUD)
        self._cluster = _kubernetes(cluster) if cluster else {}
        self.api.store.put(
            "project",
            project,
            {"number": NUMBER, "billingAccount": "01AB23-CD45EF-67GH89", "currency": "USD", "services": list(ENABLED)},
        )
        self._install_provider("pulumi-resource-gcp", "testbed.clouds.gcp.provider")
        self._install("gke-gcloud-auth-plugin", _PLUGIN)

    def variables(self) -> dict[str, str]:
        """Return the environment variables that let a stack find the provider and this cloud."""
        return {**super().variables(), FOLDER: str(self.folder), **self._cluster}

    def upload(self, bucket: str, name: str) -> None:
        """Put an object into a bucket."""
        self.api.store.put(OBJECTS, f"{bucket}/{name}", {"bucket": bucket})

    def empty(self, bucket: str) -> None:
        """Delete all objects in a bucket."""
        for key, entry in self.api.store.all(OBJECTS).items():
            if entry["bucket"] == bucket:
                self.api.store.take(OBJECTS, key)

    def secret(self, name: str) -> None:
        """Create a secret that belongs to no stack."""
        identifier = f"projects/{self.api.account}/secrets/{name}"
        self.api.store.put(
            SECRET, identifier, {"declared": {"secretId": name, "replication": {"auto": {}}}, "assigned": {}}
        )

    def enable(self, service: str) -> None:
        """Enable a service manually."""
        with self.api.store.open() as everything:
            everything["project"][self.api.account]["services"].append(service)

    def left(self) -> dict[str, list[str]]:
        """Return the IDs of all resources by type, excluding enabled services and service agents."""
        return {name: each for name, each in super().left().items() if name not in ("Service", "ServiceIdentity")}


def _kubernetes(cluster: Cluster) -> dict[str, str]:
    """Return the variables that make every GKE cluster point to the given cluster."""
    server, authority, token = connection(cluster)
    return {
        SERVER: server.removeprefix("https://"),
        AUTHORITY: authority,
        KUBECONFIG: str(cluster.kubeconfig),
        _TOKEN: token,
    }
