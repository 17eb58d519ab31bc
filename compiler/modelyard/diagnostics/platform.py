"""Diagnostics about clusters: add-ons, Prometheus, Gateways, labels, Secrets and alerts."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def shared_without_addon(span: Span, placement: str, addon: str, reason: str) -> Diagnostic:
    """A tenant of a shared cluster does not install operators and CRDs, which serve the whole cluster.

    The owner of the cluster installs them once, and the target lists them as present.

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
    """PriorityClasses belong to the whole cluster, so a tenant of a shared cluster creates none.

    The owner of the cluster creates them, and the target names them. `low` has to be below the priority of Pods without
    a class, and `lowest` below that.

    Wrong:

        tenancy: shared

    Right:

        tenancy: shared
        priorityClasses: {low: batch, lowest: scavenger}
    """
    return Diagnostic(
        "E0991",
        Severity.ERROR,
        f"target {quote(placement)} is shared and names no PriorityClass for priority {quote(priority)}",
        span,
        f"ask the owner of the cluster for a PriorityClass and name it under `priorityClasses.{priority}`",
    )


def priority_class_does_not_yield(span: Span, priority: str, name: str, reason: str) -> Diagnostic:
    """A PriorityClass is named for workloads that yield, but cannot make them yield.

    Kubernetes reserves names that begin with `system-` for its own classes, which are above all others.

    Wrong:

        priorityClasses: {low: batch, lowest: batch}

    Right:

        priorityClasses: {low: batch, lowest: scavenger}
    """
    return Diagnostic(
        "E0996",
        Severity.ERROR,
        f"PriorityClass {quote(name)} cannot be priority {quote(priority)}: {reason}",
        span,
        "name a class below the priority of Pods without one, and for `lowest` one below that of `low`",
    )


def prometheus_is_theirs(span: Span, placement: str, field: str) -> Diagnostic:
    """A Prometheus that is present belongs to the owner of the cluster, who configures where it sends metrics.

    Wrong:

        present: [prometheus]
        telemetry: {remoteWrite: "https://metrics.acme.example/api/v1/push"}

    Right:

        present: [prometheus]
    """
    return Diagnostic(
        "E0629",
        Severity.ERROR,
        f"the Prometheus of target {quote(placement)} already exists, so {field} cannot be set here",
        span,
        f"remove {field} and set it in that Prometheus; or leave prometheus out of present",
    )


def prometheus_is_ours(span: Span, placement: str) -> Diagnostic:
    """An address of Prometheus means that it already runs. Without `present`, another one would be installed.

    Wrong:

        telemetry: {prometheus: "http://prometheus.observability:9090"}

    Right:

        present: [prometheus]
        telemetry: {prometheus: "http://prometheus.observability:9090"}
    """
    return Diagnostic(
        "E0630",
        Severity.ERROR,
        f"target {quote(placement)} has the address of a Prometheus, but does not list it as present",
        span,
        "add prometheus to `present`, or remove its address",
    )


def public_without_certificate(span: Span, endpoint: str, placement: str, class_name: str) -> Diagnostic:
    """A public Gateway that modelyard creates carries tokens and personal data, so it must use TLS.

    The certificate is a secret with the keys `tls.crt` and `tls.key`. On AWS the class is `envoy`, whose controller is
    installed as well.

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
        f"add gateway: {{class: {class_name}, certificate: secret://…}} to the target, or name an existing Gateway",
    )


def token_in_clear(span: Span, endpoint: str, gateway: str, instead: str) -> Diagnostic:
    """In a regulated industry, callers' tokens are encrypted on the company's own network, too.

    modelyard cannot tell whether an existing Gateway does so. The Gateway that KubeRay creates for
    `rollout: {strategy: incremental}` has no TLS, whatever certificate the target has.

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
        f"callers of {quote(endpoint)} send their token in clear text: {gateway}",
        span,
        instead,
    )


def reserved_label(span: Span, label: str) -> Diagnostic:
    """Labels with these prefixes identify what an object is part of; selectors and dashboards rely on them.

    Wrong:

        metadata: {name: fraud, labels: {app.kubernetes.io/name: fraud}}

    Right:

        metadata: {name: fraud, labels: {domain: payments}}
    """
    return Diagnostic(
        "E0632",
        Severity.ERROR,
        f"the label {quote(label)} is already set on every object, with another meaning",
        span,
        "choose a name without the prefixes app.kubernetes.io/, modelyard.dev/ and kubernetes.io/",
    )


def secrets_meet(span: Span, first: str, second: str, name: str) -> Diagnostic:
    """The name of a Kubernetes Secret is a DNS name: slashes become dots, underscores dashes, capitals lower case.

    Two references that differ only in these would read the same Secret.

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
        f"{quote(first)} and {quote(second)} would both read the Secret {quote(name)}",
        span,
        "rename one of the two in its store",
    )


def generated_secret(span: Span, name: str, owner: str) -> Diagnostic:
    """A reference to a Secret that the program generates would expose its password to other workloads.

    MLflow, Grafana, databases and keys to the stores of other targets have Secrets in the same cluster. The program
    generates them and mounts each where it is needed; a reference would mount it elsewhere as well.

    Wrong:

        auth: {type: bearer-token, token: secret://kubernetes/mlflow-admin#password}

    Right:

        auth: {type: bearer-token, token: secret://kubernetes/scorer#token}
    """
    return Diagnostic(
        "E0685",
        Severity.ERROR,
        f"the Secret {quote(name)} is generated for {owner}: no workload may refer to it",
        span,
        "create a Secret with another name and refer to that",
    )


def nothing_uses(span: Span, placement: str, field: str, reason: str) -> Diagnostic:
    """A setting of a target affects nothing that is placed there.

    Wrong:

        targets: {main: {provider: kubernetes, storageClass: fast-ssd, present: [prometheus]}}   # and no database

    Right:

        targets: {main: {provider: kubernetes, present: [prometheus]}}
    """
    return Diagnostic(
        "W0634",
        Severity.WARNING,
        f"{field} of target {quote(placement)} has no effect: {reason}",
        span,
        f"remove {field}",
    )


def metrics_cut(span: Span, retention: str, size: str, fitting: str, placement: str, sent_on: bool) -> Diagnostic:
    """Prometheus keeps metrics on a volume of fixed size and deletes the oldest when it is full, whatever retention the
    spec asks for.

    How long that takes is an estimate from the machines and Pods that the spec declares, at one scrape every 30
    seconds. Prometheus's local storage is designed for weeks; use long-term storage for more.

    Wrong:

        governance: {retention: {metrics: 365d}}

    Right:

        governance: {retention: {metrics: 30d}}
        deployment: {targets: {main: {telemetry: {remoteWrite: "https://metrics.acme.example/api/v1/push"}, …}}}
    """
    return Diagnostic(
        "W0635",
        Severity.WARNING,
        f"metrics are not kept for {retention} on target {quote(placement)}: Prometheus has a volume of {size} there, "
        f"which holds about {fitting} of them",
        span,
        "shorten it: telemetry.remoteWrite keeps what is older"
        if sent_on
        else "send them on with telemetry.remoteWrite, or list your own Prometheus that keeps them under present",
    )


def cluster_alerts_without_reader(span: Span, placement: str) -> Diagnostic:
    """Alerts about the cluster itself reach nobody: a full Prometheus disk, a node not ready, an autoscaler down.

    They come with the Prometheus that is installed on the target and go to the owner's on-call channel.

    Wrong:

        governance: {owner: {team: payments, email: payments@acme.example}}

    Right:

        governance: {owner: {team: payments, email: payments@acme.example, oncall: payments-oncall}}
        channels: {payments-oncall: {type: pagerduty, key: secret://vault/pagerduty#payments}}
    """
    return Diagnostic(
        "W0680",
        Severity.WARNING,
        f"alerts about the cluster of target {quote(placement)} reach no channel",
        span,
        "add oncall: CHANNEL to governance.owner",
    )
