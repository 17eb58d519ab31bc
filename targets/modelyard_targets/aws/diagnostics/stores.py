"""Diagnostics about buckets and databases that AWS cannot implement."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def database_size(span: Span, store: str, size: str) -> Diagnostic:
    """RDS for PostgreSQL supports volumes from 20 GiB to 64 TiB.

    Wrong:

        stores: {registry-db: {type: database, size: 5Gi}}

    Right:

        stores: {registry-db: {type: database, size: 20Gi}}
    """
    return Diagnostic(
        "AWS-E005",
        Severity.ERROR,
        f"database {quote(store)} requests {size}, but RDS supports volumes from 20Gi to 64Ti",
        span,
        "choose a size in that range",
    )


def bucket_name_refused(span: Span, bucket: str, why: str) -> Diagnostic:
    """An adopted bucket already exists, so its name must follow S3's naming rules.

    Wrong:

        stores: {lake: {type: object, adopt: acme_lake}}

    Right:

        stores: {lake: {type: object, adopt: acme-lake}}
    """
    return Diagnostic(
        "AWS-E006",
        Severity.ERROR,
        f"{quote(bucket)} is not a valid S3 bucket name: {why}",
        span,
        "use the bucket's real name",
    )


def not_of_this_bucket(span: Span, store: str, field: str, why: str) -> Diagnostic:
    """Workloads access S3 buckets with their roles, and a bucket is in its target's region.

    `endpoint` and `credentials` are for S3-compatible services, whose buckets you can adopt on another target.

    Wrong:

        stores: {lake: {type: object, credentials: "secret://kubernetes/lake"}}

    Right:

        stores: {lake: {type: object}}
    """
    # printing would hide `credentials: …` as if it were a pasted secret
    return Diagnostic(
        "AWS-E007", Severity.ERROR, f"store {quote(store)} sets `{field}`, but {why}", span, f"remove `{field}`"
    )


def one_standby(span: Span, store: str, replicas: int) -> Diagnostic:
    """RDS runs one standby in another zone, regardless of how many instances the spec requests.

    Wrong:

        stores: {registry-db: {type: database, replicas: 5}}

    Right:

        stores: {registry-db: {type: database, replicas: 2}}
    """
    return Diagnostic(
        "AWS-W009",
        Severity.WARNING,
        f"database {quote(store)} requests {replicas} instances, but RDS runs one with a standby in another zone",
        span,
        "set `replicas: 2`",
    )


def bucket_out_of_reach(span: Span, store: str, placement: str, what: str, instead: str) -> Diagnostic:
    """A role can access a bucket in another account only if that account allows it, which modelyard does not set up.

    A store in another region or cloud is reached through the internet. A network with `nat: none` cannot reach it,
    because its own S3 endpoint serves only its own region.

    Wrong:

        deployment:
          targets:
            main: {provider: aws, region: eu-central-1, account: "111111111111"}
            lab: {provider: aws, region: eu-west-1, account: "222222222222"}
        stores: {lake: {type: object, target: main}}
        pipelines: {retrain: {target: lab, inputs: [data in lake], …}}

    Right:

        pipelines: {retrain: {target: main, inputs: [data in lake], …}}
    """
    return Diagnostic(
        "AWS-E012",
        Severity.ERROR,
        f"workloads on target {quote(placement)} cannot access store {quote(store)}, which is in the {what}",
        span,
        instead,
    )


def each_first(span: Span, store: str, placement: str, other: str) -> Diagnostic:
    """A target needs the encryption key of each bucket it accesses, so the bucket's target must be deployed first.

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
        "AWS-E014",
        Severity.ERROR,
        f"targets {quote(placement)} and {quote(other)} depend on each other: {quote(placement)} uses store"
        f" {quote(store)} in {quote(other)}, and {quote(other)} depends on a store in {quote(placement)}, so neither"
        " can be deployed first",
        span,
        f"place both stores on one target, or adopt {quote(store)}",
    )


def locked_without_checksums(span: Span, workload: str, store: str, other: str) -> Diagnostic:
    """S3 requires a checksum for each object in a locked bucket, and many S3-compatible services reject checksums.

    A Pod's SDKs send checksums to every store or to none, so one workload cannot write to both kinds of store.

    Wrong:

        stores:
          audit: {type: object, objectLock: {mode: compliance, retain: 7y}}
          models: {type: object, adopt: models, endpoint: "https://s3.acme.example", credentials: secret://vault/models}
        registry: {database: runs, artifacts: models}
        inference: {scorer: {capture: {store: audit}, …}}

    Right:

        stores:
          audit: {type: object, objectLock: {mode: compliance, retain: 7y}}
          models: {type: object}
        registry: {database: runs, artifacts: models}
        inference: {scorer: {capture: {store: audit}, …}}
    """
    return Diagnostic(
        "AWS-E018",
        Severity.ERROR,
        f"{quote(workload)} writes to store {quote(store)}, which locks its objects, but also accesses {quote(other)},"
        " an S3-compatible service",
        span,
        "place both stores on AWS, or let another workload write to the locked store",
    )


def made_in_other_region(span: Span, store: str, region: str, target: str, own: str) -> Diagnostic:
    """modelyard creates a bucket in its target's region, and `region` is only for adopted buckets.

    Otherwise, roles, keys and endpoints would use a region that the bucket is not in.

    Wrong:

        deployment: {targets: {main: {provider: aws, region: eu-central-1}}, …}
        stores: {archive: {type: object, region: eu-west-1}}

    Right:

        deployment:
          targets: {main: {provider: aws, region: eu-central-1}, west: {provider: aws, region: eu-west-1}}
        stores: {archive: {type: object, target: west}}
    """
    return Diagnostic(
        "AWS-E019",
        Severity.ERROR,
        f"the bucket for store {quote(store)} is created in {own}, the region of target {quote(target)}, not"
        f" in {region}",
        span,
        "remove `region`, place the store on a target in that region, or adopt a bucket there",
    )
