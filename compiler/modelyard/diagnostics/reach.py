"""Diagnostics about the network and the disks of a target: E0692 and W0693 to W0696."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def beyond_egress(span: Span, what: str, address: str, placement: str) -> Diagnostic:
    """A target that lists its `egress` opens nothing else, and an address that the spec needs is not in it.

    Of a host with a name nobody knows the address before it is asked for, so that only numbers are compared.

    Wrong:

        deployment: {egress: [10.20.0.0/16], …}
        stores: {lake: {endpoint: "https://10.30.0.5:9000", …}}

    Right:

        deployment: {egress: [10.20.0.0/16, 10.30.0.5/32], …}
        stores: {lake: {endpoint: "https://10.30.0.5:9000", …}}
    """
    bits = 128 if ":" in address else 32
    return Diagnostic(
        "E0692",
        Severity.ERROR,
        f"{what} is at {address}, which the egress of target {quote(placement)} does not open",
        span,
        f"add {address}/{bits}, or the range that it is in, to egress",
    )


def present_on_made_cluster(span: Span, placement: str, addons: str) -> Diagnostic:
    """A cluster that is made here has no add-ons before this system installs them.

    What `present` lists is not installed, and what needs it fails, unless somebody installs it after the infrastructure
    was made and before the workloads are.

    Wrong:

        deployment: {mode: cloud, provider: aws, region: eu-central-1, present: [kuberay]}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-central-1}
    """
    return Diagnostic(
        "W0693",
        Severity.WARNING,
        f"nothing is present on target {quote(placement)}, whose cluster is made here: {addons} would be missing",
        span,
        "remove present, or install them yourself between the infrastructure and the workloads",
    )


def storage_class_missing(span: Span, placement: str, name: str) -> Diagnostic:
    """A cluster that is made on AWS has one storage class, `gp3`, encrypted with the key of the target.

    Volumes of any other class wait for somebody who makes that class.

    Wrong:

        deployment: {mode: cloud, provider: aws, region: eu-central-1, storageClass: io2}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-central-1}
    """
    return Diagnostic(
        "W0694",
        Severity.WARNING,
        f"the cluster of target {quote(placement)} is made with one storage class, 'gp3', and not with {quote(name)}",
        span,
        "remove storageClass, or make that class between the infrastructure and the workloads",
    )


def clients_without_effect(span: Span, endpoint: str, class_name: str, placement: str) -> Diagnostic:
    """`clients` names the namespaces whose Pods may connect to an endpoint, and its gateway may connect, too.

    Where the proxies of a Gateway run is its controller's choice, and a class does not say which controller that is. So
    a server behind a Gateway that is made from a class takes connections from every namespace, unless `proxies` names
    that of the proxies.

    Wrong:

        deployment: {gateway: {class: envoy}, …}
        inference: {scorer: {endpoint: {exposure: internal, clients: [tills]}, …}}

    Right:

        deployment: {gateway: {class: envoy, proxies: envoy-gateway-system}, …}
        inference: {scorer: {endpoint: {exposure: internal, clients: [tills]}, …}}
    """
    return Diagnostic(
        "W0695",
        Severity.WARNING,
        f"clients has no effect on endpoint {quote(endpoint)}: every Pod of the cluster may connect, since the spec"
        f" does not say where the proxies of gateway class {quote(class_name)} run",
        span,
        f"add proxies, with their namespace, to the gateway of target {quote(placement)}",
    )


def lost_at_the_edge(span: Span, endpoint: str, kept: str) -> Diagnostic:
    """Without a network, an endpoint at the edge keeps captures that wait and bundles of models on its own disk.

    It has a volume that outlives its Pods where the target has one machine, or where there is never a second Pod: with
    one replica that is replaced in place. Elsewhere they are lost with the Pod, at the latest when a new version of the
    servers replaces it.

    Wrong:

        deployment: {edge: true, capacity: [{count: 2, …}], …}
        inference: {camera: {replicas: 1, capture: {…}, …}}

    Right:

        deployment: {edge: true, capacity: [{count: 2, …}], …}
        inference: {camera: {replicas: 1, rollout: {strategy: in-place}, capture: {…}, …}}
    """
    return Diagnostic(
        "W0696",
        Severity.WARNING,
        f"endpoint {quote(endpoint)} has no volume: {kept} that it holds without a network are lost with its Pod",
        span,
        "write replicas: 1 and rollout: {strategy: in-place}",
    )
