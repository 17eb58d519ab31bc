"""Diagnostics about a target's network and disks: E0692 and W0693 to W0696."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def beyond_egress(span: Span, subject: str, address: str, placement: str) -> Diagnostic:
    """A target that lists its `egress` allows nothing else, and the spec needs an address outside of it.

    Host names are not compared, because their addresses are unknown before they are resolved.

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
        f"{subject} is at {address}, which the egress of target {quote(placement)} does not allow",
        span,
        f"add {address}/{bits}, or the range that it is in, to egress",
    )


def present_on_made_cluster(span: Span, placement: str, addons: str) -> Diagnostic:
    """A cluster that modelyard creates has no add-ons before this system installs them.

    Add-ons listed under `present` are not installed, and what needs them fails, unless somebody installs them after the
    infrastructure and before the workloads.

    Wrong:

        deployment: {mode: cloud, provider: aws, region: eu-central-1, present: [kuberay]}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-central-1}
    """
    return Diagnostic(
        "W0693",
        Severity.WARNING,
        f"target {quote(placement)} is a new cluster with nothing present: {addons} would be missing",
        span,
        "remove present, or install them yourself between the infrastructure and the workloads",
    )


def storage_class_missing(span: Span, placement: str, name: str) -> Diagnostic:
    """A cluster that modelyard creates on AWS has one storage class, `gp3`, encrypted with the key of the target.

    Volumes of any other class stay pending until somebody creates that class.

    Wrong:

        deployment: {mode: cloud, provider: aws, region: eu-central-1, storageClass: io2}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-central-1}
    """
    return Diagnostic(
        "W0694",
        Severity.WARNING,
        f"the cluster of target {quote(placement)} has one storage class, 'gp3', and not {quote(name)}",
        span,
        "remove storageClass, or create that class between the infrastructure and the workloads",
    )


def clients_without_effect(span: Span, endpoint: str, class_name: str, placement: str) -> Diagnostic:
    """`clients` lists the namespaces whose Pods may connect to an endpoint; its gateway may connect, too.

    The controller of a Gateway decides where its proxies run, and a class does not say which controller that is. So a
    server behind a Gateway created from a class accepts connections from every namespace, unless `proxies` names the
    namespace of the proxies.

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
        f"clients has no effect on endpoint {quote(endpoint)}: every Pod of the cluster may connect, because the spec"
        f" does not say where the proxies of gateway class {quote(class_name)} run",
        span,
        f"add proxies, with their namespace, to the gateway of target {quote(placement)}",
    )


def lost_at_the_edge(span: Span, endpoint: str, contents: str) -> Diagnostic:
    """Without a network, an endpoint at the edge keeps pending captures and model bundles on its own disk.

    It has a volume that outlives its Pods if the target has one machine, or if there is never a second Pod: with one
    replica that is replaced in place. Otherwise they are lost with the Pod, at the latest when a new version of the
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
        f"endpoint {quote(endpoint)} has no volume: {contents} that it holds without a network are lost with its Pod",
        span,
        "set replicas: 1 and rollout: {strategy: in-place}",
    )
