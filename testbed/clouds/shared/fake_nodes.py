"""The nodes of a cloud's node pools, as KWOK nodes in a test's API server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from testbed.kubernetes import nodes
from testbed.kubernetes.kubectl import Kubectl
from testbed.places import binary


def keep(kubeconfig: str | None, label: str, pool: str, desired: Sequence[nodes.Node] | None) -> None:
    """Add a pool's first nodes, labelled with its name, or remove the nodes of a deleted pool.

    Without a kubeconfig, there's no API server to add nodes to.
    """
    if not kubeconfig:
        return
    kubectl = Kubectl(binary("kubectl"), Path(kubeconfig))
    present = kubectl.run("get", "node", f"--selector={label}={pool}", "--output=name").split()
    if desired is None and present:
        kubectl.run("delete", *present)
    elif desired and not present:
        nodes.add_nodes(kubectl, desired)
