"""Diagnostics about stores, secrets and access to both on Google Cloud."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def database_size(span: Span, store: str, size: str) -> Diagnostic:
    """Cloud SQL for PostgreSQL supports disks from 10 GiB to 64 TiB.

    Wrong:

        stores: {registry-db: {type: database, size: 5Gi}}

    Right:

        stores: {registry-db: {type: database, size: 20Gi}}
    """
    return Diagnostic(
        "GCP-E005",
        Severity.ERROR,
        f"database {quote(store)} requests {size}, and Cloud SQL supports disks from 10Gi to 64Ti",
        span,
        "choose a size in that range",
    )


def bucket_name_refused(span: Span, bucket: str, why: str, hint: str) -> Diagnostic:
    """Names of buckets follow Cloud Storage's rules, whether a bucket is adopted or created.

    Created ones begin with the names of the system, the environment and the store.

    Wrong:

        metadata: {name: google-reviews}
        stores: {lake: {type: object}}

    Right:

        metadata: {name: reviews}
        stores: {lake: {type: object}}
    """
    return Diagnostic(
        "GCP-E006", Severity.ERROR, f"Cloud Storage does not allow a bucket named {quote(bucket)}: {why}", span, hint
    )


def not_of_this_bucket(span: Span, store: str, field: str, why: str, hint: str) -> Diagnostic:
    """Workloads open Cloud Storage by their identity, and modelyard creates buckets there and nowhere else.

    `endpoint` and `credentials` are for a bucket of an S3-compatible service, which has to be adopted.

    Wrong:

        stores: {lake: {type: object, credentials: "secret://kubernetes/lake"}}

    Right:

        stores: {lake: {type: object}}
    """
    return Diagnostic(
        "GCP-E007",
        Severity.ERROR,
        f"field {quote(field)} cannot be used in store {quote(store)}: {why}",
        span,
        hint,
    )


def one_standby(span: Span, store: str, replicas: int) -> Diagnostic:
    """Cloud SQL keeps one standby in another zone, however many instances the spec requests.

    Wrong:

        stores: {registry-db: {type: database, replicas: 5}}

    Right:

        stores: {registry-db: {type: database, replicas: 2}}
    """
    return Diagnostic(
        "GCP-W009",
        Severity.WARNING,
        f"database {quote(store)} requests {replicas} instances; Cloud SQL runs one, with a standby in another zone",
        span,
        "write replicas: 2",
    )


def workload_without_identity(span: Span, store: str, target: str, placement: str, provider: str) -> Diagnostic:
    """Workloads open Cloud Storage by an identity that only a cluster of Google Cloud gives them, without keys.

    Wrong:

        deployment:
          targets: {main: {provider: gcp, region: europe-west3}, plant: {provider: kubernetes}}
        stores: {lake: {type: object, target: main}}
        pipelines: {retrain: {target: plant, inputs: [what is in lake], …}}

    Right:

        pipelines: {retrain: {target: main, inputs: [what is in lake], …}}
    """
    return Diagnostic(
        "GCP-E012",
        Severity.ERROR,
        f"store {quote(store)} is a Cloud Storage bucket of target {quote(target)}, and workloads on target"
        f" {quote(placement)} ({provider}) have no identity that opens it",
        span,
        f"place the workload on {quote(target)}, or keep the data in a store that both targets reach",
    )


def each_first(span: Span, store: str, placement: str, other: str) -> Diagnostic:
    """Workloads get access to a bucket of another target once it exists, so the other target is deployed first.

    When two targets open each other's buckets, directly or through others, neither can be first. An adopted bucket
    exists already.

    Wrong:

        stores: {lake: {type: object, target: main}, lab-lake: {type: object, target: lab}}
        pipelines:
          a: {target: main, inputs: [what is in lab-lake], …}
          b: {target: lab, inputs: [what is in lake], …}

    Right:

        stores: {lake: {type: object, target: main}, lab-lake: {type: object, target: main}}
    """
    return Diagnostic(
        "GCP-E013",
        Severity.ERROR,
        f"target {quote(placement)} opens store {quote(store)} of {quote(other)}, which waits for a store of"
        f" {quote(placement)}: neither can be deployed first",
        span,
        f"keep these stores on one target, or adopt {quote(store)}",
    )


def too_many_folders(span: Span, workload: str, count: int, store: str, limit: int) -> Diagnostic:
    """The policy of a bucket has a condition for the folders of each workload, and IAM limits their number.

    The server of a pool reads the folder of each of its models; separate pools have separate identities.

    Wrong:

        inference: {a: {pool: all, …}, b: {pool: all, …}, and hundreds more: {pool: all, …}}

    Right:

        inference: {a: {pool: first, …}, b: {pool: second, …}, …}
    """
    return Diagnostic(
        "GCP-E014",
        Severity.ERROR,
        f"{quote(workload)} opens {count} folders of store {quote(store)}, and conditions of IAM can name {limit}",
        span,
        "split the workload, or the pool into several, or put the data under fewer prefixes",
    )


def created_in_other_region(span: Span, store: str, region: str, target: str, own: str) -> Diagnostic:
    """A bucket that modelyard creates is in the region of its target; `region` is for adopted buckets.

    Wrong:

        deployment: {targets: {main: {provider: gcp, region: europe-west3}}, …}
        stores: {archive: {type: object, region: europe-west4}}

    Right:

        deployment:
          targets: {main: {provider: gcp, region: europe-west3}, west: {provider: gcp, region: europe-west4}}
        stores: {archive: {type: object, target: west}}
    """
    return Diagnostic(
        "GCP-E015",
        Severity.ERROR,
        f"the bucket of store {quote(store)} is created in {own}, the region of target {quote(target)}, and not in"
        f" {region}",
        span,
        "remove region, place the store on a target in that region, or adopt a bucket there",
    )


def secret_refused(span: Span, path: str, name: str, why: str) -> Diagnostic:
    """Names in Secret Manager have letters, digits, hyphens and underscores, so slashes of a path become hyphens.

    Wrong:

        channels:
          oncall: {type: pagerduty, key: "secret://google/pager/duty"}
          second: {type: pagerduty, key: "secret://google/pager-duty"}

    Right:

        channels:
          oncall: {type: pagerduty, key: "secret://google/pager/first"}
          second: {type: pagerduty, key: "secret://google/pager/second"}
    """
    return Diagnostic(
        "GCP-E018",
        Severity.ERROR,
        f"secret {quote(path)} would be called {quote(name)} in Secret Manager: {why}",
        span,
        "use another path",
    )


def namespace_shared(span: Span, placement: str, other: str, namespace: str) -> Diagnostic:
    """IAM knows a workload by project, namespace and ServiceAccount, not by its cluster.

    Workloads of two clusters in one project with the same namespace would have each other's access.

    Wrong:

        targets: {eu: {provider: gcp, region: europe-west3}, us: {provider: gcp, region: us-central1}}

    Right:

        targets:
          eu: {provider: gcp, region: europe-west3, namespace: fraud-eu}
          us: {provider: gcp, region: us-central1, namespace: fraud-us}
    """
    return Diagnostic(
        "GCP-E019",
        Severity.ERROR,
        f"targets {quote(other)} and {quote(placement)} are in one project and use namespace {quote(namespace)}:"
        " their workloads would share their access",
        span,
        "give each target a namespace or a project of its own",
    )


def retained_objects_replaced(span: Span, store: str, workloads: Iterable[str]) -> Diagnostic:
    """A lock becomes a retention policy of the bucket, under which no object can be replaced or deleted.

    Other clouds keep the replaced version; Cloud Storage refuses the request. Pipelines replace files of an earlier
    attempt and remove unfinished ones, the registry deletes checkpoints, and a monitor replaces its state. Captures
    only add files.

    Wrong:

        stores: {lake: {type: object, objectLock: {mode: governance, retain: 30d}}}
        data: {scores: {store: lake, path: scores}}

    Right:

        stores: {lake: {type: object}, audit: {type: object, objectLock: {mode: governance, retain: 30d}}}
        data: {scores: {store: lake, path: scores}}
        inference: {scorer: {capture: {store: audit, path: captures}}}
    """
    named = ", ".join(workloads)
    return Diagnostic(
        "GCP-E020",
        Severity.ERROR,
        f"store {quote(store)} is locked, and these would replace or delete objects there, which Cloud Storage refuses:"
        f" {named}",
        span,
        "lock a separate store for captures, and let these write to one without a lock",
    )


def too_many_members(span: Span, store: str, count: int, limit: int) -> Diagnostic:
    """The policy of a bucket lists each workload that opens it, once for each mode and for every six folders.

    Models on one server share an identity; a store of its own for a part of the system has a policy of its own.

    Wrong:

        registry: {artifacts: lake, …}
        inference: {a: {…}, b: {…}, and a thousand more: {…}}

    Right:

        registry: {artifacts: lake, …}
        inference: {a: {pool: first, …}, b: {pool: first, …}, and a thousand more: {pool: first, …}}
    """
    return Diagnostic(
        "GCP-E016",
        Severity.ERROR,
        f"workloads need {count} entries in the policy of store {quote(store)}, and IAM allows {limit}",
        span,
        "let endpoints share servers (`pool`), or keep the data in several stores",
    )
