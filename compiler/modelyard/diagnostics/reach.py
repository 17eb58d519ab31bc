"""Diagnostics about a target's network and disks: E0692 and W0693 to W0696."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def beyond_egress(span: Span, subject: str, address: str, placement: str) -> Diagnostic:
    """A target with `egress` ranges blocks all other addresses, but the spec needs one outside these ranges.

    Host names are not checked, because their addresses are unknown until they are resolved.

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
        f"{subject} is at {address}, which `egress` for target {quote(placement)} does not allow",
        span,
        f"add {address}/{bits}, or a range that includes it, to `egress`",
    )


def present_on_made_cluster(span: Span, placement: str, addons: str) -> Diagnostic:
    """A cluster that modelyard creates has no add-ons until this system installs them.

    Add-ons listed under `present` are not installed, so workloads that need them fail, unless someone installs them
    after deploying the infrastructure and before deploying the workloads.

    Wrong:

        deployment: {mode: cloud, provider: aws, region: eu-central-1, present: [kuberay]}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-central-1}
    """
    return Diagnostic(
        "W0693",
        Severity.WARNING,
        f"target {quote(placement)} is a new cluster, so these add-ons are not present: {addons}",
        span,
        "remove `present`, or install them yourself between deploying the infrastructure and the workloads",
    )


def storage_class_missing(span: Span, placement: str, name: str, only: str) -> Diagnostic:
    """A cluster that modelyard creates has one storage class, encrypted with the target's key, such as `gp3` on AWS.

    Volumes of any other class stay pending until someone creates that class.

    Wrong:

        deployment: {mode: cloud, provider: aws, region: eu-central-1, storageClass: io2}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-central-1}
    """
    return Diagnostic(
        "W0694",
        Severity.WARNING,
        f"the cluster of target {quote(placement)} has no storage class {quote(name)}, only {quote(only)}",
        span,
        "remove `storageClass`, or create the class between deploying the infrastructure and the workloads",
    )


def clients_without_effect(span: Span, endpoint: str, class_name: str, placement: str) -> Diagnostic:
    """`clients` limits the namespaces whose Pods may connect to an endpoint, in addition to its gateway.

    A gateway's proxies run wherever its controller places them, which modelyard cannot tell from the gateway class. A
    server behind such a Gateway therefore accepts connections from every namespace, unless `proxies` sets the namespace
    of the proxies.

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
        f"`clients` has no effect on endpoint {quote(endpoint)}: every Pod in the cluster may connect, because the spec"
        f" does not declare where the proxies of gateway class {quote(class_name)} run",
        span,
        f"set `proxies` to their namespace in the gateway of target {quote(placement)}",
    )


def lost_at_the_edge(span: Span, endpoint: str, contents: str) -> Diagnostic:
    """While offline, an edge endpoint stores pending captures and model bundles on its own disk.

    This disk is a volume that outlives its Pods only if the target has one machine, or if the endpoint has one replica
    that is replaced in place. Otherwise, the data is lost with the Pod, at the latest when the server is upgraded.

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
        f"endpoint {quote(endpoint)} has no volume, so {contents} that it stores while offline are lost with its Pod",
        span,
        "set `replicas: 1` and `rollout: {strategy: in-place}`",
    )
