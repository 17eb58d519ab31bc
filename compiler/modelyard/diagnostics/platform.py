"""Diagnostics about clusters: add-ons, Prometheus, Gateways, labels, Secrets and alerts."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def shared_without_addon(span: Span, placement: str, addon: str, reason: str) -> Diagnostic:
    """A tenant of a shared cluster must not install operators and CRDs, because they affect the whole cluster.

    The cluster's owner installs them once, and the target lists them under `present`.

    Wrong:

        tenancy: shared

    Right:

        tenancy: shared
        present: [kuberay, prometheus]
    """
    return Diagnostic(
        "E0628",
        Severity.ERROR,
        f"target {quote(placement)} is shared and lacks {addon}, which {reason}",
        span,
        f"ask the cluster's owner to install {addon}, then add it to `present`",
    )


def shared_without_priority_class(span: Span, placement: str, priority: str) -> Diagnostic:
    """PriorityClasses are cluster-wide, so a tenant of a shared cluster must not create them.

    The cluster's owner creates them, and the target names them under `priorityClasses`. The class for `low` must have a
    priority below that of Pods without a class, and the class for `lowest` an even lower one.

    Wrong:

        tenancy: shared

    Right:

        tenancy: shared
        priorityClasses: {low: batch, lowest: scavenger}
    """
    return Diagnostic(
        "E0991",
        Severity.ERROR,
        f"target {quote(placement)} is shared, but does not name a PriorityClass for priority {quote(priority)}",
        span,
        f"ask the cluster's owner for a PriorityClass, and set `priorityClasses.{priority}` to its name",
    )


def priority_class_does_not_yield(span: Span, priority: str, name: str, reason: str) -> Diagnostic:
    """A PriorityClass is set for workloads that should yield, but it cannot make them yield.

    Kubernetes reserves names that begin with `system-` for its own classes, which have the highest priorities.

    Wrong:

        priorityClasses: {low: batch, lowest: batch}

    Right:

        priorityClasses: {low: batch, lowest: scavenger}
    """
    return Diagnostic(
        "E0996",
        Severity.ERROR,
        f"PriorityClass {quote(name)} cannot be used for priority {quote(priority)}: {reason}",
        span,
        "use a class with a lower priority than Pods without a class, and for `lowest` a lower one than for `low`",
    )


def prometheus_is_theirs(span: Span, placement: str, field: str) -> Diagnostic:
    """An existing Prometheus belongs to the cluster's owner, who configures where it sends metrics.

    Wrong:

        present: [prometheus]
        telemetry: {remoteWrite: "https://metrics.acme.example/api/v1/push"}

    Right:

        present: [prometheus]
    """
    return Diagnostic(
        "E0629",
        Severity.ERROR,
        f"target {quote(placement)} uses an existing Prometheus, so `{field}` cannot be set here",
        span,
        f"configure `{field}` in that Prometheus instead, or remove prometheus from `present`",
    )


def prometheus_is_ours(span: Span, placement: str) -> Diagnostic:
    """An address implies that Prometheus already runs, but unless `present` lists it, another one is installed.

    Wrong:

        telemetry: {prometheus: "http://prometheus.observability:9090"}

    Right:

        present: [prometheus]
        telemetry: {prometheus: "http://prometheus.observability:9090"}
    """
    return Diagnostic(
        "E0630",
        Severity.ERROR,
        f"target {quote(placement)} sets an address for Prometheus, but does not list prometheus under `present`",
        span,
        "add prometheus to `present`, or remove the address",
    )


def public_without_certificate(span: Span, endpoint: str, placement: str, class_name: str) -> Diagnostic:
    """A public Gateway that modelyard creates carries tokens and personal data, so it must use TLS.

    The certificate is a secret with the keys `tls.crt` and `tls.key`. On AWS, the class is `envoy`, whose controller is
    also installed.

    Wrong:

        gateway: {class: cilium}
        inference: {scorer: {endpoint: {exposure: public, …}}}

    Right:

        gateway: {class: cilium, certificate: secret://vault/scores-tls}
        inference: {scorer: {endpoint: {exposure: public, …}}}
    """
    return Diagnostic(
        "E0631",
        Severity.ERROR,
        f"endpoint {quote(endpoint)} is public, but the gateway of target {quote(placement)} has no certificate",
        span,
        f"add `gateway: {{class: {class_name}, certificate: secret://…}}` to the target, or name an existing Gateway",
    )


def token_in_clear(span: Span, endpoint: str, gateway: str, instead: str) -> Diagnostic:
    """In a regulated industry, callers' tokens must be encrypted even on the company's own network.

    modelyard cannot check an existing Gateway. The Gateway that KubeRay creates for `rollout: {strategy: incremental}`
    has no TLS, regardless of the target's certificate.

    Wrong:

        profile: {industry: banking}
        gateway: {class: cilium}
        inference: {scorer: {endpoint: {exposure: internal, auth: {type: bearer-token, …}}}}

    Right:

        gateway: {class: cilium, certificate: secret://vault/scores-tls}
    """
    return Diagnostic(
        "W0636",
        Severity.WARNING,
        f"callers of endpoint {quote(endpoint)} send their tokens in clear text: {gateway}",
        span,
        instead,
    )


def reserved_label(span: Span, label: str) -> Diagnostic:
    """Labels with these prefixes identify what an object belongs to, and selectors and dashboards rely on them.

    Wrong:

        metadata: {name: fraud, labels: {app.kubernetes.io/name: fraud}}

    Right:

        metadata: {name: fraud, labels: {domain: payments}}
    """
    return Diagnostic(
        "E0632",
        Severity.ERROR,
        f"label {quote(label)} has a reserved prefix",
        span,
        "choose a name without the prefixes app.kubernetes.io/, modelyard.dev/ or kubernetes.io/",
    )


def secrets_meet(span: Span, first: str, second: str, name: str) -> Diagnostic:
    """Two secret references result in the same Kubernetes Secret.

    A Secret's name must be a DNS name, so slashes become dots, underscores become dashes, and capitals become lower
    case. References that differ only in these characters would read the same Secret.

    Wrong:

        url: secret://vault/team/slack#url
        key: secret://vault/team.slack#key

    Right:

        url: secret://vault/team/slack#url
        key: secret://vault/team/pagerduty#key
    """
    return Diagnostic(
        "E0633",
        Severity.ERROR,
        f"{quote(first)} and {quote(second)} would both read Secret {quote(name)}",
        span,
        "rename one of them in its secret store",
    )


def generated_secret(span: Span, name: str, owner: str) -> Diagnostic:
    """A reference to a Secret that the program generates would expose its password to other workloads.

    The program generates Secrets for MLflow, Grafana, databases and other targets' stores, and mounts each only where
    it is needed. A reference would also mount it elsewhere.

    Wrong:

        auth: {type: bearer-token, token: secret://kubernetes/mlflow-admin#password}

    Right:

        auth: {type: bearer-token, token: secret://kubernetes/scorer#token}
    """
    return Diagnostic(
        "E0685",
        Severity.ERROR,
        f"Secret {quote(name)} is generated for {owner}, so no workload may refer to it",
        span,
        "create a Secret with another name, and refer to that one",
    )


def nothing_uses(span: Span, placement: str, field: str, reason: str) -> Diagnostic:
    """A target's setting has no effect, because nothing on the target uses it.

    Wrong:

        targets: {main: {provider: kubernetes, storageClass: fast-ssd, present: [prometheus]}}   # and no database

    Right:

        targets: {main: {provider: kubernetes, present: [prometheus]}}
    """
    return Diagnostic(
        "W0634",
        Severity.WARNING,
        f"`{field}` has no effect on target {quote(placement)}: {reason}",
        span,
        f"remove `{field}`",
    )


def metrics_cut(span: Span, retention: str, size: str, fitting: str, placement: str, sent_on: bool) -> Diagnostic:
    """Prometheus's volume fills up before `retention` ends, so the oldest metrics are deleted too early.

    The volume has a fixed size. modelyard estimates how long it lasts from the declared machines and Pods, at one
    scrape every 30 seconds. Prometheus's local storage is designed for weeks, so use long-term storage for more.

    Wrong:

        governance: {retention: {metrics: 365d}}

    Right:

        governance: {retention: {metrics: 30d}}
        deployment: {targets: {main: {telemetry: {remoteWrite: "https://metrics.acme.example/api/v1/push"}, …}}}
    """
    return Diagnostic(
        "W0635",
        Severity.WARNING,
        f"target {quote(placement)} cannot keep metrics for {retention}: Prometheus has a volume of {size}, "
        f"which is full after about {fitting}",
        span,
        "shorten the retention, because `telemetry.remoteWrite` already keeps older metrics"
        if sent_on
        else "send metrics elsewhere with `telemetry.remoteWrite`, or list your own Prometheus under `present`",
    )


def cluster_alerts_without_reader(span: Span, placement: str) -> Diagnostic:
    """Alerts about the cluster itself, such as a full Prometheus disk or a node that is not ready, reach no one.

    The Prometheus installed on the target sends them to the owner's on-call channel, but no such channel is set.

    Wrong:

        governance: {owner: {team: payments, email: payments@acme.example}}

    Right:

        governance: {owner: {team: payments, email: payments@acme.example, oncall: payments-oncall}}
        channels: {payments-oncall: {type: pagerduty, key: secret://vault/pagerduty#payments}}
    """
    return Diagnostic(
        "W0680",
        Severity.WARNING,
        f"alerts about the cluster of target {quote(placement)} are not sent to anyone",
        span,
        "add `oncall: CHANNEL` to `governance.owner`",
    )
