"""Addresses that network policies open on GKE: its API server, the metadata server, and the APIs of Google Cloud.

docs/decisions/0070-google-cloud.md has the reasons.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.stack import Value
from modelyard_targets.gcp.options import nodes_cidr, ranges_of, vpc_of
from modelyard_targets.kube.network.policies import ports
from modelyard_targets.kube.placement.context import Context

METADATA_SERVERS: Final = ("169.254.169.254/32",)
METADATA_PORTS: Final = (80, 8080)
"""GKE's metadata server with Dataplane V2 (docs.cloud.google.com/kubernetes-engine/docs/how-to/workload-identity,
"Network policy", read 2026-11-25). With GKE_METADATA it hands out the Pod's identity alone, never that of the node.
"""

GOOGLE_APIS: Final = "199.36.153.8/30"
"""private.googleapis.com, which the network's private DNS zones answer for every API of Google Cloud
(docs.cloud.google.com/vpc/docs/configure-private-google-access, read 2026-11-27).
"""

STORAGE_RANGES: Final = "google_ranges"
"""The infrastructure's output with the address ranges of Cloud Storage."""

_HTTPS: Final = 443


def api_addresses(context: Context) -> tuple[str, ...]:
    """Return the ranges of the control plane's private endpoint and, if known, of the Service in front of it.

    Dataplane V2 replaces a Service's address by its endpoint before it applies policies; the range of Services is open
    for clusters where it does not.
    """
    vpc = vpc_of(context.target)
    services = () if vpc.adopt else (ranges_of(vpc).services,)
    return (nodes_cidr(context.target), *services)


def reach_google(context: Context) -> Iterable[Value]:
    """Allow a controller's egress to the APIs of Google Cloud and to the metadata server."""
    return tuple(_rules())


def _rules() -> Iterator[Value]:
    yield {"to": [{"ipBlock": {"cidr": GOOGLE_APIS}}], "ports": ports(_HTTPS)}
    yield {"to": [{"ipBlock": {"cidr": cidr}} for cidr in METADATA_SERVERS], "ports": ports(*METADATA_PORTS)}
