"""Diagnostics about clusters, networks and machines that Azure cannot provide."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span


def unknown_version(span: Span, version: str, known: Iterable[str]) -> Diagnostic:
    """AKS offers a minor version of Kubernetes for about a year; others cannot be created.

    Wrong:

        deployment: {mode: cloud, provider: azure, region: westeurope, version: "1.21"}

    Right:

        deployment: {mode: cloud, provider: azure, region: westeurope, version: "1.36"}
    """
    names = tuple(known)
    offered = " or ".join(filter(None, (", ".join(names[:-1]), names[-1])))
    return Diagnostic(
        "AZURE-E001",
        Severity.ERROR,
        f"modelyard creates AKS clusters with Kubernetes {offered}, not {quote(version)}",
        span,
        nearest(version, names, "did you mean {}?") or f"write version: '{names[0]}', or leave it out",
    )


def region_refused(span: Span, region: str, hint: str) -> Diagnostic:
    """Azure has no region of this name, or none whose prices modelyard knows.

    Names of regions have no hyphens and no spaces: `westeurope` for West Europe.

    Wrong:

        deployment: {mode: cloud, provider: azure, region: europe-west3}

    Right:

        deployment: {mode: cloud, provider: azure, region: germanywestcentral}
    """
    return Diagnostic("AZURE-E002", Severity.ERROR, f"modelyard knows no Azure region {quote(region)}", span, hint)


def range_does_not_fit(span: Span, cidr: str, why: str, hint: str) -> Diagnostic:
    """Half of a network's range is for Pods, a quarter for nodes, and the rest for endpoints, the API and Services.

    It must be a private IPv4 range between /10 and /20 and start at a multiple of its size. Every node takes 256
    addresses of the half for Pods: 128 nodes fit into /16, and 8 into /20. The range of an adopted network has to be
    IPv4, and outside of 100.64.0.0/10, where its Pods and Services get theirs.

    Wrong:

        vpc: {cidr: 10.20.0.0/26}

    Right:

        vpc: {cidr: 10.20.0.0/18}
    """
    return Diagnostic("AZURE-E003", Severity.ERROR, f"the network cannot use range {quote(cidr)}: {why}", span, hint)


def too_few_addresses(span: Span, cidr: str, nodes: int, room: int, instead: str) -> Diagnostic:
    """Every node takes 256 addresses for its Pods, and the range of a network's Pods cannot be changed later.

    The number of nodes is that of all compute classes at their largest, of the system pool, and of AKS' own pool.

    Wrong:

        vpc: {cidr: 10.20.0.0/20}
        inference: {scorer: {replicas: {min: 2, max: 60}, compute: {cpu: 7, memory: 28Gi}, …}}

    Right:

        vpc: {cidr: 10.20.0.0/16}
        inference: {scorer: {replicas: {min: 2, max: 60}, compute: {cpu: 7, memory: 28Gi}, …}}
    """
    return Diagnostic(
        "AZURE-E004",
        Severity.ERROR,
        f"the cluster may grow to {nodes} nodes, and range {quote(cidr)} has addresses for the Pods of {room}",
        span,
        f"use a range of {instead} or larger, or fewer replicas and workers",
    )


def no_way_out(span: Span) -> Diagnostic:
    """Nodes of AKS call Microsoft's servers, and Pods call Entra ID, neither of which has a private endpoint.

    To let traffic out through a firewall of your own, adopt a network with a route to it.

    Wrong:

        vpc: {nat: none}

    Right:

        vpc: {nat: one}
    """
    return Diagnostic(
        "AZURE-E008",
        Severity.ERROR,
        "a cluster of Azure cannot do without a way out to the internet: its nodes and Pods call Microsoft's servers",
        span,
        "write nat: one, or adopt a network with outbound: routes",
    )


def budget_in_dollars(span: Span, currency: str) -> Diagnostic:
    """Prices are compared in US dollars, and modelyard does not convert currencies.

    A budget of Azure is in the currency of its subscription: in another one, Azure takes the number as it stands.

    Wrong:

        governance: {budget: {monthly: 18000 EUR}}

    Right:

        governance: {budget: {monthly: 19500 USD}}
    """
    return Diagnostic(
        "AZURE-E010",
        Severity.ERROR,
        f"on Azure, modelyard compares budgets with prices in USD, and this one is in {currency}",
        span,
        "write the budget in USD",
    )


def labels_become_one(span: Span, label: str, other: str, key: str) -> Diagnostic:
    """Labels of the spec become tags on every resource, for cost allocation.

    Names of tags are compared without case, and characters other than letters, digits, dots, hyphens and underscores
    become hyphens, so two labels of the spec can become the same.

    Wrong:

        metadata: {name: fraud, labels: {cost-centre: "4711", cost/centre: "4711"}}

    Right:

        metadata: {name: fraud, labels: {cost-centre: "4711"}}
    """
    return Diagnostic(
        "AZURE-E011",
        Severity.ERROR,
        f"labels {quote(other)} and {quote(label)} would both be the tag {quote(key)} on Azure",
        span,
        "rename or remove one of them",
    )


def too_many_tags(span: Span, count: int, limit: int) -> Diagnostic:
    """Labels of the spec become tags on every resource, of which private DNS zones have fifteen at most.

    Four are modelyard's own: system, environment, target and owner.

    Wrong:

        metadata: {name: fraud, labels: {a: "1", b: "2", and ten more: "…"}}

    Right:

        metadata: {name: fraud, labels: {a: "1", b: "2"}}
    """
    return Diagnostic(
        "AZURE-E006",
        Severity.ERROR,
        f"the system has {count} labels, and resources of Azure can have {limit} as tags beside modelyard's own",
        span,
        "remove some of them",
    )


def disk_too_large(span: Span, compute: str, needed: str) -> Diagnostic:
    """A machine would need a larger disk than AKS gives to a node: 2 TiB.

    The disk of a machine holds the images and the `disk` of each Pod that fits on it.

    Wrong:

        compute: {train: {cpu: 4, memory: 16Gi, disk: 10Ti}}

    Right:

        compute: {train: {cpu: 4, memory: 16Gi, disk: 1Ti}}
    """
    return Diagnostic(
        "AZURE-E017",
        Severity.ERROR,
        f"a machine of compute class {quote(compute)} would need a disk of {needed},"
        " and the largest of an AKS node has 2Ti (2048Gi)",
        span,
        "check the unit, or request a smaller disk",
    )


def group_shared(span: Span, placement: str, other: str, group: str) -> Diagnostic:
    """Each target has a resource group of its own: names of private DNS zones and roles would be the same in one.

    Wrong:

        targets:
          eu: {provider: azure, region: westeurope, resourceGroup: rg-ml}
          us: {provider: azure, region: eastus, resourceGroup: rg-ml}

    Right:

        targets:
          eu: {provider: azure, region: westeurope, resourceGroup: rg-ml-eu}
          us: {provider: azure, region: eastus, resourceGroup: rg-ml-us}
    """
    return Diagnostic(
        "AZURE-E019",
        Severity.ERROR,
        f"targets {quote(other)} and {quote(placement)} are in one resource group, {quote(group)}",
        span,
        "give each target a resource group of its own, or leave resourceGroup out",
    )
