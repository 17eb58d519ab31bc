"""Diagnostics about clusters that a target of a cloud adopts."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def field_of_existing_cluster(span: Span, placement: str, field: str) -> Diagnostic:
    """A cloud target describes machines, tenants or PriorityClasses of its cluster, but modelyard creates the cluster.

    It then also creates the machines that the workloads need, and the PriorityClasses, and no other tenant exists.

    Wrong:

        main: {provider: aws, region: …, capacity: [{count: 3, cpu: 16, memory: 64Gi}]}

    Right:

        main: {provider: aws, region: …, cluster: {adopt: platform}, capacity: [{count: 3, cpu: 16, memory: 64Gi}]}
    """
    return Diagnostic(
        "E0634",
        Severity.ERROR,
        f"`{field}` describes an existing cluster, but modelyard creates the cluster of target {quote(placement)}",
        span,
        f"remove `{field}`, or run on an existing cluster with `cluster: {{adopt: NAME}}`",
    )


def field_of_created_cluster(span: Span, placement: str, field: str, cluster: str) -> Diagnostic:
    """A target adopts a cluster and sets something that only its owner can decide: its version, network or API address.

    Values of the existing cluster are read from the cloud at every `pulumi up`.

    Wrong:

        main: {provider: aws, region: eu-central-1, cluster: {adopt: platform}, version: '1.36'}

    Right:

        main: {provider: aws, region: eu-central-1, cluster: {adopt: platform}}
    """
    return Diagnostic(
        "E0635",
        Severity.ERROR,
        f"target {quote(placement)} adopts the cluster {quote(cluster)}, whose owner decides about `{field}`",
        span,
        f"remove `{field}`",
    )


def range_of_cluster_needed(span: Span, placement: str, store: str) -> Diagnostic:
    """A managed database gets an address in the network of an adopted cluster, whose range the spec does not have.

    Network policies allow connections to databases in this range only, and they are written before the network is
    looked up.

    Wrong:

        cluster: {adopt: platform}
        stores: {tables: {type: database, size: 20Gi}}

    Right:

        cluster: {adopt: platform, cidr: 10.20.0.0/16}
        stores: {tables: {type: database, size: 20Gi}}
    """
    return Diagnostic(
        "E0636",
        Severity.ERROR,
        f"the database of store {quote(store)} is in the network of the cluster that target {quote(placement)} adopts, "
        "whose address range is missing",
        span,
        "add `cidr` to `cluster`",
    )


def cluster_adopted_twice(span: Span, placement: str, other: str, cluster: str) -> Diagnostic:
    """Two targets of a system adopt the same cluster, where both would create the same namespace and add-ons.

    Wrong:

        targets:
          train: {provider: aws, region: eu-central-1, cluster: {adopt: platform}}
          serve: {provider: aws, region: eu-central-1, cluster: {adopt: platform}}

    Right:

        targets:
          main: {provider: aws, region: eu-central-1, cluster: {adopt: platform}}
    """
    return Diagnostic(
        "E0637",
        Severity.ERROR,
        f"targets {quote(other)} and {quote(placement)} adopt the same cluster, {quote(cluster)}",
        span,
        f"remove {quote(placement)}, and place its workloads on {quote(other)}",
    )
