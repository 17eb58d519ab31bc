"""Diagnostics about clusters, networks and machines that Google Cloud cannot provide."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span


def unknown_version(span: Span, version: str, known: Iterable[str]) -> Diagnostic:
    """GKE offers each Kubernetes minor version for about two years, and creates no clusters with other versions.

    Wrong:

        deployment: {mode: cloud, provider: gcp, region: europe-west3, version: "1.21"}

    Right:

        deployment: {mode: cloud, provider: gcp, region: europe-west3, version: "1.36"}
    """
    names = tuple(known)
    offered = " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return Diagnostic(
        "GCP-E001",
        Severity.ERROR,
        f"modelyard cannot create a GKE cluster with Kubernetes {quote(version)}, only with {offered}",
        span,
        nearest(version, names, "did you mean {}?") or f"set `version: '{names[0]}'`, or omit it",
    )


def region_refused(span: Span, region: str, hint: str) -> Diagnostic:
    """Google Cloud has no region with this name. A zone such as `europe-west3-a` is not a region.

    Wrong:

        deployment: {mode: cloud, provider: gcp, region: europe-west3-a}

    Right:

        deployment: {mode: cloud, provider: gcp, region: europe-west3}
    """
    return Diagnostic("GCP-E002", Severity.ERROR, f"Google Cloud has no region called {quote(region)}", span, hint)


def range_does_not_fit(span: Span, cidr: str, why: str, hint: str) -> Diagnostic:
    """Half of a network's range is for Pods, a quarter for nodes, and an eighth for Services.

    The range must be a private IPv4 range between /8 and /20 and start at a multiple of its size. Every node uses
    128 of the Pod addresses, so 256 nodes fit into /16, and 16 into /20. An adopted subnet's range must be IPv4.

    Wrong:

        vpc: {cidr: 10.20.0.0/26}

    Right:

        vpc: {cidr: 10.20.0.0/18}
    """
    return Diagnostic(
        "GCP-E003",
        Severity.ERROR,
        f"the network cannot use range {quote(cidr)}: {why}",
        span,
        hint,
    )


def too_few_addresses(span: Span, cidr: str, nodes: int, room: int, instead: str) -> Diagnostic:
    """Every node uses 128 addresses for its Pods, and a network's Pod range cannot be changed later.

    The number of nodes includes all compute classes at their maximum size and the system pool.

    Wrong:

        vpc: {cidr: 10.20.0.0/20}
        inference: {scorer: {replicas: {min: 2, max: 60}, compute: {cpu: 7, memory: 28Gi}, …}}

    Right:

        vpc: {cidr: 10.20.0.0/16}
        inference: {scorer: {replicas: {min: 2, max: 60}, compute: {cpu: 7, memory: 28Gi}, …}}
    """
    return Diagnostic(
        "GCP-E004",
        Severity.ERROR,
        f"the cluster may grow to {nodes} nodes, but range {quote(cidr)} has Pod addresses for only {room}",
        span,
        f"use a range of {instead} or larger, or fewer replicas and workers",
    )


def images_out_of_reach(span: Span, placement: str) -> Diagnostic:
    """Without Cloud NAT, the network has no route to the internet, where add-on images are published.

    Artifact Registry is reachable without NAT, so a repository there can contain copies of all these images.

    Wrong:

        vpc: {nat: none}

    Right:

        vpc: {nat: none}
        images: {registry: europe-west3-docker.pkg.dev/acme-ml/mirror, mirror: true}
    """
    return Diagnostic(
        "GCP-E008",
        Severity.ERROR,
        f"nodes of target {quote(placement)} cannot pull images: there is no route to the internet and no mirror",
        span,
        "set `images: {registry: …, mirror: true}`, or `nat: one`",
    )


def budget_in_dollars(span: Span, currency: str) -> Diagnostic:
    """Google Cloud prices are in US dollars, and modelyard does not convert currencies.

    A Google Cloud budget must be in its billing account's currency, so an account in another currency rejects it.

    Wrong:

        governance: {budget: {monthly: 18000 EUR}}

    Right:

        governance: {budget: {monthly: 19500 USD}}
    """
    return Diagnostic(
        "GCP-E010",
        Severity.ERROR,
        f"budgets on Google Cloud must be in USD, but this one is in {currency}",
        span,
        "state the budget in USD",
    )


def labels_become_one(span: Span, label: str, other: str, key: str) -> Diagnostic:
    """The spec's labels are set on every resource for cost allocation.

    A Google Cloud label may have up to 63 lowercase letters, digits, hyphens and underscores. Other characters become
    hyphens, so two of the spec's labels can become the same.

    Wrong:

        metadata: {name: fraud, labels: {cost.centre: "4711", cost/centre: "4711"}}

    Right:

        metadata: {name: fraud, labels: {cost-centre: "4711"}}
    """
    return Diagnostic(
        "GCP-E011",
        Severity.ERROR,
        f"labels {quote(other)} and {quote(label)} would both become {quote(key)} on Google Cloud",
        span,
        "rename or remove one of them",
    )


def disk_beyond_volumes(span: Span, compute: str, needed: str) -> Diagnostic:
    """A machine would need a larger disk than Google Cloud offers: balanced disks have at most 64 TiB.

    A machine's boot disk must fit the images and the `disk` of each Pod that fits on the machine.

    Wrong:

        compute: {train: {cpu: 4, memory: 16Gi, disk: 100Ti}}

    Right:

        compute: {train: {cpu: 4, memory: 16Gi, disk: 1Ti}}
    """
    return Diagnostic(
        "GCP-E017",
        Severity.ERROR,
        f"a machine for compute class {quote(compute)} would need a disk of {needed},"
        " but Google Cloud allows only 64Ti (65536Gi)",
        span,
        "check the unit, or request a smaller disk",
    )
