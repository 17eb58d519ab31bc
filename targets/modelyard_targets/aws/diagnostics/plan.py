"""What is told about a plan that AWS cannot honour: E064 and E065."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span


def unknown_version(span: Span, version: str, known: Iterable[str]) -> Diagnostic:
    """Add-ons of EKS are pinned to versions that go with a version of Kubernetes, and are known for a few.

    Wrong:

        deployment: {mode: cloud, provider: aws, region: eu-central-1, version: "1.21"}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-central-1, version: "1.36"}
    """
    names = tuple(known)
    return Diagnostic(
        "AWS-E001",
        Severity.ERROR,
        f"no add-ons are known for Kubernetes {quote(version)} on EKS; there are {' and '.join(names)}",
        span,
        nearest(version, names, "did you mean {}?") or f"write version: '{names[0]}', or leave it out",
    )


def region_refused(span: Span, region: str, why: str, hint: str) -> Diagnostic:
    """A region that AWS does not have, or in which nothing can be made as it is written here.

    Wrong:

        deployment: {mode: cloud, provider: aws, region: eu-west-9}

    Right:

        deployment: {mode: cloud, provider: aws, region: eu-west-1}
    """
    return Diagnostic("AWS-E015", Severity.ERROR, f"nothing can be made in region {quote(region)}: {why}", span, hint)


def name_too_long(span: Span, what: str, name: str, limit: int) -> Diagnostic:
    """Names in AWS are made of system, environment, target and what they are of, and each service has its limit.

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
        f"{what} would be called {name!r}, which is {len(name)} characters of at most {limit}",
        span,
        "shorten the name of the system, of the target, or this one",
    )


def double_hyphen(span: Span, what: str, name: str) -> Diagnostic:
    """Identifiers of RDS do not take two hyphens in a row.

    Wrong:

        stores: {registry--db: {type: database}}

    Right:

        stores: {registry-db: {type: database}}
    """
    return Diagnostic(
        "AWS-E003",
        Severity.ERROR,
        f"{what} would be called {name!r}, and RDS takes no two hyphens in a row",
        span,
        "write one hyphen",
    )


def range_does_not_fit(span: Span, cidr: str, why: str) -> Diagnostic:
    """A network is cut into subnets for three zones, and each Pod has an address of it.

    So it is a range of IPv4 between /16, the most that a VPC takes, and /22, and it begins where such a range begins.

    Wrong:

        vpc: {cidr: 10.20.0.0/26}

    Right:

        vpc: {cidr: 10.20.0.0/18}
    """
    return Diagnostic(
        "AWS-E004",
        Severity.ERROR,
        f"a network cannot have the range {quote(cidr)}: {why}",
        span,
        "write a range of IPv4 from /16 to /22, such as 10.20.0.0/16",
    )


def database_size(span: Span, store: str, size: str) -> Diagnostic:
    """RDS for PostgreSQL has volumes from 20 GiB to 64 TiB.

    Wrong:

        stores: {registry-db: {type: database, size: 5Gi}}

    Right:

        stores: {registry-db: {type: database, size: 20Gi}}
    """
    return Diagnostic(
        "AWS-E005",
        Severity.ERROR,
        f"database {quote(store)} asks for {size}, and RDS has volumes from 20Gi to 64Ti",
        span,
        "choose a size between the two",
    )


def bucket_name_refused(span: Span, bucket: str, why: str) -> Diagnostic:
    """What is adopted has to be able to exist: S3 has rules for the names of buckets.

    Wrong:

        stores: {lake: {type: object, adopt: acme_lake}}

    Right:

        stores: {lake: {type: object, adopt: acme-lake}}
    """
    return Diagnostic(
        "AWS-E006",
        Severity.ERROR,
        f"no bucket of S3 is called {quote(bucket)}: {why}",
        span,
        "name the bucket as it is",
    )


def not_of_this_bucket(span: Span, store: str, field: str, why: str) -> Diagnostic:
    """Buckets of S3 are opened by the roles of workloads and lie in the region of their target.

    An endpoint, and credentials for it, are what a service has that only speaks like S3; such a bucket is adopted.

    Wrong:

        stores: {lake: {type: object, credentials: "secret://kubernetes/lake"}}

    Right:

        stores: {lake: {type: object}}
    """
    return Diagnostic(
        "AWS-E007", Severity.ERROR, f"store {quote(store)} takes no {field}, since {why}", span, f"remove {field}"
    )


def images_out_of_reach(span: Span, placement: str) -> Diagnostic:
    """Without NAT nothing in the network reaches the internet, where the images of add-ons are published.

    A registry of one's own that the network reaches has to hold copies of them all.

    Wrong:

        vpc: {nat: none}

    Right:

        vpc: {nat: none}
        images: {registry: 123456789012.dkr.ecr.eu-central-1.amazonaws.com/mirror, mirror: true}
    """
    return Diagnostic(
        "AWS-E008",
        Severity.ERROR,
        f"nodes of target {quote(placement)} cannot pull images: it has no way to the internet, and no mirror",
        span,
        "write images: {registry: …, mirror: true}, or nat: one",
    )


def one_standby(span: Span, store: str, replicas: int) -> Diagnostic:
    """RDS keeps one standby in another zone, however many instances are asked for.

    Wrong:

        stores: {registry-db: {type: database, replicas: 5}}

    Right:

        stores: {registry-db: {type: database, replicas: 2}}
    """
    return Diagnostic(
        "AWS-W009",
        Severity.WARNING,
        f"database {quote(store)} asks for {replicas} instances; RDS runs one with a standby in another zone",
        span,
        "write replicas: 2",
    )


def budget_in_dollars(span: Span, currency: str) -> Diagnostic:
    """Prices and budgets of AWS are in US dollars, and no rate of exchange is known here.

    Wrong:

        governance: {budget: {monthly: 18000 EUR}}

    Right:

        governance: {budget: {monthly: 19500 USD}}
    """
    return Diagnostic(
        "AWS-E010",
        Severity.ERROR,
        f"a budget of AWS is in USD, and this one is in {currency}",
        span,
        "write the budget in USD",
    )


def not_a_tag(span: Span, label: str, why: str) -> Diagnostic:
    """Labels become tags of everything that is made, by which costs are found again.

    Tags of AWS have keys of 128 characters at most, and there are fifty on a resource, some of which are ours.

    Wrong:

        metadata: {name: fraud, labels: {the-longest-of-prefixes.cost-centres.finance.acme.example/…: "4711"}}

    Right:

        metadata: {name: fraud, labels: {cost-centre: "4711"}}
    """
    return Diagnostic(
        "AWS-E011",
        Severity.ERROR,
        f"label {quote(label)} cannot be a tag of AWS: {why}",
        span,
        "shorten it or remove it",
    )


def bucket_out_of_reach(span: Span, store: str, placement: str, what: str, instead: str) -> Diagnostic:
    """A role reaches a bucket of another account only if that account lets it in; what is made here does not.

    A bucket of another region is reached over the internet's addresses of S3: not from a network with `nat: none`,
    whose endpoint of S3 is one of its own region.

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
    """EKS has quotas that AWS raises when it is asked; until then a part is not made.

    Every compute class is a pool of its own, and so is one that stands inline at an endpoint or a step: named classes
    that many use make few pools.

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
        "name compute classes that several workloads share, or have the quota raised",
    )


def each_first(span: Span, store: str, placement: str, other: str) -> Diagnostic:
    """What opens a bucket of another target has to be told its key of encryption: that target is made before.

    Where each opens a bucket that the other one makes, neither can be made first. An adopted bucket is there already.

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
        f"store {quote(store)} of {quote(other)} is opened from {quote(placement)}, of which {quote(other)} opens one"
        " itself, so that neither can be made first",
        span,
        f"keep the stores that both open on one target, or adopt {quote(store)}",
    )


def too_many_folders(span: Span, workload: str, count: int, whose: str) -> Diagnostic:
    """Each folder that a workload opens is written into the policy of its role or user, which IAM bounds.

    The server of a pool reads the folder of each of its models; several pools have several identities.

    Wrong:

        inference: {a: {pool: all, …}, b: {pool: all, …}, and a hundred more: {pool: all, …}}

    Right:

        inference: {a: {pool: first, …}, b: {pool: second, …}, …}
    """
    return Diagnostic(
        "AWS-E016",
        Severity.ERROR,
        f"{quote(workload)} opens {count} folders of buckets, for which the policies of {whose} have no room",
        span,
        "divide it, such as a pool into several, or let its datasets lie below fewer paths",
    )


def public_without_way_out(span: Span, endpoint: str, placement: str) -> Diagnostic:
    """With `nat: none` a network has private subnets alone, and a load balancer that faces the internet stands in none
    of these.

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
        f"endpoint {quote(endpoint)} is public, and the network of target {quote(placement)} has no public subnet",
        span,
        "write exposure: internal, or vpc: {nat: one}",
    )


def locked_without_checksums(span: Span, workload: str, store: str, other: str) -> Diagnostic:
    """S3 takes an object into a locked bucket only with a checksum, and many S3-compatible services refuse checksums.

    The SDKs of a Pod send them to every store or to none, so one workload cannot write to both.

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
        "keep both on AWS, or let another workload write to the locked store",
    )


def made_in_other_region(span: Span, store: str, region: str, target: str, own: str) -> Diagnostic:
    """A bucket that is made here lies in the region of its target; `region` says where one lies that is adopted.

    Roles, keys and endpoints would go by the region that is written, and the bucket would be in another one.

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
        f"the bucket of store {quote(store)} is made in {own}, where target {quote(target)} is, and not in {region}",
        span,
        "remove region, place the store on a target of that region, or adopt a bucket there",
    )
