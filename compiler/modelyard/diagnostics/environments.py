"""Diagnostics about two environments of one spec that meet on one cluster or in one bucket: E0517, W0518 and W0519."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span

_MOST_SHOWN = 3


def environments_share_namespace(span: Span, name: str, other: str, namespace: str, context: str) -> Diagnostic:
    """Objects carry no environment in their names: two environments in one namespace overwrite each other.

    The stacks of both own the same objects, so that `pulumi up` of one replaces what the other runs, and
    `pulumi destroy` of one removes it. An environment has a namespace, or a cluster, of its own. Clusters are told
    apart by their kubeconfig context. The base counts only in a spec without environments.

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
        f"environments {quote(other)} and {quote(name)} are both namespace {quote(namespace)} of {_cluster(context)}:"
        " deploying one overwrites the other, and destroying one destroys both",
        span,
        "give one of them a `namespace`, or a `context`, of its own under `deployment`",
    )


def installed_twice(span: Span, name: str, other: str, addons: Sequence[str], context: str) -> Diagnostic:
    """Add-ons serve a whole cluster: two environments that install the same one there fight over it.

    The last to deploy decides on its version and settings, and whoever destroys an environment takes the operator away
    from the other. One environment installs an add-on, and every other one finds it there.

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
        f"environments {quote(other)} and {quote(name)} both install {' and '.join(addons)} on {_cluster(context)}",
        span,
        f"write present: [{', '.join(addons)}] in one of them",
    )


def _cluster(context: str) -> str:
    return f"context {quote(context)}" if context else "whatever cluster kubectl reaches, since neither has a `context`"


def environments_share_folders(span: Span, name: str, other: str, bucket: str, folders: Sequence[str]) -> Diagnostic:
    """Two environments write in the same folders of a bucket that both adopt.

    What one of them promotes, captures or scores, the other serves, judges or overwrites.
    A bucket that is made here is named after its environment, and an adopted one is used as it is.

    Wrong:

        stores: {lake: {type: object, adopt: acme-ml, …}}
        environments: {dev: {…}, prod: {…}}

    Right:

        stores: {lake: {type: object, adopt: acme-ml, …}}
        environments: {dev: {stores: {lake: {adopt: acme-ml-dev}}, …}, prod: {…}}
    """
    shown = ", ".join(quote(one) for one in folders[:_MOST_SHOWN])
    more = f" and {len(folders) - _MOST_SHOWN} more" if len(folders) > _MOST_SHOWN else ""
    return Diagnostic(
        "W0519",
        Severity.WARNING,
        f"environments {quote(other)} and {quote(name)} write to the same folders of bucket {quote(bucket)}: "
        f"{shown}{more}",
        span,
        f"let environment {quote(name)} adopt a bucket of its own",
    )
