"""Diagnostics about environments that share a cluster, project, resource group or bucket.

E0517, E0525, E0526, W0518 and W0519.
"""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span

_MOST_SHOWN = 3


def environments_share_namespace(span: Span, name: str, other: str, namespace: str, context: str) -> Diagnostic:
    """Object names do not include the environment, so two environments in one namespace overwrite each other.

    The stacks of both own the same objects, so `pulumi up` for one replaces the other's workloads, and `pulumi destroy`
    removes them. Each environment needs its own namespace or cluster. Clusters are distinguished by their kubeconfig
    context. The base spec counts as an environment only if the spec declares none.

    Wrong:

        deployment: {mode: on-prem, provider: kubernetes, context: frankfurt, namespace: fraud}
        environments: {dev: {}, prod: {inference: {scorer: {replicas: 4}}}}

    Right:

        deployment: {mode: on-prem, provider: kubernetes, context: frankfurt, namespace: fraud}
        environments: {dev: {deployment: {namespace: fraud-dev}}, prod: {inference: {scorer: {replicas: 4}}}}
    """
    return Diagnostic(
        "E0517",
        Severity.ERROR,
        f"environments {quote(other)} and {quote(name)} both use namespace {quote(namespace)} in {_cluster(context)}:"
        " deploying one overwrites the other, and destroying one destroys both",
        span,
        "give one of them its own `namespace` or `context` under `deployment`",
    )


def environments_share_identities(span: Span, name: str, other: str, namespace: str, account: str) -> Diagnostic:
    """Workloads of two environments would have the same access, because Google Cloud cannot tell them apart.

    It identifies a workload by project, namespace and ServiceAccount. Although each environment has its own cluster,
    one can read and write whatever the other can. Without `namespace`, the namespace's name includes the environment.

    Wrong:

        deployment: {mode: cloud, provider: gcp, region: europe-west3, account: acme-ml, namespace: fraud}
        environments: {staging: {}, prod: {}}

    Right:

        deployment: {mode: cloud, provider: gcp, region: europe-west3, account: acme-ml}
        environments: {staging: {}, prod: {}}
    """
    return Diagnostic(
        "E0525",
        Severity.ERROR,
        f"environments {quote(other)} and {quote(name)} both use namespace {quote(namespace)} in project"
        f" {quote(account)}, so their workloads would have the same access",
        span,
        "omit `namespace`, or give one of them its own `namespace` or `account`",
    )


def environments_share_group(span: Span, name: str, other: str, group: str) -> Diagnostic:
    """An Azure resource group can contain one target of one environment, because private DNS zones have fixed names.

    Without `resourceGroup`, the resource group's name includes the environment.

    Wrong:

        deployment: {mode: cloud, provider: azure, region: westeurope, account: 3f2b…, resourceGroup: rg-ml}
        environments: {staging: {}, prod: {}}

    Right:

        deployment: {mode: cloud, provider: azure, region: westeurope, account: 3f2b…, resourceGroup: rg-ml}
        environments: {staging: {deployment: {resourceGroup: rg-ml-staging}}, prod: {}}
    """
    return Diagnostic(
        "E0526",
        Severity.ERROR,
        f"environments {quote(other)} and {quote(name)} are both in resource group {quote(group)}",
        span,
        "give each environment its own resource group, or omit `resourceGroup`",
    )


def installed_twice(span: Span, name: str, other: str, addons: Sequence[str], context: str) -> Diagnostic:
    """Add-ons serve a whole cluster, so two environments that install the same one there conflict.

    The last one deployed sets the add-on's version and settings, and destroying one environment removes the operator
    that the other needs. Let one environment install the add-on, and list it under `present` in the others.

    Wrong:

        deployment: {mode: on-prem, provider: kubernetes, context: frankfurt}
        environments: {dev: {deployment: {namespace: fraud-dev}}, prod: {}}

    Right:

        deployment: {mode: on-prem, provider: kubernetes, context: frankfurt}
        environments: {dev: {deployment: {namespace: fraud-dev, present: [kuberay, prometheus]}}, prod: {}}
    """
    return Diagnostic(
        "W0518",
        Severity.WARNING,
        f"environments {quote(other)} and {quote(name)} both install {' and '.join(addons)} in {_cluster(context)}",
        span,
        f"add `present: [{', '.join(addons)}]` to one of them",
    )


def _cluster(context: str) -> str:
    return f"context {quote(context)}" if context else "the current kubectl context, because neither sets `context`"


def environments_share_folders(span: Span, name: str, other: str, bucket: str, folders: Sequence[str]) -> Diagnostic:
    """Two environments write to the same folders in a bucket that both adopt.

    One would serve, monitor or overwrite what the other promotes, captures or scores. A bucket that modelyard creates
    is named after its environment, but an adopted bucket is shared.

    Wrong:

        stores: {lake: {type: object, adopt: acme-ml, …}}
        environments: {dev: {…}, prod: {…}}

    Right:

        stores: {lake: {type: object, adopt: acme-ml, …}}
        environments: {dev: {stores: {lake: {adopt: acme-ml-dev}}, …}, prod: {…}}
    """
    listed = ", ".join(quote(folder) for folder in folders[:_MOST_SHOWN])
    more = f" and {len(folders) - _MOST_SHOWN} more" if len(folders) > _MOST_SHOWN else ""
    return Diagnostic(
        "W0519",
        Severity.WARNING,
        f"environments {quote(other)} and {quote(name)} write to the same folders in bucket {quote(bucket)}: "
        f"{listed}{more}",
        span,
        f"let environment {quote(name)} adopt its own bucket",
    )
