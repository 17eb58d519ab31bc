"""Diagnostics about stores on their targets: endpoints, credentials, locks, backups and who reaches them."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


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
