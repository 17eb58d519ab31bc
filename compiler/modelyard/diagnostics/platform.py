"""What is told about stores, secrets, add-ons and overrides that a cluster cannot honour: E0620 and on."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span

_ADMISSION_POLICIES: Final = frozenset({"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"})


def override_of_nothing(span: Span, wanted: str, placement: str, known: Iterable[str]) -> Diagnostic:
    """An override names an object that the target does not emit.

    `modelyard explain inference.scorer` lists the objects of an endpoint; so do the emitted manifests.

    Admission policies are emitted and cannot be overridden: they allow what the objects of a workload name after every
    override.

    Wrong:

        overrides: {shm: {object: RayService/scorr, patch: […], reason: larger shared memory}}

    Right:

        overrides: {shm: {object: RayService/scorer, patch: […], reason: larger shared memory}}
    """
    kind, _, name = wanted.partition("/")
    if kind in _ADMISSION_POLICIES:
        return Diagnostic(
            "E0620",
            Severity.ERROR,
            f"the admission policy {quote(name)} cannot be overridden",
            span,
            "override an object of the workload: its policies follow",
        )
    return Diagnostic(
        "E0620",
        Severity.ERROR,
        f"target {quote(placement)} emits no object {quote(wanted)}",
        span,
        nearest(wanted, known, "did you mean {}?"),
    )


def override_fails(span: Span, name: str, op: str, path: str) -> Diagnostic:
    """A JSON Patch is applied whole or not at all: an operation of this one finds nothing to do it to.

    `add` needs the object or list around its path, `replace` and `remove` need the path itself, and `test` needs it to
    hold that value.

    Wrong:

        patch: [{op: replace, path: /spec/rayClusterConfg/rayVersion, value: 2.60.1}]

    Right:

        patch: [{op: replace, path: /spec/rayClusterConfig/rayVersion, value: 2.60.1}]
    """
    return Diagnostic(
        "E0621",
        Severity.ERROR,
        f"override {quote(name)} cannot {op} {quote(path)}: {_FAILURES.get(op, 'there is nothing at that path')}",
        span,
        "look up the path in the emitted manifest",
    )


_FAILURES = {
    "add": "there is no object or list around that path",
    "test": "what is there is something else",
    "copy": "there is nothing to copy, or no place for it",
    "move": "there is nothing to move, or no place for it",
}


def override_renames(span: Span, name: str) -> Diagnostic:
    """An override changes an object and does not make another of it: others refer to it by kind, name and namespace.

    Wrong:

        patch: [{op: replace, path: /metadata/name, value: other}]

    Right:

        moved: {inference.other: inference.scorer}
    """
    return Diagnostic(
        "E0622",
        Severity.ERROR,
        f"override {quote(name)} changes version, kind, name or namespace of its object",
        span,
        "remove that operation",
    )


def override_refused(span: Span, name: str, by: str, problem: str) -> Diagnostic:
    """An override makes an object that the API server refuses.

    It has an unknown field, a value of another type, or lacks a required field.
    Null is refused as well: to leave a field out, remove it.

    A JSON document in a ConfigMap, such as the RayJob of a pipeline, is checked in the same way: it stays, and stays
    JSON that its workload can read.

    Wrong:

        overrides:
          patient:
            object: CronJob/monitor-drift
            patch: [{op: replace, path: /spec/jobTemplate/spec/backoffLimit, value: "three"}]
            reason: The store is slow in the morning.

    Right:

        overrides:
          patient:
            object: CronJob/monitor-drift
            patch: [{op: replace, path: /spec/jobTemplate/spec/backoffLimit, value: 3}]
            reason: The store is slow in the morning.
    """
    return Diagnostic(
        "E0836",
        Severity.ERROR,
        f"override {quote(name)} makes an object that {by} refuses: {problem}",
        span,
    )


def bucket_without_endpoint(span: Span, store: str, placement: str) -> Diagnostic:
    """A cluster has no object storage of its own to make a bucket in.

    A bucket is made on an S3-compatible service, of which the address and the credentials are needed; or one that
    exists is adopted.

    Wrong:

        stores: {lake: {type: object, target: main}}

    Right:

        stores: {lake: {type: object, endpoint: "https://s3.acme.example", credentials: secret://vault/lake}}
    """
    return Diagnostic(
        "E0623",
        Severity.ERROR,
        f"target {quote(placement)} has no object storage to make store {quote(store)} in",
        span,
        "give the endpoint of an S3-compatible service, or adopt a bucket",
    )


def lock_not_here(span: Span, store: str, placement: str) -> Diagnostic:
    """S3 locks objects for everyone; what a service that speaks like S3 makes of Object Lock is not known here.

    Keep the records in a bucket on AWS, or adopt a bucket whose owner has locked it: writers of captures without
    `retain` add objects to it and have no need to delete any.

    Wrong:

        deployment: {mode: on-prem, provider: kubernetes, context: main}
        stores: {audit: {type: object, endpoint: "https://s3.acme.example", credentials: secret://vault/audit,
                         objectLock: {mode: compliance, retain: 7y}}}

    Right:

        stores: {audit: {type: object, adopt: acme-audit, endpoint: "https://s3.acme.example",
                         credentials: secret://vault/audit}}
    """
    return Diagnostic(
        "E0670",
        Severity.ERROR,
        f"target {quote(placement)} cannot lock the objects of store {quote(store)}: its bucket is not one of S3",
        span,
        "adopt a bucket that its owner has locked, or place the store on AWS",
    )


def adopted_is_not_ours(span: Span, store: str, field: str) -> Diagnostic:
    """What is adopted belongs to somebody else; its settings are theirs, and nothing here changes them.

    Wrong:

        stores: {lake: {type: object, adopt: acme-lake, retention: 365d}}

    Right:

        stores: {lake: {type: object, adopt: acme-lake}}
    """
    return Diagnostic(
        "E0624",
        Severity.ERROR,
        f"store {quote(store)} is adopted, so that {field} cannot be set here",
        span,
        f"remove {field}, or let the store be made instead of adopting it",
    )


def credentials_are_made(span: Span, store: str) -> Diagnostic:
    """The operator of a managed database makes its owner and password, which nobody else has to know.

    Wrong:

        stores: {runs: {type: database, credentials: secret://vault/runs}}

    Right:

        stores: {runs: {type: database}}
    """
    return Diagnostic(
        "E0625",
        Severity.ERROR,
        f"database {quote(store)} is made here, and its credentials with it",
        span,
        "remove credentials, or adopt a database by its address",
    )


def credentials_needed(span: Span, store: str, what: str) -> Diagnostic:
    """A service outside of the cluster asks who comes, and a cluster of somebody else's has no identity that it knows.

    Wrong:

        stores: {runs: {type: database, adopt: "db.acme.example/mlflow"}}

    Right:

        stores: {runs: {type: database, adopt: "db.acme.example/mlflow", credentials: secret://vault/runs}}
    """
    return Diagnostic(
        "E0626",
        Severity.ERROR,
        f"store {quote(store)} needs credentials, with which {what}",
        span,
        "name the secret that holds them",
    )


def store_elsewhere(span: Span, store: str, placement: str, reader: str) -> Diagnostic:
    """A database that runs inside of one cluster has no address in another one.

    Wrong:

        registry: {database: runs, …}            # placed on `main`
        stores: {runs: {type: database, target: stores}}

    Right:

        registry: {database: runs, …}
        stores: {runs: {type: database, target: main}}
    """
    return Diagnostic(
        "E0627",
        Severity.ERROR,
        f"the registry on target {quote(reader)} cannot reach database {quote(store)} inside of {quote(placement)}",
        span,
        "place the two together, or adopt a database by an address that both reach",
    )


def shared_without_addon(span: Span, placement: str, addon: str, why: str) -> Diagnostic:
    """A tenant of a shared cluster does not install what serves the whole of it: operators and their definitions.

    Whoever runs the cluster installs them once, and the target says that they are present.

    Wrong:

        tenancy: shared

    Right:

        tenancy: shared
        present: [kuberay, prometheus]
    """
    return Diagnostic(
        "E0628",
        Severity.ERROR,
        f"target {quote(placement)} is shared and has no {addon}, which {why}",
        span,
        f"have {addon} installed by whoever runs the cluster, and add it to present",
    )


def shared_without_priority_class(span: Span, placement: str, priority: str) -> Diagnostic:
    """PriorityClasses belong to the whole cluster, so a tenant of a shared one makes none.

    Whoever runs the cluster makes them, and the target names them. What is `low` has to be below the priority that Pods
    have without a class, and `lowest` below that.

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


def prometheus_is_theirs(span: Span, placement: str, field: str) -> Diagnostic:
    """A Prometheus that is present belongs to whoever runs the cluster; where it sends metrics is set there.

    Wrong:

        present: [prometheus]
        telemetry: {remoteWrite: "https://metrics.acme.example/api/v1/push"}

    Right:

        present: [prometheus]
    """
    return Diagnostic(
        "E0629",
        Severity.ERROR,
        f"the Prometheus of target {quote(placement)} is present already, so that {field} cannot be set here",
        span,
        f"remove {field} and set it in that Prometheus; or leave prometheus out of present",
    )


def prometheus_is_ours(span: Span, placement: str) -> Diagnostic:
    """An address of Prometheus is that of one which runs already. Without `present`, another one would be installed.

    Wrong:

        telemetry: {prometheus: "http://prometheus.observability:9090"}

    Right:

        present: [prometheus]
        telemetry: {prometheus: "http://prometheus.observability:9090"}
    """
    return Diagnostic(
        "E0630",
        Severity.ERROR,
        f"target {quote(placement)} names a Prometheus that runs already, and does not say that it is present",
        span,
        "add prometheus to present, or remove its address",
    )


def public_without_certificate(span: Span, endpoint: str, placement: str, class_name: str) -> Diagnostic:
    """A Gateway that is made here for the public carries tokens and personal data, and has to encrypt them.

    The certificate is a secret with the keys `tls.crt` and `tls.key`. On AWS the class is `envoy`, whose controller is
    installed with it.

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
        f"endpoint {quote(endpoint)} is public, and the gateway of target {quote(placement)} has no certificate",
        span,
        f"write gateway: {{class: {class_name}, certificate: secret://…}} at the target, or name an existing Gateway",
    )


def token_in_clear(span: Span, endpoint: str, gateway: str, instead: str) -> Diagnostic:
    """In a regulated industry, what callers prove themselves with is encrypted on the company's own network, too.

    A Gateway that exists already is not known well enough to say so. The Gateway that KubeRay makes for
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
        f"callers of {quote(endpoint)} show their token in clear: {gateway}",
        span,
        instead,
    )


def reserved_label(span: Span, label: str) -> Diagnostic:
    """Labels with these prefixes say what an object is part of; selectors and dashboards go by them.

    Wrong:

        metadata: {name: fraud, labels: {app.kubernetes.io/name: fraud}}

    Right:

        metadata: {name: fraud, labels: {domain: payments}}
    """
    return Diagnostic(
        "E0632",
        Severity.ERROR,
        f"the label {quote(label)} is one that every object already has with another meaning",
        span,
        "choose a name without the prefixes app.kubernetes.io/, modelyard.dev/ and kubernetes.io/",
    )


def secrets_meet(span: Span, one: str, other: str, name: str) -> Diagnostic:
    """A Secret of Kubernetes is called by a DNS name: slashes become dots, underscores dashes, capitals small letters.

    Two references that differ in nothing else would read the same Secret.

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
        f"{quote(one)} and {quote(other)} would both be the Secret {quote(name)}",
        span,
        "rename one of the two in its store",
    )


def generated_secret(span: Span, name: str, owner: str) -> Diagnostic:
    """A reference to a Secret that the program generates would hand its password to other workloads.

    MLflow, Grafana, databases and keys to the stores of another target have Secrets in the same cluster. The program
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
        "create a Secret of another name and refer to that",
    )


def nothing_uses(span: Span, placement: str, field: str, what: str) -> Diagnostic:
    """Something is said of a target that nothing placed there makes use of.

    Wrong:

        targets: {main: {provider: kubernetes, storageClass: fast-ssd, present: [prometheus]}}   # and no database

    Right:

        targets: {main: {provider: kubernetes, present: [prometheus]}}
    """
    return Diagnostic(
        "W0634",
        Severity.WARNING,
        f"{field} of target {quote(placement)} has no effect: {what}",
        span,
        f"remove {field}",
    )


def metrics_cut(span: Span, kept: str, size: str, fitting: str, placement: str, sent_on: bool) -> Diagnostic:
    """Prometheus keeps metrics on a volume of a fixed size: where they fill it, the oldest go, however long they should
    be kept.

    How long that takes is an estimate, from the machines and Pods that the spec declares, at a scrape every 30 seconds.
    Local volumes of Prometheus are made for weeks. What is kept for longer belongs into a store for the long term.

    Wrong:

        governance: {retention: {metrics: 365d}}

    Right:

        governance: {retention: {metrics: 30d}}
        deployment: {targets: {main: {telemetry: {remoteWrite: "https://metrics.acme.example/api/v1/push"}, …}}}
    """
    return Diagnostic(
        "W0635",
        Severity.WARNING,
        f"metrics are not kept for {kept} on target {quote(placement)}: Prometheus has a volume of {size} there, "
        f"which holds about {fitting} of them",
        span,
        "shorten it: what is older is where telemetry.remoteWrite sends it"
        if sent_on
        else "send them on with telemetry.remoteWrite, or list under present a Prometheus of your own that keeps them",
    )


def database_without_backup(span: Span, store: str) -> Diagnostic:
    """In a system of high risk, a database on a cluster has no backup: with its volumes go the versions of models, who
    approved them and which of them is in use.

    CloudNativePG backs up by its Barman Cloud plugin, which needs an object store of yours and cert-manager, or by
    snapshots of volumes. An override of the Cluster names either; an adopted database is its owner's to back up.

    Wrong:

        governance: {risk: high, …}
        stores: {runs: {type: database}}

    Right:

        governance: {risk: high, …}
        stores: {runs: {type: database}}
        overrides:
          backup:
            object: Cluster/runs
            patch: [{op: add, path: /spec/backup, value: {volumeSnapshot: {className: csi-snapshots}}}]
            reason: The regulator asks for what was in use ten years ago.
    """
    return Diagnostic(
        "W0681",
        Severity.WARNING,
        f"nothing backs up database {quote(store)}, in a system of high risk",
        span,
        "add a backup by an override of its Cluster, or adopt a database that has one",
    )


def cluster_alerts_without_reader(span: Span, placement: str) -> Diagnostic:
    """Alerts of the cluster itself reach nobody: a full disk of Prometheus, a node that is not ready, an autoscaler
    that is down.

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
        f"alerts of the cluster of target {quote(placement)} reach no channel",
        span,
        "add oncall: CHANNEL to governance.owner",
    )
