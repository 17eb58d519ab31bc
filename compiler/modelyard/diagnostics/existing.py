"""Diagnostics about existing clusters that cloud targets adopt."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def field_of_existing_cluster(span: Span, placement: str, field: str) -> Diagnostic:
    """A cloud target describes machines, tenants or PriorityClasses of its cluster, but modelyard creates the cluster.

    modelyard then also creates the PriorityClasses and the machines that the workloads need, and there are no other
    tenants.

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
    """A target adopts a cluster, but sets something that only the owner can set: its version, network or API address.

    Values of the existing cluster are read from the cloud at every `pulumi up`.

    Wrong:

        main: {provider: aws, region: eu-central-1, cluster: {adopt: platform}, version: '1.36'}

    Right:

        main: {provider: aws, region: eu-central-1, cluster: {adopt: platform}}
    """
    return Diagnostic(
        "E0635",
        Severity.ERROR,
        f"target {quote(placement)} adopts cluster {quote(cluster)}, so only the cluster's owner can set `{field}`",
        span,
        f"remove `{field}`",
    )


def range_of_cluster_needed(span: Span, placement: str, store: str) -> Diagnostic:
    """A managed database is created in an adopted cluster's network, but the spec does not give its range.

    Network policies allow database connections only to this range, and modelyard writes them before Pulumi looks up the
    network.

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
        f"the database for store {quote(store)} is in the network of the adopted cluster, but target {quote(placement)}"
        " does not declare the network's address range",
        span,
        "add `cidr` to `cluster`",
    )


def cluster_adopted_twice(span: Span, placement: str, other: str, cluster: str) -> Diagnostic:
    """Two targets of a system adopt the same cluster, so both would create the same namespace and add-ons.

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


def pools_and_machines(span: Span, placement: str) -> Diagnostic:
    """A target declares the machines of an adopted cluster, but also creates its own node pools there.

    Compute classes then run only on these node pools, so the declared machines would be ignored. Everything else runs
    wherever the scheduler puts it.

    Wrong:

        cluster: {adopt: platform, nodePools: create}
        capacity: [{count: 3, cpu: 16, memory: 64Gi}]

    Right:

        cluster: {adopt: platform, nodePools: create}
    """
    return Diagnostic(
        "E0638",
        Severity.ERROR,
        f"compute classes on target {quote(placement)} run on the node pools that modelyard creates, not on the"
        " declared machines",
        span,
        "remove `capacity`, or remove `nodePools` to run on the declared machines",
    )


def pools_of_a_tenant(span: Span, placement: str, cluster: str) -> Diagnostic:
    """A tenant of a shared cluster may change only its own namespace, but node pools change the whole cluster.

    Wrong:

        cluster: {adopt: platform, nodePools: create}
        tenancy: shared

    Right:

        cluster: {adopt: platform}
        tenancy: shared
    """
    return Diagnostic(
        "E0639",
        Severity.ERROR,
        f"target {quote(placement)} is only a tenant of cluster {quote(cluster)}, so it cannot add node pools",
        span,
        "remove `nodePools` from `cluster`, or `tenancy: shared` if the owner agrees",
    )
