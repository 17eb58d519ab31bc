"""Diagnostics about stores on their targets: endpoints, credentials, locks, backups and access."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def bucket_without_endpoint(span: Span, store: str, placement: str) -> Diagnostic:
    """An existing Kubernetes cluster has no object storage in which to create a bucket.

    Set the endpoint and credentials of an S3-compatible service, where modelyard then creates the bucket, or adopt an
    existing bucket.

    Wrong:

        stores: {lake: {type: object, target: main}}

    Right:

        stores: {lake: {type: object, endpoint: "https://s3.acme.example", credentials: secret://vault/lake}}
    """
    return Diagnostic(
        "E0623",
        Severity.ERROR,
        f"target {quote(placement)} has no object storage for store {quote(store)}",
        span,
        "set `endpoint` to an S3-compatible service, or adopt a bucket",
    )


def lock_not_here(span: Span, store: str, placement: str) -> Diagnostic:
    """modelyard locks objects only in a cloud's buckets, because S3-compatible services implement it differently.

    Keep the records in a bucket of a cloud, or adopt a bucket that its owner has locked. Captures without `retain` only
    add objects to it and never delete any.

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
        f"target {quote(placement)} cannot lock the objects in store {quote(store)}: its bucket is not in a cloud",
        span,
        "adopt a bucket that its owner has locked, or place the store in a cloud",
    )


def address_not_opened(span: Span, data: str, uri: str, why: str, hint: str) -> Diagnostic:
    """A dataset has an address that its workloads cannot access.

    Workloads can read and write `s3://`, `gs://` and `abfss://` addresses. An `abfss://` address needs an account after
    the container. On a cloud target, workloads have an identity only in that cloud. On your own cluster, they have the
    access that it grants their service accounts. That can be enough for `s3://`, but the others need Pod labels and a
    metadata server, which modelyard does not provide.

    Wrong:

        data: {transactions: {uri: "az://lake/transactions/", format: parquet}}

    Right:

        stores: {lake: {type: object}}
        data: {transactions: {store: lake, path: transactions/, format: parquet}}
    """
    return Diagnostic(
        "E0697", Severity.ERROR, f"dataset {quote(data)} cannot be accessed at {quote(uri)}: {why}", span, hint
    )


def bucket_account(span: Span, store: str, bucket: str, form: str) -> Diagnostic:
    """On Azure, the name of an adopted bucket includes its storage account; elsewhere, it must not.

    A store with an endpoint is on an S3-compatible service, whose buckets have no account.

    Wrong:

        deployment: {mode: cloud, provider: azure, region: westeurope}
        stores: {lake: {type: object, adopt: lake}}

    Right:

        deployment: {mode: cloud, provider: azure, region: westeurope}
        stores: {lake: {type: object, adopt: lake@acmeml}}
    """
    return Diagnostic(
        "E0698",
        Severity.ERROR,
        f"store {quote(store)} adopts {quote(bucket)}, which is not in the form {form}",
        span,
        f"use `adopt: {form}`",
    )


def adopted_is_not_ours(span: Span, store: str, field: str) -> Diagnostic:
    """An adopted resource belongs to its owner, and modelyard does not change its settings.

    Wrong:

        stores: {lake: {type: object, adopt: acme-lake, retention: 365d}}

    Right:

        stores: {lake: {type: object, adopt: acme-lake}}
    """
    return Diagnostic(
        "E0624",
        Severity.ERROR,
        f"store {quote(store)} is adopted, so `{field}` cannot be set here",
        span,
        f"remove `{field}`, or let modelyard create the store",
    )


def credentials_are_made(span: Span, store: str) -> Diagnostic:
    """A managed database gets its owner and password from its operator, so the spec cannot set them.

    Wrong:

        stores: {runs: {type: database, credentials: secret://vault/runs}}

    Right:

        stores: {runs: {type: database}}
    """
    return Diagnostic(
        "E0625",
        Severity.ERROR,
        f"database {quote(store)} is created together with its credentials, so `credentials` cannot be set here",
        span,
        "remove `credentials`, or adopt a database by its address",
    )


def credentials_needed(span: Span, store: str, purpose: str) -> Diagnostic:
    """A service outside the cluster needs credentials, because workloads have no identity that the service trusts.

    Wrong:

        stores: {runs: {type: database, adopt: "db.acme.example/mlflow"}}

    Right:

        stores: {runs: {type: database, adopt: "db.acme.example/mlflow", credentials: secret://vault/runs}}
    """
    return Diagnostic(
        "E0626",
        Severity.ERROR,
        f"store {quote(store)} needs credentials so that {purpose}",
        span,
        "set `credentials` to a secret reference",
    )


def store_elsewhere(span: Span, store: str, placement: str, reader: str) -> Diagnostic:
    """A database that runs inside a cluster cannot be reached from another cluster.

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
        f"the registry on target {quote(reader)} cannot reach database {quote(store)} inside target {quote(placement)}",
        span,
        "place both on one target, or adopt a database at an address that both can reach",
    )


def database_without_backup(span: Span, store: str) -> Diagnostic:
    """In a high-risk system, a database on a cluster has no backup, so losing its volumes means losing all records of
    model versions, their approvals and which of them is in use.

    CloudNativePG backs up with its Barman Cloud plugin, which needs an object store and cert-manager, or with volume
    snapshots. Configure either with an override of the Cluster. The owner of an adopted database is responsible for its
    backups.

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
            reason: The regulator requires ten years of records.
    """
    return Diagnostic(
        "W0681",
        Severity.WARNING,
        f"database {quote(store)} has no backup, but the system is high-risk",
        span,
        "add a backup with an override of its Cluster, or adopt a database that has one",
    )
