"""Diagnostics about stores and secrets on Azure, and about access to them."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def database_size(span: Span, store: str, size: str) -> Diagnostic:
    """A PostgreSQL flexible server has a disk of at most 32 TiB. Sizes are rounded up to the next size that Azure
    offers.

    Wrong:

        stores: {registry-db: {type: database, size: 40Ti}}

    Right:

        stores: {registry-db: {type: database, size: 40Gi}}
    """
    return Diagnostic(
        "AZURE-E005",
        Severity.ERROR,
        f"database {quote(store)} requests {size}, but Azure Database for PostgreSQL supports disks up to 32767Gi",
        span,
        "check the unit, or choose a smaller size",
    )


def not_of_this_store(span: Span, store: str, field: str, why: str, hint: str) -> Diagnostic:
    """Workloads access Blob Storage with their identity, and modelyard creates stores only there.

    `endpoint` and `credentials` are for buckets on an S3-compatible service, which must be adopted.

    Wrong:

        stores: {lake: {type: object, credentials: "secret://kubernetes/lake"}}

    Right:

        stores: {lake: {type: object}}
    """
    return Diagnostic(
        "AZURE-E007",
        Severity.ERROR,
        f"field {quote(field)} cannot be used in store {quote(store)}: {why}",
        span,
        hint,
    )


def one_standby(span: Span, store: str, replicas: int) -> Diagnostic:
    """A flexible server has one standby, regardless of how many instances the spec requests.

    Wrong:

        stores: {registry-db: {type: database, replicas: 5}}

    Right:

        stores: {registry-db: {type: database, replicas: 2}}
    """
    return Diagnostic(
        "AZURE-W009",
        Severity.WARNING,
        f"database {quote(store)} requests {replicas} instances, but Azure runs one with a standby",
        span,
        "set `replicas: 2`",
    )


def workload_without_identity(span: Span, store: str, target: str, placement: str, provider: str) -> Diagnostic:
    """Workloads access Blob Storage without keys, using tokens that their own cluster signs for them.

    Azure must know the issuer that signs them, and reads the issuer's public keys over the internet. Clouds publish
    the keys of their clusters. You can publish the keys of your own cluster: its API server has a flag for the
    issuer, and the two documents that describe the issuer can be in a public bucket.

    Wrong:

        deployment:
          targets: {main: {provider: azure, region: westeurope}, plant: {provider: kubernetes}}
        stores: {lake: {type: object, target: main}}
        pipelines: {retrain: {target: plant, inputs: [data in lake], …}}

    Right:

        deployment:
          targets:
            main: {provider: azure, region: westeurope}
            plant: {provider: kubernetes, issuer: "https://tokens.acme.example/plant"}
    """
    return Diagnostic(
        "AZURE-E012",
        Severity.ERROR,
        f"store {quote(store)} is a storage account on target {quote(target)}, but workloads on target"
        f" {quote(placement)} ({provider}) have no identity with access to it",
        span,
        f"set `issuer` on target {quote(placement)} to a public issuer URL, or place the workload on {quote(target)}",
    )


def each_first(span: Span, store: str, placement: str, other: str) -> Diagnostic:
    """Workloads can access another target's store only once it exists, so the other target must be deployed first.

    If two targets access each other's stores, directly or indirectly, neither can be first. An adopted store already
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
        "AZURE-E013",
        Severity.ERROR,
        f"targets {quote(placement)} and {quote(other)} depend on each other: {quote(placement)} uses store"
        f" {quote(store)} in {quote(other)}, and {quote(other)} depends on a store in {quote(placement)}, so neither"
        " can be deployed first",
        span,
        f"place both stores on one target, or adopt {quote(store)}",
    )


def too_many_folders(span: Span, workload: str, count: int, store: str, characters: int, limit: int) -> Diagnostic:
    """A workload's role on a store has a condition that lists the workload's folders, and Azure limits its length.

    A pool's server reads the folder of each of its models, and each pool has its own identity.

    Wrong:

        inference: {a: {pool: all, …}, b: {pool: all, …}, and a hundred more: {pool: all, …}}

    Right:

        inference: {a: {pool: first, …}, b: {pool: second, …}, …}
    """
    return Diagnostic(
        "AZURE-E014",
        Severity.ERROR,
        f"{quote(workload)} accesses {count} folders in store {quote(store)}, so its role's condition would be"
        f" {characters} characters long, but Azure allows {limit}",
        span,
        "split the workload or its pool, or put the data under fewer prefixes",
    )


def created_in_other_region(span: Span, store: str, region: str, target: str, own: str) -> Diagnostic:
    """modelyard creates a store in its target's region, and `region` is only for adopted stores.

    Wrong:

        deployment: {targets: {main: {provider: azure, region: westeurope}}, …}
        stores: {archive: {type: object, region: northeurope}}

    Right:

        deployment:
          targets: {main: {provider: azure, region: westeurope}, north: {provider: azure, region: northeurope}}
        stores: {archive: {type: object, target: north}}
    """
    return Diagnostic(
        "AZURE-E015",
        Severity.ERROR,
        f"the account for store {quote(store)} is created in {own}, the region of target {quote(target)}, not in"
        f" {region}",
        span,
        "remove `region`, place the store on a target in that region, or adopt a store there",
    )


def too_many_assignments(span: Span, count: int, limit: int) -> Diagnostic:
    """Each workload has a role assignment for each store and access mode, and a subscription can have at most 4,000.

    Models on one server share an identity, and the limit applies to each subscription separately.

    Wrong:

        inference: {a: {…}, b: {…}, and two thousand more: {…}}

    Right:

        inference: {a: {pool: first, …}, b: {pool: first, …}, and two thousand more: {pool: first, …}}
    """
    return Diagnostic(
        "AZURE-E016",
        Severity.ERROR,
        f"workloads need {count} role assignments in one subscription, but Azure allows only {limit}",
        span,
        "let endpoints share servers with `pool`, or divide the targets between several subscriptions",
    )


def secret_refused(span: Span, path: str, name: str, why: str) -> Diagnostic:
    """Key Vault names may contain letters, digits and hyphens, so other characters in a path become hyphens.

    Wrong:

        channels:
          oncall: {type: pagerduty, key: "secret://azure/pager/duty"}
          second: {type: pagerduty, key: "secret://azure/pager_duty"}

    Right:

        channels:
          oncall: {type: pagerduty, key: "secret://azure/pager/first"}
          second: {type: pagerduty, key: "secret://azure/pager/second"}
    """
    return Diagnostic(
        "AZURE-E018",
        Severity.ERROR,
        f"secret {quote(path)} would be named {quote(name)} in Key Vault: {why}",
        span,
        "use a different path",
    )


def container_refused(span: Span, name: str, why: str) -> Diagnostic:
    """A container name must consist of 3 to 63 letters, digits and single hyphens.

    Wrong:

        stores: {lake: {type: object, adopt: "ml.lake@acmeml"}}

    Right:

        stores: {lake: {type: object, adopt: "ml-lake@acmeml"}}
    """
    return Diagnostic(
        "AZURE-E020",
        Severity.ERROR,
        f"Blob Storage does not allow a container named {quote(name)}: {why}",
        span,
        "use the container's real name",
    )
