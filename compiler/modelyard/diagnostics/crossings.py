"""Diagnostics about access across targets: E0520 to E0524, W0527."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def not_reachable(span: Span, workload: str, placement: str, resource: str, other: str) -> Diagnostic:
    """A workload uses a resource inside another target's cluster, which does not accept connections from the workload.

    modelyard assumes that your own cluster can connect to a cloud, but not the other way around. If your firewall
    allows such connections, declare them in `reachableFrom`.

    Wrong:

        targets: {main: {provider: aws, region: eu-central-1}, plant: {provider: kubernetes}}
        stores: {pictures: {type: object, target: plant, adopt: pictures, endpoint: "https://s3.plant.example"}}
        pipelines: {learn: {target: main, inputs: [pictures], …}}

    Right:

        targets: {main: {provider: aws, region: eu-central-1}, plant: {provider: kubernetes, reachableFrom: [main]}}
    """
    return Diagnostic(
        "E0520",
        Severity.ERROR,
        f"{quote(workload)} on target {quote(placement)} needs {resource} on target {quote(other)}, which does not"
        f" accept connections from {quote(placement)}",
        span,
        f"place both on one target, or add {quote(placement)} to `reachableFrom` of target {quote(other)} if the"
        " network allows it",
    )


def bundle_of_version(span: Span, model: str, placement: str, registry: str) -> Diagnostic:
    """If the registry is on another target, models are delivered as bundles, which are written when an alias moves.

    The registry itself is never exposed to other targets, so a version number cannot be resolved there.

    Wrong:

        deployment: {placement: {default: main, inference: plant}, …}
        inference: {sorter: {variants: {only: {model: defects@3}}, …}}

    Right:

        inference: {sorter: {variants: {only: {model: defects@champion}}, …}}
    """
    return Diagnostic(
        "E0521",
        Severity.ERROR,
        f"target {quote(placement)} can use model {quote(model)} only by alias, not by version number",
        span,
        f"use an alias such as {model}@champion, or place the workload on {quote(registry)}, next to the registry",
    )


def rollback_elsewhere(span: Span, monitor: str, placement: str, registry: str) -> Diagnostic:
    """A rollback moves an alias in the registry, which is never exposed to other targets.

    Wrong:

        deployment: {placement: {default: main, monitors: plant}, …}
        monitors: {quality: {onBreach: {rollback: true}, …}}

    Right:

        deployment: {placement: {default: main, monitors: main}, …}
        monitors: {quality: {onBreach: {rollback: true}, …}}
    """
    return Diagnostic(
        "E0522",
        Severity.ERROR,
        f"monitor {quote(monitor)} on target {quote(placement)} cannot move an alias in the registry on target"
        f" {quote(registry)}",
        span,
        f"place the monitor on {quote(registry)}, or let it only send notifications",
    )


def service_elsewhere(span: Span, workload: str, placement: str, resource: str, other: str, host: str) -> Diagnostic:
    """A Service name such as minio.storage.svc resolves only inside its own cluster.

    In another cluster, the name refers to a different Service or to none, so the workload would fail to connect.

    Wrong:

        stores: {pictures: {type: object, target: plant, adopt: pictures, endpoint: "http://minio.storage.svc:9000"}}
        pipelines: {learn: {target: lab, inputs: [pictures], …}}

    Right:

        stores: {pictures: {type: object, target: plant, adopt: pictures, endpoint: "https://s3.plant.example"}}
        pipelines: {learn: {target: lab, inputs: [pictures], …}}
    """
    return Diagnostic(
        "E0523",
        Severity.ERROR,
        f"{quote(workload)} on target {quote(placement)} needs {resource}, whose address {quote(host)} resolves only"
        f" inside target {quote(other)}",
        span,
        "use an address that both can reach, or place both on one target",
    )


def measured_elsewhere(span: Span, monitor: str, placement: str, watched: str, other: str) -> Diagnostic:
    """A performance monitor evaluates alert rules on an endpoint's or pipeline's metrics, which stay in its own
    cluster.

    On another target, the rules would have no metrics and never raise an alert.

    Wrong:

        inference: {sorter: {target: plant, …}}
        monitors: {speed: {type: performance, target: main, watch: inference.sorter, …}}

    Right:

        inference: {sorter: {target: plant, …}}
        monitors: {speed: {type: performance, target: plant, watch: inference.sorter, …}}
    """
    return Diagnostic(
        "E0524",
        Severity.ERROR,
        f"monitor {quote(monitor)} on target {quote(placement)} cannot read the metrics of {watched}, which is"
        f" on target {quote(other)}",
        span,
        f"set `target: {other}` on the monitor; its alerts still reach the channels",
    )


def other_network(span: Span, workload: str, placement: str, resource: str, address: str, other: str) -> Diagnostic:
    """A workload uses an adopted registry or database at an IP address in the network of another target.

    modelyard creates no connection between the networks of targets, so the workload reaches this address only if you
    connect them, for example through a VPN.

    Wrong:

        targets:
          main: {provider: gcp, region: europe-west3, vpc: {cidr: 10.1.0.0/16}}
          shop: {provider: aws, region: eu-central-1, vpc: {cidr: 10.2.0.0/16}}
        placement: {default: main, inference: shop}
        registry: {adopt: "https://10.2.0.5:8443"}

    Right:

        registry: {adopt: "https://mlflow.acme.example"}
    """
    return Diagnostic(
        "W0527",
        Severity.WARNING,
        f"{quote(workload)} on target {quote(placement)} needs {resource} at {address}, which is in the network of"
        f" target {quote(other)}",
        span,
        "connect the two networks yourself, or use an address that both targets can reach",
    )
