"""Diagnostics about governance in name only: E0830 to E0835 and W0839."""

from __future__ import annotations

from collections.abc import Sequence

from modelyard.diagnostics.base import Diagnostic, Severity, quote, shorten
from modelyard.source import Span


def high_risk_without_gate(span: Span, model: str) -> Diagnostic:
    """A high-risk system promotes one of its models without any check.

    Every trained version is promoted, however bad it is.

    Wrong:

        governance: {risk: high, …}
        models: {triage: {task: binary-classification, …}}

    Right:

        governance: {risk: high, …}
        models: {triage: {task: binary-classification, validation: {good: {metric: auc_pr, min: 0.7}}, …}}
    """
    return Diagnostic(
        "E0830",
        Severity.ERROR,
        f"the system is high-risk, but model {quote(model)} has no gate",
        span,
        "add `validation` with at least one metric and a bound",
    )


def gate_without_bounds(span: Span, model: str) -> Diagnostic:
    """The gate of a high-risk system only compares with the champion.

    The first version has no champion to compare with, so it is promoted however bad it is, and later versions only need
    to be better than it.

    Wrong:

        models: {triage: {validation: {better: {metric: auc_pr, versus: champion}}, …}}

    Right:

        models:
          triage:
            validation: {good: {metric: auc_pr, min: 0.7}, better: {metric: auc_pr, versus: champion}}
    """
    return Diagnostic(
        "W0831",
        Severity.WARNING,
        f"the gate of model {quote(model)} has no bound, so the first version always passes",
        span,
        "add a metric with `min` or `max`",
    )


def owner_approves_alone(span: Span, team: str) -> Diagnostic:
    """Only the team that owns a high-risk system approves its promotions.

    Wrong:

        governance:
          owner: {team: claims, …}
          risk: high
          approvals: {promote: {from: [claims]}}

    Right:

        governance:
          owner: {team: claims, …}
          risk: high
          approvals: {promote: {from: [model-risk]}}
    """
    return Diagnostic(
        "E0832",
        Severity.ERROR,
        f"only the owning team, {quote(team)}, approves promotions",
        span,
        "add a group outside the team",
    )


def owner_may_approve_alone(span: Span, team: str) -> Diagnostic:
    """The team that owns the system can approve its promotions on its own.

    Wrong:

        governance:
          owner: {team: claims, …}
          approvals: {promote: {from: [claims, model-risk]}}

    Right:

        governance:
          owner: {team: claims, …}
          approvals: {promote: {from: [claims, model-risk], minimum: 2}}
    """
    return Diagnostic(
        "W0832",
        Severity.WARNING,
        f"the owning team, {quote(team)}, can approve promotions on its own",
        span,
        "add a group outside the team, and raise `minimum` to require both",
    )


def sent_in_clear(span: Span, subject: str, cargo: str) -> Diagnostic:
    """Credentials or personal data leave the cluster over plain HTTP.

    Anyone on the path can read them, and change the response. Names with one or two labels (`minio.storage`) and names
    that end in `.svc` or `.svc.cluster.local` are Services in the cluster and are not reported.

    Wrong:

        stores: {lake: {type: object, adopt: acme, endpoint: "http://s3.acme.example", credentials: secret://vault/lake}}

    Right:

        stores: {lake: {type: object, adopt: acme, endpoint: "https://s3.acme.example", credentials: secret://vault/lake}}
    """
    return Diagnostic(
        "E0833",
        Severity.ERROR,
        f"{subject} receives {cargo} over plain HTTP",
        span,
        "use an https:// address",
    )


def requests_in_clear(span: Span, endpoint: str, target: str, in_steps: bool) -> Diagnostic:
    """Requests containing personal data reach an internal endpoint through a Gateway without a certificate.

    The spec's `governance` section declares a sensitive data class, but anyone between the caller and the Gateway can
    read the requests. The Gateway that KubeRay creates for `rollout: {strategy: incremental}` never has a certificate,
    and depending on its class it may be reachable from outside the cluster, whatever `exposure` says.

    Wrong:

        governance: {dataClasses: [pii], …}
        deployment: {targets: {main: {gateway: {class: envoy}, …}}}
        inference: {scorer: {endpoint: {exposure: internal, host: scores.acme.example}, …}}

    Right:

        governance: {dataClasses: [pii], …}
        deployment: {targets: {main: {gateway: {class: envoy, certificate: secret://vault/tls/scores}, …}}}
        inference: {scorer: {endpoint: {exposure: internal, host: scores.acme.example}, …}}
    """
    return Diagnostic(
        "W0839",
        Severity.WARNING,
        f"requests with personal data reach endpoint {quote(endpoint)} over plain HTTP",
        span,
        "use `rollout: {strategy: blue-green}`, because KubeRay's Gateway for incremental rollouts has no TLS"
        if in_steps
        else f"give the gateway of target {quote(target)} a certificate",
    )


def address_abroad(span: Span, subject: str, region: str, country: str, allowed: Sequence[str]) -> Diagnostic:
    """An address names a cloud region outside the jurisdictions that governance allows.

    The region is taken from the host name, such as `s3.us-east-1.amazonaws.com`.

    Wrong:

        governance: {residency: [eu], …}
        stores: {lake: {type: object, adopt: acme, endpoint: "https://s3.us-east-1.amazonaws.com", …}}

    Right:

        governance: {residency: [eu], …}
        stores: {lake: {type: object, adopt: acme, endpoint: "https://s3.eu-central-1.amazonaws.com", …}}
    """
    return Diagnostic(
        "E0834",
        Severity.ERROR,
        f"{subject} is in {region} ({country}), but governance allows only {', '.join(allowed)}",
        span,
        "use an address in an allowed jurisdiction, or add this one to `governance.residency`",
    )


def safeguard_lifted_at_high_risk(span: Span, override: str, effect: str, reason: str) -> Diagnostic:
    """An override removes a safeguard of a high-risk system in a regulated industry.

    W0835 lists the safeguards. In other systems, removing one is only a warning.

    Wrong:

        profile: {industry: banking}
        governance: {risk: high, …}
        overrides:
          debug:
            object: Deployment/mlflow
            patch: [{op: add, path: /spec/template/spec/hostNetwork, value: true}]
            reason: Easier to debug.

    Right:

        profile: {industry: banking}
        governance: {risk: high, …}
    """
    return Diagnostic("E0835", Severity.ERROR, _lifting(override, effect, reason), span, "remove the operation")


def safeguard_lifted(span: Span, override: str, effect: str, reason: str) -> Diagnostic:
    """An override removes a safeguard that every emitted object has.

    This reports operations that make a container privileged or root, grant it capabilities or the host's namespaces,
    folders or ports, mount a token, remove a security context, change the rules of a NetworkPolicy or role, a
    namespace's Pod Security level or a ServiceAccount's AWS role, or expose a Service outside the cluster. An operation
    on a parent of such a field also counts. The warning repeats the reason for reviewers.

    Wrong:

        overrides:
          debug:
            object: Deployment/mlflow
            patch: [{op: add, path: /spec/template/spec/hostNetwork, value: true}]
            reason: Easier to debug.

    Right:

        overrides:
          migration:
            object: Deployment/mlflow
            patch: [{op: replace, path: /spec/replicas, value: 2}]
            reason: Two replicas during the migration.
    """
    return Diagnostic("W0835", Severity.WARNING, _lifting(override, effect, reason), span)


def _lifting(override: str, effect: str, reason: str) -> str:
    return f"override {quote(override)} removes a safeguard: {effect} (reason: {shorten(reason)})"
