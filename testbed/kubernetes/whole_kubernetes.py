"""A whole Kubernetes on this machine, with real containers on one node in a network with no route out."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import yaml

from testbed.image import write_archive
from testbed.kubernetes import crds, isolation, nodes
from testbed.kubernetes.control_plane import CONTEXT, Addresses, Cluster, start, start_operator
from testbed.places import binary
from testbed.processes import Processes

# Addresses that are reserved for tests (RFC 2544), so no real host has them.
NODE_ADDRESS = "198.18.255.1"
_NOWHERE = "198.18.255.254"
PODS = "198.18.0.0/24"
"""The addresses of the Pods that run on the node."""
_CLUSTER = "198.18.0.0/16"
_SERVICES = "198.19.0.0/16"

NODE = "real-1"
PAUSE = "registry.local/pause:1"
"""The image of a process that sleeps, which is loaded on every node."""


@dataclass(frozen=True, slots=True)
class WholeKubernetes(Cluster):
    """A cluster whose Pods actually run. Programs connecting to it must use `run` or the prefix `within`."""

    @property
    def within(self) -> tuple[str, ...]:
        """Return the prefix that runs a command in the network of the cluster."""
        return self.kubectl.within

    @property
    def by_name(self) -> tuple[str, ...]:
        """Return the prefix to add after `within` for programs that resolve Services, which mounts our DNS."""
        with_dns = 'mount --bind "$0" /etc/resolv.conf && exec "$@"'
        return ("unshare", "--mount", "--propagation=private", "sh", "-c", with_dns, str(self.folder / "resolv.conf"))

    def run(self, *command: str, seconds: float = 120) -> str:
        """Run a command in the cluster's network and return its output."""
        result = subprocess.run([*self.within, *command], capture_output=True, text=True, timeout=seconds, check=False)
        if result.returncode:
            raise RuntimeError(f"{' '.join(command)}: {result.stdout}{result.stderr}")
        return result.stdout

    def fetch(self, url: str, seconds: float = 30) -> str:
        """Send a GET in the cluster's network and return the body. Raises RuntimeError unless the status is 200."""
        program = (
            "import sys, urllib.request as r; print(r.urlopen(sys.argv[1], timeout=float(sys.argv[2])).read().decode())"
        )
        return self.run(*self.by_name, sys.executable, "-c", program, url, str(seconds), seconds=seconds + 10)

    def reaches(self, url: str) -> bool:
        """Return whether a GET in the cluster's network has status 200."""
        try:
            self.fetch(url, 2)
        except RuntimeError:
            return False
        return True

    def resolve(self, hosts: Mapping[str, str]) -> None:
        """Give hosts outside the cluster an address on the node, and make DNS return it."""
        for address in {*hosts.values()}:
            self.run("ip", "addr", "replace", f"{address}/32", "dev", "node0")
        self.answer(hosts)

    def answer(self, hosts: Mapping[str, str]) -> None:
        """Make DNS return these addresses of hosts outside the cluster, instead of any earlier ones."""
        lines = [f"{address} {host}\n" for host, address in hosts.items()]
        (self.folder / "hosts").write_text("".join(lines))
        for host in hosts:
            self.kubectl.wait_until(partial(self._knows, host), f"DNS knows {host}", 30)

    def _knows(self, host: str) -> bool:
        program = "import socket, sys; socket.getaddrinfo(sys.argv[1], 443)"
        look_up = (*self.within, *self.by_name, sys.executable, "-c", program, host)
        return not subprocess.run(look_up, capture_output=True, check=False).returncode

    def load(self, archive: Path) -> None:
        """Load an image from an archive onto the node."""
        _load(self.folder, archive)

    def rename(self, image: str, name: str) -> None:
        """Give an image on the node another name, for example one with the digest of an image that we cannot pull."""
        _must(_ctr(self.folder), "images", "tag", "--force", image, name)

    def network_namespaces(self) -> dict[str, str]:
        """Map each Pod's IP address to the name of its network namespace on the node."""
        by_address: dict[str, str] = {}
        for line in self.run("ip", "netns", "list").splitlines():
            name = line.split()[0]
            if not name.startswith("cni-"):
                continue
            # A Pod from an earlier test that is still terminating loses its device and namespace while we query it.
            with suppress(RuntimeError):
                for link in json.loads(self.run("ip", "-n", name, "-4", "-json", "address", "show", "dev", "eth0")):
                    by_address |= {each["local"]: name for each in link["addr_info"]}
        return by_address


@contextmanager
def whole_kubernetes() -> Generator[WholeKubernetes]:
    """Run a complete cluster, including containerd, kubelet, DNS and KubeRay's operator, and clean up on exit.

    The cluster doesn't use pytest's temporary folders. Kubelets mount volumes in its folder, and pytest would try to
    delete the mounted files after a killed run.
    """
    folder = Path(tempfile.mkdtemp(prefix="modelyard-"))
    try:
        with isolation.network(folder, NODE_ADDRESS, _NOWHERE) as network, Processes(folder, network.within) as runtime:
            _start_containerd(runtime, folder)
            with Processes(folder, network.within) as processes:
                yield _cluster(processes, folder)
            network.end_containers()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _cluster(processes: Processes, folder: Path) -> WholeKubernetes:
    addresses = Addresses((6443, 2379, 2380, 10257, 10259), advertised=NODE_ADDRESS, services=_SERVICES)
    kubectl = start(processes, folder, addresses)
    cluster = WholeKubernetes(folder, kubectl, processes)
    _start_kubelet(processes, folder, cluster.kubeconfig)
    _start_network(processes, folder, cluster.kubeconfig)
    crds.install(kubectl)
    nodes.start_kwok(processes, kubectl)
    start_operator(processes, kubectl, cluster.by_name)
    kubectl.run("wait", "--for=condition=Ready", f"node/{NODE}", "--timeout=240s")
    return cluster


def _start_containerd(runtime: Processes, folder: Path) -> None:
    plugins = folder / "cni"
    plugins.mkdir()
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(folder / "addresses"),
            "ranges": [[{"subnet": PODS}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    (plugins / "pods.conflist").write_text(
        json.dumps({"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge, ports]})
    )
    # Without restrict_oom_score_adj, containers cannot start on machines without CAP_SYS_RESOURCE.
    settings = folder / "containerd.toml"
    settings.write_text(
        f"""version = 2
root = "{folder}/containerd/root"
state = "{folder}/containerd/state"
[grpc]
  address = "{_socket(folder)}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{plugins}"
"""
    )
    runtime.start("containerd", "containerd", "--config", settings)
    runtime.wait_until(lambda: _socket(folder).exists() and _answers(folder), "containerd is ready")
    _load(folder, _pause_image(folder))


def _pause_image(folder: Path) -> Path:
    """Create the image of the pause container, a sleeping busybox that keeps a Pod's namespaces alive."""
    root = folder / "pause"
    (root / "bin").mkdir(parents=True)
    shutil.copy(shutil.which("busybox") or "/bin/busybox", root / "bin" / "busybox")
    (root / "bin" / "sleep").symlink_to("busybox")
    archive = folder / "pause.tar"
    write_archive(root, PAUSE, archive, {"Cmd": ["/bin/sleep", "infinity"], "User": "1000:100"})
    return archive


def _start_kubelet(processes: Processes, folder: Path, kubeconfig: Path) -> None:
    (folder / "resolv.conf").write_text(f"nameserver {NODE_ADDRESS}\n")
    settings = folder / "kubelet.yaml"
    settings.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "kubelet.config.k8s.io/v1beta1",
                "kind": "KubeletConfiguration",
                "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
                "authorization": {"mode": "AlwaysAllow"},
                "cgroupDriver": "cgroupfs",
                "clusterDNS": [NODE_ADDRESS],
                "clusterDomain": "cluster.local",
                "containerRuntimeEndpoint": f"unix://{_socket(folder)}",
                # Limits would only slow down small Pods, such as a Ray worker with a fifth of a CPU.
                "cpuCFSQuota": False,
                "evictionHard": {
                    "nodefs.available": "100Mi",
                    "imagefs.available": "100Mi",
                    "memory.available": "100Mi",
                },
                "failCgroupV1": False,
                "failSwapOn": False,
                # Never remove images. On a nearly full disk, the kubelet would, and they cannot be pulled again.
                "imageGCHighThresholdPercent": 100,
                "oomScoreAdj": 0,
                "podLogsDir": str(folder / "pods"),
                "resolvConf": str(folder / "resolv.conf"),
            }
        )
    )
    processes.start(
        "kubelet",
        binary("kubelet"),
        f"--config={settings}",
        f"--kubeconfig={kubeconfig}",
        f"--root-dir={folder / 'kubelet'}",
        f"--cert-dir={folder / 'certificates'}",
        f"--hostname-override={NODE}",
        f"--node-ip={NODE_ADDRESS}",
    )


def _start_network(processes: Processes, folder: Path, kubeconfig: Path) -> None:
    """Start kube-proxy without changing kernel settings, and a DNS server outside the cluster."""
    processes.start(
        "kube-proxy",
        binary("kube-proxy"),
        f"--kubeconfig={kubeconfig}",
        f"--hostname-override={NODE}",
        "--proxy-mode=nftables",
        f"--cluster-cidr={_CLUSTER}",
        "--conntrack-max-per-core=0",
        "--conntrack-tcp-timeout-established=0",
        "--conntrack-tcp-timeout-close-wait=0",
    )
    names = folder / "Corefile"
    (folder / "hosts").touch()
    hosts = f"hosts {folder / 'hosts'} {{\n    reload 500ms\n    fallthrough\n  }}"
    zone = f"kubernetes cluster.local {{\n    kubeconfig {kubeconfig} {CONTEXT}\n  }}"
    names.write_text(f".:53 {{\n  bind {NODE_ADDRESS}\n  {hosts}\n  {zone}\n}}\n")
    processes.start("dns", binary("coredns"), "-conf", names)


def _socket(folder: Path) -> Path:
    return folder / "containerd.sock"


def _answers(folder: Path) -> bool:
    result = subprocess.run([*_ctr(folder), "version"], capture_output=True, check=False)
    return result.returncode == 0


def _load(folder: Path, archive: Path) -> None:
    _must(_ctr(folder), "images", "import", str(archive))


def _must(program: tuple[str, ...], *arguments: str) -> None:
    """Run a command of containerd. Raise RuntimeError with its output if it fails."""
    result = subprocess.run([*program, *arguments], capture_output=True, text=True, check=False)
    if result.returncode:
        raise RuntimeError(f"containerd refuses {' '.join(arguments)}: {result.stderr}")


def _ctr(folder: Path) -> tuple[str, ...]:
    return ("ctr", "--address", str(_socket(folder)), "--namespace", "k8s.io")
