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
        f"database {quote(store)} requests {size}, and RDS supports volumes from 20Gi to 64Ti",
        span,
        "choose a size in that range",
    )


def bucket_name_refused(span: Span, bucket: str, why: str) -> Diagnostic:
    """An adopted bucket already exists, so its name follows S3's rules for bucket names.

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
    """Workloads open S3 buckets by their roles, and a bucket is in the region of its target.

    `endpoint` and `credentials` are for S3-compatible services; adopt such a bucket on another target.

    Wrong:

        stores: {lake: {type: object, credentials: "secret://kubernetes/lake"}}

    Right:

        stores: {lake: {type: object}}
    """
    # printing would hide `credentials: …` as if it were a pasted secret
    return Diagnostic(
        "AWS-E007", Severity.ERROR, f"store {quote(store)} has {field}, but {why}", span, f"remove {field}"
    )


def one_standby(span: Span, store: str, replicas: int) -> Diagnostic:
    """RDS keeps one standby in another zone, however many instances the spec requests.

    Wrong:

        stores: {registry-db: {type: database, replicas: 5}}

    Right:

        stores: {registry-db: {type: database, replicas: 2}}
    """
    return Diagnostic(
        "AWS-W009",
        Severity.WARNING,
        f"database {quote(store)} requests {replicas} instances; RDS runs one, with a standby in another zone",
        span,
        "write replicas: 2",
    )


def bucket_out_of_reach(span: Span, store: str, placement: str, what: str, instead: str) -> Diagnostic:
    """A role can open a bucket in another account only if that account allows it, which modelyard does not arrange.

    A bucket in another region is reached through public S3 endpoints: not from a network with `nat: none`, whose S3
    endpoint serves its own region only.

    Wrong:

        deployment:
          targets:
            main: {provider: aws, region: eu-central-1, account: "111111111111"}
            lab: {provider: aws, region: eu-west-1, account: "222222222222"}
        stores: {lake: {type: object, target: main}}
        pipelines: {retrain: {target: lab, inputs: [what is in lake], …}}

    Right:

        pipelines: {retrain: {target: main, inputs: [what is in lake], …}}
    """
    return Diagnostic(
        "AWS-E012",
        Severity.ERROR,
        f"workloads of {quote(placement)} cannot open store {quote(store)}, which is in the {what}",
        span,
        instead,
    )


def each_first(span: Span, store: str, placement: str, other: str) -> Diagnostic:
    """A target that opens a bucket of another target needs its encryption key, so the other target is deployed first.

    When two targets open each other's buckets, neither can be first. An adopted bucket exists already.

    Wrong:

        stores: {lake: {type: object, target: main}, lab-lake: {type: object, target: lab}}
        pipelines:
          a: {target: main, inputs: [what is in lab-lake], …}
          b: {target: lab, inputs: [what is in lake], …}

    Right:

        stores: {lake: {type: object, target: main}, lab-lake: {type: object, target: main}}
    """
    return Diagnostic(
        "AWS-E014",
        Severity.ERROR,
        f"{quote(placement)} opens store {quote(store)} of {quote(other)}, and {quote(other)} opens a store of"
        f" {quote(placement)}: neither target can be deployed first",
        span,
        f"keep the stores that both open on one target, or adopt {quote(store)}",
    )


def locked_without_checksums(span: Span, workload: str, store: str, other: str) -> Diagnostic:
    """S3 requires a checksum for each object in a locked bucket, and many S3-compatible services reject checksums.

    The SDKs of a Pod send checksums to every store or to none, so one workload cannot write to both.

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
        f"{quote(workload)} writes to store {quote(store)}, which locks its objects, and also opens {quote(other)},"
        " an S3-compatible service",
        span,
        "keep both on AWS, or have another workload write to the locked store",
    )


def made_in_other_region(span: Span, store: str, region: str, target: str, own: str) -> Diagnostic:
    """A bucket that modelyard creates is in the region of its target; `region` is for adopted buckets.

    Roles, keys and endpoints would use the region in the spec, while the bucket is in another.

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
        f"the bucket of store {quote(store)} is created in {own}, with target {quote(target)}, and not in {region}",
        span,
        "remove region, place the store on a target in that region, or adopt a bucket there",
    )
