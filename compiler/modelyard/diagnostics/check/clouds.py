"""Diagnostics about fields for clouds: E0481 to E0484."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def access_of_private_network(span: Span, target: str) -> Diagnostic:
    """`access` limits who may call a cluster's public API, so it has no effect on a cluster without one.

    Wrong:

        deployment: {mode: cloud, provider: aws, region: eu-central-1, access: [192.0.2.10/32]}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-central-1, network: public, access: [192.0.2.10/32]}
    """
    return Diagnostic(
        "E0481",
        Severity.ERROR,
        f"target {quote(target)} has no public API address, so these ranges have no effect",
        span,
        "add `network: public`, or remove `access`",
    )


def public_without_access(span: Span, target: str) -> Diagnostic:
    """A cluster's public API accepts connections only from listed address ranges.

    Wrong:

        deployment: {mode: cloud, provider: aws, region: eu-central-1, network: public}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-central-1, network: public, access: [192.0.2.10/32]}
    """
    return Diagnostic(
        "E0482",
        Severity.ERROR,
        f"target {quote(target)} has a public API, but does not declare which addresses may call it",
        span,
        "list the ranges of your own networks under `access`, or remove `network: public`",
    )


def ranges_overlap(span: Span, target: str, cidr: str, other: str, other_cidr: str, example: str) -> Diagnostic:
    """The address ranges of two networks overlap, so the networks can never be connected.

    Peering, transit gateways and tunnels need disjoint ranges, and changing a range later replaces the network and
    everything in it.

    Wrong:

        targets: {eu: {provider: aws, region: eu-central-1}, us: {provider: aws, region: us-east-1}}

    Right:

        targets:
          eu: {provider: aws, region: eu-central-1, vpc: {cidr: 10.0.0.0/16}}
          us: {provider: aws, region: us-east-1, vpc: {cidr: 10.1.0.0/16}}
    """
    return Diagnostic(
        "W0483",
        Severity.WARNING,
        f"the networks of targets {quote(other)} ({other_cidr}) and {quote(target)} ({cidr}) overlap, so they can"
        " never be connected",
        span,
        f"choose another range for one of them, such as `{example}`",
    )


def reachable_from_itself(span: Span, target: str) -> Diagnostic:
    """Workloads can always reach their own cluster, so `reachableFrom` lists only other targets.

    Wrong:

        targets: {main: {provider: aws, region: eu-central-1}, stores: {provider: kubernetes, reachableFrom: [stores]}}

    Right:

        targets: {main: {provider: aws, region: eu-central-1}, stores: {provider: kubernetes, reachableFrom: [main]}}
    """
    return Diagnostic(
        "E0484",
        Severity.ERROR,
        f"target {quote(target)} lists itself in `reachableFrom`",
        span,
        "remove it from the list",
    )


def access_of_everybody(span: Span, target: str) -> Diagnostic:
    """The public address of a cluster's API accepts connections from the whole internet.

    An attacker then needs only stolen credentials or an exploit for the API.

    Wrong:

        deployment: {provider: aws, network: public, access: [0.0.0.0/0], …}

    Right:

        deployment: {provider: aws, network: public, access: [198.51.100.0/24], …}
    """
    return Diagnostic(
        "W0862",
        Severity.WARNING,
        f"the API of target {quote(target)} is open to the whole internet",
        span,
        "list the ranges of your offices and deployment systems, or set `network: private`",
    )


def egress_to_everywhere(span: Span, target: str) -> Diagnostic:
    """The system processes personal data, but workloads with external connections may send it to any address.

    A workload can reach addresses outside its cluster only if the spec needs one, such as a store's. Its network policy
    then opens that port to all addresses that `egress` allows. A range that covers everything includes the metadata
    addresses where clouds hand out machine credentials; these are blocked if a target does not set `egress`.

    Wrong:

        governance: {dataClasses: [pii], …}
        deployment: {egress: [0.0.0.0/0], …}

    Right:

        governance: {dataClasses: [pii], …}
        deployment: {egress: [10.20.0.0/16], …}
    """
    return Diagnostic(
        "W0863",
        Severity.WARNING,
        f"`egress` for target {quote(target)} allows every address, but the system processes personal data",
        span,
        "allow only the ranges of your stores and databases",
    )
