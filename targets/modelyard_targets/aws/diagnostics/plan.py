"""Diagnostics about plans that AWS cannot implement."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span


def unknown_version(span: Span, version: str, known: Iterable[str]) -> Diagnostic:
    """Versions of EKS add-ons depend on the version of Kubernetes; modelyard pins them for a few Kubernetes versions.

    Wrong:

        deployment: {mode: cloud, provider: aws, region: eu-central-1, version: "1.21"}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-central-1, version: "1.36"}
    """
    names = tuple(known)
    return Diagnostic(
        "AWS-E001",
        Severity.ERROR,
        f"modelyard has no add-on versions for Kubernetes {quote(version)} on EKS, only for {' and '.join(names)}",
        span,
        nearest(version, names, "did you mean {}?") or f"write version: '{names[0]}', or leave it out",
    )


def region_refused(span: Span, region: str, why: str, hint: str) -> Diagnostic:
    """AWS does not have this region, or modelyard cannot deploy to it as the spec is written.

    Wrong:

        deployment: {mode: cloud, provider: aws, region: eu-west-9}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-west-1}
    """
    return Diagnostic("AWS-E015", Severity.ERROR, f"cannot deploy to region {quote(region)}: {why}", span, hint)


def name_too_long(span: Span, what: str, name: str, limit: int) -> Diagnostic:
    """AWS names combine system, environment, target and purpose, and each service limits their length.

    Wrong:

        metadata: {name: card-payment-fraud-detection-platform}
        stores: {registry-of-models-and-experiments: {type: database}}

    Right:

        metadata: {name: card-fraud}
        stores: {registry: {type: database}}
    """
    return Diagnostic(
        "AWS-E002",
        Severity.ERROR,
        f"{what} would be named {name!r}, which has {len(name)} characters; the limit is {limit}",
        span,
        "shorten the name of the system, of the target, or this one",
    )


def double_hyphen(span: Span, what: str, name: str) -> Diagnostic:
    """RDS identifiers cannot contain two hyphens in a row.

    Wrong:

        stores: {registry--db: {type: database}}

    Right:

        stores: {registry-db: {type: database}}
    """
    return Diagnostic(
        "AWS-E003",
        Severity.ERROR,
        f"{what} would be named {name!r}, and RDS does not allow two hyphens in a row",
        span,
        "use a single hyphen",
    )


def range_does_not_fit(span: Span, cidr: str, why: str) -> Diagnostic:
    """A network is divided into subnets in three zones, and every Pod takes one of its addresses.

    It must be an IPv4 range between /16, the largest that a VPC allows, and /22, and start at a multiple of its size.

    Wrong:

        vpc: {cidr: 10.20.0.0/26}

    Right:

        vpc: {cidr: 10.20.0.0/18}
    """
    return Diagnostic(
        "AWS-E004",
        Severity.ERROR,
        f"the network cannot use range {quote(cidr)}: {why}",
        span,
        "use an IPv4 range from /16 to /22, such as 10.20.0.0/16",
    )


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
    # `credentials: …` would be hidden when it is printed, as a secret that somebody pasted
    return Diagnostic(
        "AWS-E007", Severity.ERROR, f"store {quote(store)} has {field}, but {why}", span, f"remove {field}"
    )


def images_out_of_reach(span: Span, placement: str) -> Diagnostic:
    """Without NAT, the network has no route to the internet, where the images of add-ons are published.

    A private registry that the network reaches has to hold copies of all of them.

    Wrong:

        vpc: {nat: none}

    Right:

        vpc: {nat: none}
        images: {registry: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/mirror, mirror: true}
    """
    return Diagnostic(
        "AWS-E008",
        Severity.ERROR,
        f"nodes of target {quote(placement)} cannot pull images: there is no route to the internet and no mirror",
        span,
        "write images: {registry: …, mirror: true}, or nat: one",
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


def budget_in_dollars(span: Span, currency: str) -> Diagnostic:
    """AWS prices and budgets are in US dollars, and modelyard does not convert currencies.

    Wrong:

        governance: {budget: {monthly: 18000 EUR}}

    Right:

        governance: {budget: {monthly: 19500 USD}}
    """
    return Diagnostic(
        "AWS-E010",
        Severity.ERROR,
        f"budgets on AWS are in USD, and this one is in {currency}",
        span,
        "write the budget in USD",
    )


def not_a_tag(span: Span, label: str, why: str) -> Diagnostic:
    """Labels become tags on every AWS resource, for cost allocation.

    AWS allows keys of up to 128 characters and fifty tags per resource, some of which modelyard uses itself.

    Wrong:

        metadata: {name: fraud, labels: {the-longest-of-prefixes.cost-centres.finance.acme.example/…: "4711"}}

    Right:

        metadata: {name: fraud, labels: {cost-centre: "4711"}}
    """
    return Diagnostic(
        "AWS-E011", Severity.ERROR, f"label {quote(label)} cannot be an AWS tag: {why}", span, "shorten it or remove it"
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


def beyond_quota(span: Span, what: str, count: int, quota: int) -> Diagnostic:
    """EKS has quotas, which AWS raises on request; until then, some of the resources cannot be created.

    Each compute class becomes a node pool, and so does a class written inline at an endpoint or a step. Named classes
    that several workloads share keep the number of pools low.

    Wrong:

        inference: {a: {compute: {cpu: 1, memory: 2Gi}, …}, b: {compute: {cpu: 1, memory: 2Gi}, …}, …}

    Right:

        compute: {small: {cpu: 1, memory: 2Gi}}
        inference: {a: {compute: small, …}, b: {compute: small, …}, …}
    """
    return Diagnostic(
        "AWS-W013",
        Severity.WARNING,
        f"{what} {count}, and an account has a quota of {quota} unless AWS has raised it",
        span,
        "share compute classes between workloads, or have the quota raised",
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


def too_many_folders(span: Span, workload: str, count: int, whose: str) -> Diagnostic:
    """The policy of a workload's role or user lists each folder that it opens, and IAM limits the size of policies.

    The server of a pool reads the folder of each of its models; separate pools have separate identities.

    Wrong:

        inference: {a: {pool: all, …}, b: {pool: all, …}, and a hundred more: {pool: all, …}}

    Right:

        inference: {a: {pool: first, …}, b: {pool: second, …}, …}
    """
    return Diagnostic(
        "AWS-E016",
        Severity.ERROR,
        f"{quote(workload)} opens {count} bucket folders, more than the policies of {whose} can list",
        span,
        "split it, such as a pool into several, or put its datasets under fewer prefixes",
    )


def public_without_way_out(span: Span, endpoint: str, placement: str) -> Diagnostic:
    """With `nat: none` a network has private subnets only, which cannot hold a load balancer that faces the internet.

    Wrong:

        vpc: {nat: none}
        inference: {scorer: {endpoint: {exposure: public, …}}}

    Right:

        vpc: {nat: one}
        inference: {scorer: {endpoint: {exposure: public, …}}}
    """
    return Diagnostic(
        "AWS-E017",
        Severity.ERROR,
        f"endpoint {quote(endpoint)} is public, but the network of target {quote(placement)} has no public subnet",
        span,
        "write exposure: internal, or vpc: {nat: one}",
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
