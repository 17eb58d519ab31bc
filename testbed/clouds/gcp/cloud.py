"""Google Cloud on loopback for tests, which can inspect it, change it behind Pulumi's back, and make calls fail."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import Any

import yaml

from testbed.clouds.gcp.api import FOLDER, Api, merged
from testbed.clouds.gcp.clusters import AUTHORITY, SERVER
from testbed.clouds.gcp.kinds import remove
from testbed.clouds.gcp.pools import KUBECONFIG
from testbed.clouds.gcp.storage import OBJECTS, SECRET
from testbed.clouds.gcp.table import KINDS
from testbed.clouds.shared.orders import Orders
from testbed.clouds.shared.store import Store
from testbed.clouds.shared.values import Values
from testbed.kubernetes.control_plane import Cluster
from testbed.places import REPOSITORY, cache

NUMBER = "123456789012"
"""The number of the project."""

ENABLED = ("cloudresourcemanager.googleapis.com", "serviceusage.googleapis.com")
"""The services that somebody has to enable before a first deployment."""

_TOKEN = "MODELYARD_GCP_TOKEN"
_PLUGIN = """#!/bin/sh
# The plug-in that a kubeconfig asks for: the token of the login that Pulumi uses.
case " $* " in
*" --use_application_default_credentials "*) ;;
*) echo "unknown arguments: $*" >&2; exit 2 ;;
esac
printf '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1beta1","status":{"token":"%s"}}' \
    "$MODELYARD_GCP_TOKEN"
"""


class Cloud:
    """A project of Google Cloud. With its environment variables, a stack makes no call to another machine.

    `cluster` is the API server behind every GKE cluster. Node pools add nodes to it, and kubeconfigs point to it.
    """

    def __init__(self, folder: Path, project: str, cluster: Cluster | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.orders = Orders(folder)
        self.api = Api(project, "", Store(folder / "store.json"))
        self._cluster = _kubernetes(cluster) if cluster else {}
        self._programs = folder / "bin"
        self.api.store.put(
            "project",
            project,
            {"number": NUMBER, "billingAccount": "01AB23-CD45EF-67GH89", "currency": "USD", "services": list(ENABLED)},
        )
        _executable(self._programs / "pulumi-resource-gcp", _provider())
        _executable(self._programs / "gke-gcloud-auth-plugin", _PLUGIN)

    def variables(self) -> dict[str, str]:
        """Return the environment variables with which a stack finds the provider and this cloud."""
        return {
            "PATH": str(self._programs),
            FOLDER: str(self.folder),
            "MODELYARD_CACHE": str(cache()),  # a stack has its own home folder, but kubectl is in our cache folder
            **self._cluster,
        }

    def surprises(self) -> dict[str, Any]:
        """Return the properties whose values the cloud changed after they were set, by resource type."""
        with Store(self.folder / "surprises.json").open() as everything:
            return everything

    def named(self, token: str, start: str) -> tuple[str, Values]:
        """Return the ID and properties of the only resource of a type whose name or ID starts like this."""
        (only,) = [
            (identifier, values)
            for identifier, values in self.api.all(token).items()
            if identifier.startswith(start) or str(values.get("name", "")).startswith(start)
        ]
        return only

    def edit(self, token: str, identifier: str, **properties: Any) -> None:
        """Change properties of a resource by hand, at any depth."""
        with self.api.store.open() as everything:
            stored = everything[token][identifier]
            stored["declared"] = merged(stored["declared"], properties)

    def remove(self, token: str, identifier: str) -> None:
        """Delete a resource by hand, with those that it contains."""
        remove(self.api, token, identifier, KINDS)

    def upload(self, bucket: str, name: str) -> None:
        """Put an object into a bucket."""
        self.api.store.put(OBJECTS, f"{bucket}/{name}", {"bucket": bucket})

    def empty(self, bucket: str) -> None:
        """Delete all objects of a bucket."""
        for key, held in self.api.store.all(OBJECTS).items():
            if held["bucket"] == bucket:
                self.api.store.take(OBJECTS, key)

    def secret(self, name: str) -> None:
        """Create a secret, which belongs to no stack."""
        identifier = f"projects/{self.api.account}/secrets/{name}"
        self.api.store.put(
            SECRET, identifier, {"declared": {"secretId": name, "replication": {"auto": {}}}, "assigned": {}}
        )

    def enable(self, service: str) -> None:
        """Enable a service by hand."""
        with self.api.store.open() as everything:
            everything["project"][self.api.account]["services"].append(service)

    def left(self) -> dict[str, list[str]]:
        """Return the IDs of all resources by class, except enabled services and the agents of services."""
        names = {token.rpartition(":")[2]: sorted(self.api.store.all(token)) for token in KINDS}
        return {name: each for name, each in names.items() if each and name not in ("Service", "ServiceIdentity")}


def _kubernetes(cluster: Cluster) -> dict[str, str]:
    """Return the variables that make every GKE cluster point to this one, which has a self-signed certificate."""
    config: Any = yaml.safe_load(cluster.kubeconfig.read_text())
    certificate = (cluster.folder / "certificates" / "apiserver.crt").read_bytes()
    return {
        SERVER: str(config["clusters"][0]["cluster"]["server"]).removeprefix("https://"),
        AUTHORITY: base64.b64encode(certificate).decode(),
        KUBECONFIG: str(cluster.kubeconfig),
        _TOKEN: config["users"][0]["user"]["token"],
    }


def _provider() -> str:
    """Return a script that runs this repository's provider with this interpreter instead of the caller's."""
    python = f"env -u PYTHONHOME PYTHONPATH={REPOSITORY} {sys.executable} -W ignore -m testbed.clouds.gcp.provider"
    return f'#!/bin/sh\nexec {python} "$@"\n'


def _executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)
