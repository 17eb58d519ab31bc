"""Deploys a small system per cloud to the complete Kubernetes cluster, like the clouds' webhooks would.

The stores are reachable at their real names with TLS, and the services that give Pods an identity are at their real
addresses. A Pod is changed only as a cloud would change it, and to make it trust our certificates and fit on a small
node.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import yaml

from testbed.kubernetes.kubectl import Object
from testbed.kubernetes.whole_kubernetes import NODE_ADDRESS, WholeKubernetes
from testbed.places import REPOSITORY
from tests.examples import FOLDER

CLOUDS: Final = {
    "aws": {"provider": "aws", "region": "eu-central-1"},
    "gcp": {"provider": "gcp", "region": "europe-west4", "account": "acme-hello"},
    "azure": {"provider": "azure", "region": "westeurope"},
}
ISSUER: Final = "https://kubernetes.default.svc"
PROGRAM: Final = Path(__file__).parent / "programs" / "stores" / "clouds.py"
ADDRESSES: Final = {
    "aws": "198.18.255.11",
    "gcp": "198.18.255.12",
    "azure": "198.18.255.13",
    "agent": "169.254.170.23",
    "metadata": "169.254.169.254",
    "control": NODE_ADDRESS,
}
TENANT: Final = "8c3f5ad3-1a5d-4b2e-9f5c-6d1f0a7e2b11"
"""The tenant of `tests/runtime/storage/azure_on_loopback`."""
CONTROL: Final = f"http://{NODE_ADDRESS}:8099"
TRUSTED: Final = "/etc/ssl/certs/ca-certificates.crt"
_TOKENS: Final = {
    "aws": (
        "pods.eks.amazonaws.com",
        "/var/run/secrets/pods.eks.amazonaws.com/serviceaccount",
        "eks-pod-identity-token",
    ),
    "azure": ("api://AzureADTokenExchange", "/var/run/secrets/azure/tokens", "azure-identity-token"),
}
"""The audience, the folder and the file of the token that a cloud's webhook adds to a Pod."""


def spec(cloud: str, digest: str) -> str:
    """Return the smallest example on a cloud, with a model bought from a vendor and captured responses."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / "hello" / "system.yaml").read_text())
    bought = {"store": "lake", "path": "bought/churn", "digest": digest}
    model = {key: value for key, value in found["models"]["churn"].items() if key != "validation"}
    endpoint = {**found["inference"]["churn"], "capture": {"store": "lake", "path": "captures/churn"}}
    return yaml.safe_dump(
        {
            **{key: value for key, value in found.items() if key not in {"data", "pipelines"}},
            "metadata": {"name": namespace(cloud)},
            "deployment": {"mode": "cloud", **CLOUDS[cloud]},
            "stores": {"lake": {"type": "object"}, "runs": {"type": "database"}},
            "registry": {"database": "runs", "artifacts": "lake"},
            "models": {"churn": {**model, "import": bought}},
            "inference": {"churn": endpoint},
        }
    )


def namespace(cloud: str) -> str:
    """Return the name of a cloud's system, which is also the name of its namespace."""
    return f"hello-{cloud}"


@dataclass(frozen=True, slots=True)
class System:
    """A compiled system on one cloud."""

    cloud: str
    project: Path

    @property
    def documents(self) -> list[Any]:
        """Return the Kubernetes objects emitted for the promoter and the model server."""
        files = (self.project / "workloads" / "manifests" / f"{name}.yaml" for name in ("promoter", "model-churn"))
        return [one for file in files for one in yaml.safe_load_all(file.read_text()) if one]

    @property
    def store(self) -> str:
        """Return the URI of the store in the description of the model server."""
        (text,) = (
            one["data"]["workload.json"] for one in self.documents if one["metadata"]["name"] == "churn-description"
        )
        return str(json.loads(text)["stores"]["lake"]["uri"])

    def admitted(self, image: str, identities: dict[str, str]) -> Iterator[Object]:
        """Yield the Kubernetes objects as this cloud's cluster would run them, using the image on the node."""
        for document in self.documents:
            if document["kind"] == "ServiceAccount" and "annotations" in document["metadata"]:
                name = f"{namespace(self.cloud)}/{document['metadata']['name']}"
                document["metadata"]["annotations"]["azure.workload.identity/client-id"] = identities[name]
            if document["kind"] == "CronJob":
                document["spec"]["suspend"] = True  # the test starts it
            for template in _templates(document):
                self._admit(template, image, identities)
            yield cast("Object", document)

    def _admit(self, template: Any, image: str, identities: dict[str, str]) -> None:
        pod = template["spec"]
        pod.pop("nodeSelector", None)  # the node has no pool
        added = [*_TRUST, *self._identity(template, identities)]
        mounts: list[Object] = [{"name": "trusted", "mountPath": TRUSTED, "subPath": "ca.pem", "readOnly": True}]
        pod["volumes"].append({"name": "trusted", "configMap": {"name": "trusted"}})
        if self.cloud in _TOKENS:
            audience, folder, file = _TOKENS[self.cloud]
            projected = {"serviceAccountToken": {"audience": audience, "expirationSeconds": 3600, "path": file}}
            pod["volumes"].append({"name": "identity", "projected": {"sources": [projected]}})
            mounts.append({"name": "identity", "mountPath": folder, "readOnly": True})
        for container in pod["containers"]:
            container["image"] = image
            container["env"] += added
            container["volumeMounts"] += mounts
            container["resources"]["requests"] = {"cpu": "50m", "memory": "512Mi"}  # all of them start simultaneously
            container["resources"]["limits"]["cpu"] = "2"

    def _identity(self, template: Any, identities: dict[str, str]) -> list[Object]:
        """Return the environment variables this cloud's webhook adds to a Pod. Google's clusters add none."""
        if self.cloud == "aws":
            _, folder, file = _TOKENS["aws"]
            return [
                _variable("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://{ADDRESSES['agent']}/v1/credentials"),
                _variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", f"{folder}/{file}"),
            ]
        if self.cloud == "azure":
            assert template["metadata"]["labels"]["azure.workload.identity/use"] == "true"
            _, folder, file = _TOKENS["azure"]
            account = f"{namespace('azure')}/{template['spec']['serviceAccountName']}"
            return [
                _variable("AZURE_CLIENT_ID", identities[account]),
                _variable("AZURE_TENANT_ID", TENANT),
                _variable("AZURE_FEDERATED_TOKEN_FILE", f"{folder}/{file}"),
                _variable("AZURE_AUTHORITY_HOST", "https://login.microsoftonline.com/"),
            ]
        return []


def described(systems: list[System], cluster: WholeKubernetes, model: Path) -> dict[str, Any]:
    """Return the content of `clouds.json` for the simulated clouds, i.e. the systems' stores and who may use them."""
    uris = {one.cloud: one.store.partition("://")[2].rstrip("/") for one in systems}
    container, _, host = uris["azure"].partition("@")
    account = host.partition(".")[0]
    region = CLOUDS["aws"]["region"]
    hosts = {
        f"s3.{region}.amazonaws.com": ADDRESSES["aws"],
        f"{uris['aws']}.s3.{region}.amazonaws.com": ADDRESSES["aws"],
        "storage.googleapis.com": ADDRESSES["gcp"],
        "metadata.google.internal": ADDRESSES["metadata"],
        f"{account}.blob.core.windows.net": ADDRESSES["azure"],
        "login.microsoftonline.com": ADDRESSES["azure"],
    }
    both = {one.cloud: [f"{namespace(one.cloud)}/{name}" for name in ("promoter", "churn")] for one in systems}
    promoter, server = both["azure"]
    roles = {promoter: {"read": "bought", "write": "mlflow"}, server: {"read": "mlflow", "append": "captures"}}
    return {
        "issuer": ISSUER,
        "key": str(cluster.folder / "certificates" / "accounts.key"),
        "kubectl": [str(cluster.kubectl.binary), f"--kubeconfig={cluster.kubeconfig}"],
        "model": str(model),
        "addresses": ADDRESSES,
        "hosts": hosts,
        "aws": {"bucket": uris["aws"], "region": region},
        "gcp": {"bucket": uris["gcp"]},
        "azure": {"account": account, "container": container},
        "granted": {**both, "azure": roles},
    }


def _templates(document: Any) -> list[Any]:
    """Return the Pod templates in a Kubernetes object."""
    if document["kind"] == "CronJob":
        return [document["spec"]["jobTemplate"]["spec"]["template"]]
    if document["kind"] == "RayService":
        cluster = document["spec"]["rayClusterConfig"]
        return [each["template"] for each in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"])]
    return []


def _variable(name: str, value: str) -> Object:
    return {"name": name, "value": value}


_TRUST: Final = [
    _variable(name, TRUSTED) for name in ("AWS_CA_BUNDLE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
]
"""The environment variables that tell libraries which certificates to trust."""

PYTHONPATH: Final = f"PYTHONPATH={REPOSITORY}:{REPOSITORY / 'runtime'}"
