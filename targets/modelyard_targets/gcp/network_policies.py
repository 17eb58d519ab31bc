"""Egress rules for GKE, covering the API server, the metadata server, and the Google Cloud APIs.

docs/decisions/0070-google-cloud.md explains why.
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
"Network policy", read 2026-11-25). With GKE_METADATA, it only serves the Pod's identity, never the node's.
"""

GOOGLE_APIS: Final = "199.36.153.8/30"
"""The addresses of private.googleapis.com, to which private DNS zones resolve all Google Cloud APIs
(docs.cloud.google.com/vpc/docs/configure-private-google-access, read 2026-11-27).
"""

STORAGE_RANGES: Final = "google_ranges"
"""The infrastructure output with Cloud Storage's address ranges."""

_HTTPS: Final = 443


def api_addresses(context: Context) -> tuple[str, ...]:
    """Return the address ranges of the control plane's private endpoint and, if known, its Service.

    Dataplane V2 replaces a Service's address with its endpoint before applying policies. The Service range is for
    clusters without Dataplane V2.
    """
    vpc = vpc_of(context.target)
    if not vpc.cidr:  # the spec may not state the range of an adopted cluster
        return ()
    services = () if vpc.adopt else (ranges_of(vpc).services,)
    return (nodes_cidr(context.target), *services)


def reach_google(context: Context) -> Iterable[Value]:
    """Allow a controller's egress to the Google Cloud APIs and to the metadata server."""
    return tuple(_rules())


def _rules() -> Iterator[Value]:
    yield {"to": [{"ipBlock": {"cidr": GOOGLE_APIS}}], "ports": ports(_HTTPS)}
    yield {"to": [{"ipBlock": {"cidr": cidr}} for cidr in METADATA_SERVERS], "ports": ports(*METADATA_PORTS)}
