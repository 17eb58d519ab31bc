"""Diagnostics about plans that AWS cannot implement."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span


def unknown_version(span: Span, version: str, known: Iterable[str]) -> Diagnostic:
    """EKS add-on versions depend on the Kubernetes version, and modelyard pins them for only a few Kubernetes versions.

    Wrong:

        deployment: {mode: cloud, provider: aws, region: eu-central-1, version: "1.21"}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-central-1, version: "1.36"}
    """
    names = tuple(known)
    return Diagnostic(
        "AWS-E001",
        Severity.ERROR,
        f"modelyard has no add-on versions for Kubernetes {quote(version)} on EKS, only for {' and '.join(names)}",
        span,
        nearest(version, names, "did you mean {}?") or f"set `version: '{names[0]}'`, or omit it",
    )


def region_refused(span: Span, region: str, why: str, hint: str) -> Diagnostic:
    """AWS does not have this region, or modelyard cannot deploy this spec to it.

    Wrong:

        deployment: {mode: cloud, provider: aws, region: eu-west-9}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-west-1}
    """
    return Diagnostic("AWS-E015", Severity.ERROR, f"cannot deploy to region {quote(region)}: {why}", span, hint)


def name_too_long(span: Span, what: str, name: str, limit: int) -> Diagnostic:
    """AWS names combine system, environment, target and purpose, and each service limits their length.

    Wrong:

        metadata: {name: card-payment-fraud-detection-platform}
        stores: {registry-of-models-and-experiments: {type: database}}

    Right:

        metadata: {name: card-fraud}
        stores: {registry: {type: database}}
    """
    return Diagnostic(
        "AWS-E002",
        Severity.ERROR,
        f"{what} would be named {name!r}, which has {len(name)} characters; the limit is {limit}",
        span,
        "shorten this name, the target's name or the system's name",
    )


def double_hyphen(span: Span, what: str, name: str) -> Diagnostic:
    """RDS identifiers cannot contain consecutive hyphens.

    Wrong:

        stores: {registry--db: {type: database}}

    Right:

        stores: {registry-db: {type: database}}
    """
    return Diagnostic(
        "AWS-E003",
        Severity.ERROR,
        f"{what} would be named {name!r}, but RDS does not allow consecutive hyphens",
        span,
        "use a single hyphen",
    )


def range_does_not_fit(span: Span, cidr: str, why: str) -> Diagnostic:
    """A network is divided into subnets in three zones, and every Pod uses one of the network's addresses.

    The network's range must be an IPv4 range between /16, the largest that a VPC allows, and /22, and start at a
    multiple of its size.

    Wrong:

        vpc: {cidr: 10.20.0.0/26}

    Right:

        vpc: {cidr: 10.20.0.0/18}
    """
    return Diagnostic(
        "AWS-E004",
        Severity.ERROR,
        f"the network cannot use range {quote(cidr)}: {why}",
        span,
        "use an IPv4 range from /16 to /22, such as 10.20.0.0/16",
    )


def images_out_of_reach(span: Span, placement: str) -> Diagnostic:
    """Without NAT, the network has no route to the internet, where add-on images are published.

    A private registry that the network can reach must contain copies of all these images.

    Wrong:

        vpc: {nat: none}

    Right:

        vpc: {nat: none}
        images: {registry: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/mirror, mirror: true}
    """
    return Diagnostic(
        "AWS-E008",
        Severity.ERROR,
        f"nodes of target {quote(placement)} cannot pull images: there is no route to the internet and no mirror",
        span,
        "set `images: {registry: …, mirror: true}`, or `nat: one`",
    )


def budget_in_dollars(span: Span, currency: str) -> Diagnostic:
    """AWS prices and budgets are in US dollars, and modelyard does not convert currencies.

    Wrong:

        governance: {budget: {monthly: 18000 EUR}}

    Right:

        governance: {budget: {monthly: 19500 USD}}
    """
    return Diagnostic(
        "AWS-E010",
        Severity.ERROR,
        f"budgets on AWS must be in USD, but this one is in {currency}",
        span,
        "state the budget in USD",
    )


def not_a_tag(span: Span, label: str, why: str) -> Diagnostic:
    """Labels become tags on every AWS resource, for cost allocation.

    AWS allows keys of up to 128 characters and fifty tags per resource, some of which modelyard uses itself.

    Wrong:

        metadata: {name: fraud, labels: {the-longest-of-prefixes.cost-centres.finance.acme.example/…: "4711"}}

    Right:

        metadata: {name: fraud, labels: {cost-centre: "4711"}}
    """
    return Diagnostic(
        "AWS-E011", Severity.ERROR, f"label {quote(label)} cannot be an AWS tag: {why}", span, "shorten it or remove it"
    )


def beyond_quota(span: Span, what: str, count: int, quota: int) -> Diagnostic:
    """The system may exceed an EKS quota, and AWS raises such quotas only on request.

    Each compute class becomes a node pool, including inline classes of endpoints and steps. Sharing named classes
    between workloads keeps the number of pools low.

    Wrong:

        inference: {a: {compute: {cpu: 1, memory: 2Gi}, …}, b: {compute: {cpu: 1, memory: 2Gi}, …}, …}

    Right:

        compute: {small: {cpu: 1, memory: 2Gi}}
        inference: {a: {compute: small, …}, b: {compute: small, …}, …}
    """
    return Diagnostic(
        "AWS-W013",
        Severity.WARNING,
        f"{what} {count}, but the account's quota is {quota} unless AWS has raised it",
        span,
        "share compute classes between workloads, or request a higher quota",
    )


def too_many_folders(span: Span, workload: str, count: int, whose: str) -> Diagnostic:
    """A role's or user's policy lists each folder that its workload accesses, and IAM limits the size of policies.

    A pool's server reads the folder of each of its models, and each pool has its own identity.

    Wrong:

        inference: {a: {pool: all, …}, b: {pool: all, …}, and a hundred more: {pool: all, …}}

    Right:

        inference: {a: {pool: first, …}, b: {pool: second, …}, …}
    """
    return Diagnostic(
        "AWS-E016",
        Severity.ERROR,
        f"{quote(workload)} accesses {count} bucket folders, more than the policies of {whose} can list",
        span,
        "split the workload or its pool, or put its datasets under fewer prefixes",
    )


def public_without_way_out(span: Span, endpoint: str, placement: str) -> Diagnostic:
    """With `nat: none`, a network has only private subnets, which do not support internet-facing load balancers.

    Wrong:

        vpc: {nat: none}
        inference: {scorer: {endpoint: {exposure: public, …}}}

    Right:

        vpc: {nat: one}
        inference: {scorer: {endpoint: {exposure: public, …}}}
    """
    return Diagnostic(
        "AWS-E017",
        Severity.ERROR,
        f"endpoint {quote(endpoint)} is public, but the network of target {quote(placement)} has no public subnet",
        span,
        "set `exposure: internal`, or `vpc: {nat: one}`",
    )
