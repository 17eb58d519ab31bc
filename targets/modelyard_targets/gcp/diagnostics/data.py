"""Diagnostics about stores and secrets on Google Cloud, and about access to them."""

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
        f"database {quote(store)} requests {size}, but Cloud SQL supports disks from 10Gi to 64Ti",
        span,
        "choose a size in that range",
    )


def bucket_name_refused(span: Span, bucket: str, why: str, hint: str) -> Diagnostic:
    """Bucket names must follow Cloud Storage's rules, whether a bucket is adopted or created.

    A created bucket's name begins with the names of the system, the environment and the store.

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
    """Workloads access Cloud Storage with their identity, and modelyard creates buckets only there.

    `endpoint` and `credentials` are for buckets on an S3-compatible service, which must be adopted.

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
    """Cloud SQL runs one standby in another zone, regardless of how many instances the spec requests.

    Wrong:

        stores: {registry-db: {type: database, replicas: 5}}

    Right:

        stores: {registry-db: {type: database, replicas: 2}}
    """
    return Diagnostic(
        "GCP-W009",
        Severity.WARNING,
        f"database {quote(store)} requests {replicas} instances, but Cloud SQL runs one with a standby in another zone",
        span,
        "set `replicas: 2`",
    )


def workload_without_identity(span: Span, store: str, target: str, placement: str, provider: str) -> Diagnostic:
    """Workloads access Cloud Storage without keys, using tokens that their own cluster signs for them.

    Google Cloud must know the issuer that signs them. It can look up the issuer of a cloud's cluster. For your own
    cluster, set `issuer`, which need not be on the internet, because you can upload the cluster's public keys.

    Wrong:

        deployment:
          targets: {main: {provider: gcp, region: europe-west3}, plant: {provider: kubernetes}}
        stores: {lake: {type: object, target: main}}
        pipelines: {retrain: {target: plant, inputs: [data in lake], …}}

    Right:

        deployment:
          targets:
            main: {provider: gcp, region: europe-west3}
            plant: {provider: kubernetes, issuer: "https://kubernetes.default.svc.cluster.local"}
    """
    return Diagnostic(
        "GCP-E012",
        Severity.ERROR,
        f"store {quote(store)} is a Cloud Storage bucket on target {quote(target)}, but workloads on target"
        f" {quote(placement)} ({provider}) have no identity with access to it",
        span,
        f"set `issuer` on target {quote(placement)}, or place the workload on {quote(target)}",
    )


def each_first(span: Span, store: str, placement: str, other: str) -> Diagnostic:
    """Workloads can access another target's bucket only once it exists, so the other target must be deployed first.

    If two targets access each other's buckets, directly or indirectly, neither can be first. An adopted bucket already
    exists.

    Wrong:

        stores: {lake: {type: object, target: main}, lab-lake: {type: object, target: lab}}
        pipelines:
          a: {target: main, inputs: [data in lab-lake], …}
          b: {target: lab, inputs: [data in lake], …}

    Right:

        stores: {lake: {type: object, target: main}, lab-lake: {type: object, target: main}}
    """
    return Diagnostic(
        "GCP-E013",
        Severity.ERROR,
        f"targets {quote(placement)} and {quote(other)} depend on each other: {quote(placement)} uses store"
        f" {quote(store)} in {quote(other)}, and {quote(other)} depends on a store in {quote(placement)}, so neither"
        " can be deployed first",
        span,
        f"place both stores on one target, or adopt {quote(store)}",
    )


def too_many_folders(span: Span, workload: str, count: int, store: str, limit: int) -> Diagnostic:
    """A bucket's policy has a condition that lists each workload's folders, and IAM limits how many it can list.

    A pool's server reads the folder of each of its models, and each pool has its own identity.

    Wrong:

        inference: {a: {pool: all, …}, b: {pool: all, …}, and hundreds more: {pool: all, …}}

    Right:

        inference: {a: {pool: first, …}, b: {pool: second, …}, …}
    """
    return Diagnostic(
        "GCP-E014",
        Severity.ERROR,
        f"{quote(workload)} accesses {count} folders in store {quote(store)}, but an IAM condition can list only"
        f" {limit}",
        span,
        "split the workload or its pool, or put the data under fewer prefixes",
    )


def created_in_other_region(span: Span, store: str, region: str, target: str, own: str) -> Diagnostic:
    """modelyard creates a bucket in its target's region, and `region` is only for adopted buckets.

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
        f"the bucket for store {quote(store)} is created in {own}, the region of target {quote(target)}, not in"
        f" {region}",
        span,
        "remove `region`, place the store on a target in that region, or adopt a bucket there",
    )


def secret_refused(span: Span, path: str, name: str, why: str) -> Diagnostic:
    """Secret Manager names may contain letters, digits, hyphens and underscores, so slashes in a path become hyphens.

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
        f"secret {quote(path)} would be named {quote(name)} in Secret Manager: {why}",
        span,
        "use a different path",
    )


def namespace_shared(span: Span, placement: str, other: str, namespace: str) -> Diagnostic:
    """IAM identifies a workload by project, namespace and ServiceAccount, not by its cluster.

    If two clusters in one project use the same namespace, their workloads would have the same access.

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
        f"targets {quote(other)} and {quote(placement)} are in one project and both use namespace"
        f" {quote(namespace)}, so their workloads would have the same access",
        span,
        "give each target its own namespace or project",
    )


def retained_objects_replaced(span: Span, store: str, workloads: Iterable[str]) -> Diagnostic:
    """An object lock becomes the bucket's retention policy, under which no object can be replaced or deleted.

    Other clouds keep the replaced version, but Cloud Storage rejects the request. Pipelines replace files from an
    earlier attempt and remove unfinished ones, the registry deletes checkpoints, and a monitor replaces its state.
    Captures only add files.

    Wrong:

        stores: {lake: {type: object, objectLock: {mode: governance, retain: 30d}}}
        data: {scores: {store: lake, path: scores}}

    Right:

        stores: {lake: {type: object}, audit: {type: object, objectLock: {mode: governance, retain: 30d}}}
        data: {scores: {store: lake, path: scores}}
        inference: {scorer: {capture: {store: audit, path: captures}}}
    """
    names = ", ".join(workloads)
    return Diagnostic(
        "GCP-E020",
        Severity.ERROR,
        f"store {quote(store)} is locked, but these workloads replace or delete objects there: {names}",
        span,
        "lock a separate store for captures, and let these workloads write to an unlocked one",
    )


def too_many_members(span: Span, store: str, count: int, limit: int) -> Diagnostic:
    """A bucket's policy lists each workload with access, once per access mode and per six folders, up to a limit.

    Models on one server share an identity, and every store has its own policy.

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
        f"workloads need {count} entries in the policy of store {quote(store)}, but IAM allows only {limit}",
        span,
        "let endpoints share servers with `pool`, or divide the data between several stores",
    )


def store_out_of_reach(span: Span, workload: str, store: str, target: str, placement: str) -> Diagnostic:
    """A store in another cloud is reached over the internet, but a network with `nat: none` has no internet access.

    Wrong:

        targets:
          main: {provider: gcp, region: europe-west3, vpc: {nat: none}}
          lake: {provider: aws, region: eu-central-1}
        pipelines: {retrain: {target: main, inputs: [data in lake], …}}

    Right:

        targets: {main: {provider: gcp, region: europe-west3, vpc: {nat: one}}}
    """
    return Diagnostic(
        "GCP-E030",
        Severity.ERROR,
        f"{quote(workload)} uses store {quote(store)} on target {quote(target)}, but target {quote(placement)} has no"
        " connection to the internet",
        span,
        "connect the network to the internet with `vpc: {nat: one}`",
    )
