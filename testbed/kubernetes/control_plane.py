"""A control plane without real nodes: etcd, API server, controllers, scheduler, KWOK and KubeRay's operator."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from testbed.kubernetes import crds, nodes
from testbed.kubernetes.kubectl import Kubectl
from testbed.places import binary
from testbed.processes import Processes, free_ports

CONTEXT = "bench"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The control plane's address, and the ports of the API server, etcd, its peer, controllers and scheduler."""

    ports: tuple[int, int, int, int, int]
    advertised: str = "127.0.0.1"
    services: str = "10.96.0.0/16"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running cluster for tests."""

    folder: Path
    kubectl: Kubectl
    processes: Processes

    @property
    def kubeconfig(self) -> Path:
        """Return the kubeconfig of the cluster, which has one context."""
        return self.kubectl.kubeconfig


@contextmanager
def control_plane(folder: Path) -> Generator[Cluster]:
    """Run a control plane with CRDs, KWOK and the operator on free loopback ports, and stop it on exit.

    It has no nodes until some are added using `nodes.add_nodes`.
    """
    with Processes(folder) as processes:
        first, second, third, fourth, fifth = free_ports(5)
        kubectl = start(processes, folder, Addresses((first, second, third, fourth, fifth)))
        crds.install(kubectl)
        nodes.start_kwok(processes, kubectl)
        start_operator(processes, kubectl)
        yield Cluster(folder, kubectl, processes)


def start(processes: Processes, folder: Path, addresses: Addresses) -> Kubectl:
    """Start etcd, API server, controllers and scheduler, and wait until the API server is ready."""
    certificates = _certificates(folder)
    kubeconfig = _kubeconfig(folder, addresses.ports[0], _token(certificates))
    kubectl = Kubectl(binary("kubectl"), kubeconfig, processes.within)
    api, etcd, peer, controllers, scheduler = addresses.ports
    processes.start(
        "etcd",
        binary("etcd"),
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{etcd}",
        f"--advertise-client-urls=http://127.0.0.1:{etcd}",
        f"--listen-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-cluster=default=http://127.0.0.1:{peer}",
        "--unsafe-no-fsync",
    )
    processes.start(
        "api-server",
        binary("kube-apiserver"),
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        f"--secure-port={api}",
        f"--cert-dir={certificates}",
        f"--advertise-address={addresses.advertised}",
        f"--service-cluster-ip-range={addresses.services}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={certificates / 'accounts.pub'}",
        f"--service-account-signing-key-file={certificates / 'accounts.key'}",
        f"--token-auth-file={certificates / 'tokens.csv'}",
        "--authorization-mode=RBAC",
        "--kubelet-preferred-address-types=InternalIP",
        "--bind-address=" + ("127.0.0.1" if addresses.advertised == "127.0.0.1" else "0.0.0.0"),
    )
    processes.wait_until(lambda: kubectl.answers("get", "--raw=/readyz"), "the API server is ready")
    processes.start(
        "controllers",
        binary("kube-controller-manager"),
        f"--kubeconfig={kubeconfig}",
        f"--service-account-private-key-file={certificates / 'accounts.key'}",
        f"--root-ca-file={certificates / 'apiserver.crt'}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={controllers}",
    )
    processes.start(
        "scheduler",
        binary("kube-scheduler"),
        f"--kubeconfig={kubeconfig}",
        "--leader-elect=false",
        "--bind-address=127.0.0.1",
        f"--secure-port={scheduler}",
    )
    return kubectl


def start_operator(processes: Processes, kubectl: Kubectl, within: tuple[str, ...] = ()) -> None:
    """Start KubeRay's operator. `within` is a prefix for its command."""
    metrics, health = free_ports(2)
    processes.start(
        "kuberay-operator",
        *within,
        binary("kuberay-operator"),
        f"-kubeconfig={kubectl.kubeconfig}",
        "-enable-leader-election=false",
        f"-metrics-addr=127.0.0.1:{metrics}",
        f"-health-probe-bind-address=127.0.0.1:{health}",
        environment=os.environ | {"ENABLE_WEBHOOKS": "false"},
    )


def _certificates(folder: Path) -> Path:
    """Create a folder with a key pair for service accounts, where the API server adds its own certificate."""
    certificates = folder / "certificates"
    certificates.mkdir()
    key = certificates / "accounts.key"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    public = certificates / "accounts.pub"
    subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    return certificates


def _token(certificates: Path) -> str:
    token = secrets.token_hex(16)
    (certificates / "tokens.csv").write_text(f"{token},admin,1,system:masters\n")
    return token


def _kubeconfig(folder: Path, port: int, token: str) -> Path:
    server = {"server": f"https://127.0.0.1:{port}", "insecure-skip-tls-verify": True}
    path = folder / "kubeconfig"
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": CONTEXT, "cluster": server}],
                "users": [{"name": "admin", "user": {"token": token}}],
                "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": "admin"}}],
                "current-context": CONTEXT,
            }
        )
    )
    path.chmod(0o600)
    return path
