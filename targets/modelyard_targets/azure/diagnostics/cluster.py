"""Diagnostics about clusters, networks and machines that Azure cannot provide."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span


def unknown_version(span: Span, version: str, known: Iterable[str]) -> Diagnostic:
    """AKS offers each Kubernetes minor version for about a year, and creates no clusters with other versions.

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
        f"modelyard cannot create an AKS cluster with Kubernetes {quote(version)}, only with {offered}",
        span,
        nearest(version, names, "did you mean {}?") or f"set `version: '{names[0]}'`, or omit it",
    )


def region_refused(span: Span, region: str, hint: str) -> Diagnostic:
    """Azure has no region with this name, or modelyard has no prices for it.

    Region names have no hyphens or spaces: West Europe is `westeurope`.

    Wrong:

        deployment: {mode: cloud, provider: azure, region: europe-west3}

    Right:

        deployment: {mode: cloud, provider: azure, region: germanywestcentral}
    """
    return Diagnostic(
        "AZURE-E002", Severity.ERROR, f"modelyard does not know an Azure region called {quote(region)}", span, hint
    )


def range_does_not_fit(span: Span, cidr: str, why: str, hint: str) -> Diagnostic:
    """Half of a network's range is for Pods, a quarter for nodes, and the rest for endpoints, the API and Services.

    The range must be a private IPv4 range between /10 and /20 and start at a multiple of its size. Every node uses
    256 of the Pod addresses, so 128 nodes fit into /16, and 8 into /20. An adopted network's range must be IPv4 and
    must not overlap 100.64.0.0/10, which its Pods and Services use.

    Wrong:

        vpc: {cidr: 10.20.0.0/26}

    Right:

        vpc: {cidr: 10.20.0.0/18}
    """
    return Diagnostic("AZURE-E003", Severity.ERROR, f"the network cannot use range {quote(cidr)}: {why}", span, hint)


def too_few_addresses(span: Span, cidr: str, nodes: int, room: int, instead: str) -> Diagnostic:
    """Every node uses 256 addresses for its Pods, and a network's Pod range cannot be changed later.

    The number of nodes includes all compute classes at their maximum size, the system pool and AKS' own pool.

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
        f"the cluster may grow to {nodes} nodes, but range {quote(cidr)} has Pod addresses for only {room}",
        span,
        f"use a range of {instead} or larger, or fewer replicas and workers",
    )


def no_way_out(span: Span) -> Diagnostic:
    """AKS nodes call Microsoft's servers and Pods call Entra ID, and neither service has a private endpoint.

    To use your own firewall instead of a NAT gateway, adopt a network with a route to the firewall.

    Wrong:

        vpc: {nat: none}

    Right:

        vpc: {nat: one}
    """
    return Diagnostic(
        "AZURE-E008",
        Severity.ERROR,
        "an AKS cluster needs internet access, because its nodes and Pods call Microsoft's servers",
        span,
        "set `nat: one`, or adopt a network with `outbound: routes`",
    )


def budget_in_dollars(span: Span, currency: str) -> Diagnostic:
    """modelyard's Azure prices are in US dollars, and it does not convert currencies.

    An Azure budget is always in its subscription's currency, and the amount is not converted.

    Wrong:

        governance: {budget: {monthly: 18000 EUR}}

    Right:

        governance: {budget: {monthly: 19500 USD}}
    """
    return Diagnostic(
        "AZURE-E010",
        Severity.ERROR,
        f"budgets on Azure must be in USD, but this one is in {currency}",
        span,
        "state the budget in USD",
    )


def labels_become_one(span: Span, label: str, other: str, key: str) -> Diagnostic:
    """The spec's labels become tags on every resource for cost allocation.

    Azure ignores the case of tag names, and characters other than letters, digits, dots, hyphens and underscores become
    hyphens, so two of the spec's labels can become the same tag.

    Wrong:

        metadata: {name: fraud, labels: {cost-centre: "4711", cost/centre: "4711"}}

    Right:

        metadata: {name: fraud, labels: {cost-centre: "4711"}}
    """
    return Diagnostic(
        "AZURE-E011",
        Severity.ERROR,
        f"labels {quote(other)} and {quote(label)} would both become the tag {quote(key)} on Azure",
        span,
        "rename or remove one of them",
    )


def too_many_tags(span: Span, count: int, limit: int) -> Diagnostic:
    """The spec's labels become tags on every resource, and a private DNS zone can have at most fifteen tags.

    modelyard sets four tags itself: system, environment, target and owner.

    Wrong:

        metadata: {name: fraud, labels: {a: "1", b: "2", and ten more: "…"}}

    Right:

        metadata: {name: fraud, labels: {a: "1", b: "2"}}
    """
    return Diagnostic(
        "AZURE-E006",
        Severity.ERROR,
        f"the system has {count} labels, but Azure resources can have only {limit} tags in addition to modelyard's own",
        span,
        "remove some labels",
    )


def disk_too_large(span: Span, compute: str, needed: str) -> Diagnostic:
    """A machine would need a larger disk than AKS supports: nodes have at most 2 TiB.

    A machine's disk must fit the images and the `disk` of each Pod that fits on the machine.

    Wrong:

        compute: {train: {cpu: 4, memory: 16Gi, disk: 10Ti}}

    Right:

        compute: {train: {cpu: 4, memory: 16Gi, disk: 1Ti}}
    """
    return Diagnostic(
        "AZURE-E017",
        Severity.ERROR,
        f"a machine for compute class {quote(compute)} would need a disk of {needed}, but AKS allows only 2Ti (2048Gi)",
        span,
        "check the unit, or request a smaller disk",
    )


def group_shared(span: Span, placement: str, other: str, group: str) -> Diagnostic:
    """Each target needs its own resource group, because private DNS zones and the nodes' group have fixed names.

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
        f"targets {quote(other)} and {quote(placement)} are both in resource group {quote(group)}",
        span,
        "give each target its own resource group, or omit `resourceGroup`",
    )


def network_elsewhere(span: Span, field: str, subscription: str, account: str) -> Diagnostic:
    """Azure creates private endpoints only in networks of their own subscription, and they are created in the target's.

    Only the resource group with private DNS zones, `dnsGroup`, may be in a different subscription.

    Wrong:

        account: 3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b
        vpc: {adopt: /subscriptions/7d6c5b4a-3f2e-4d1c-8b9a-0f1e2d3c4b5a/resourceGroups/network/…, …}

    Right:

        account: 3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b
        vpc: {adopt: /subscriptions/3f2b8c1e-5a4d-4e6f-9b7a-1c2d3e4f5a6b/resourceGroups/network/…, …}
    """
    return Diagnostic(
        "AZURE-E021",
        Severity.ERROR,
        f"`{field}` is in subscription {subscription}, but the target is in {account}",
        span,
        "use a network in the target's subscription, or change `account`",
    )


def too_many_pools(span: Span, pools: int, most: int) -> Diagnostic:
    """A cluster has a limited number of node pools, and each compute class gets one or more of its own.

    `compute: {cpu: …, memory: …}` in a workload is a class that only this workload uses, so each row of `forEach` gets
    node pools of its own.

    Wrong:

        pipelines: {"train-${each.name}": {forEach: areas, compute: {cpu: 2, memory: 8Gi}, …}}

    Right:

        compute: {small: {cpu: 2, memory: 8Gi}}
        pipelines: {"train-${each.name}": {forEach: areas, compute: small, …}}
    """
    return Diagnostic(
        "AZURE-E022",
        Severity.ERROR,
        f"the cluster would have {pools} node pools, but AKS allows {most}",
        span,
        "define classes in `compute`, and use the same one for workloads with similar requests",
    )
