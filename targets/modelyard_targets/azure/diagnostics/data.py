"""Diagnostics about stores, secrets and the access to them on Azure."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def database_size(span: Span, store: str, size: str) -> Diagnostic:
    """A flexible server of PostgreSQL has a disk of 32 TiB at most; smaller sizes are rounded up to the next step.

    Wrong:

        stores: {registry-db: {type: database, size: 40Ti}}

    Right:

        stores: {registry-db: {type: database, size: 40Gi}}
    """
    return Diagnostic(
        "AZURE-E005",
        Severity.ERROR,
        f"database {quote(store)} requests {size}, and Azure Database for PostgreSQL has disks of 32767Gi at most",
        span,
        "check the unit, or choose a smaller size",
    )


def not_of_this_store(span: Span, store: str, field: str, why: str, hint: str) -> Diagnostic:
    """Workloads open Blob Storage by their identity, and modelyard creates stores there and nowhere else.

    `endpoint` and `credentials` are for a bucket of an S3-compatible service, which has to be adopted.

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
    """A flexible server has one standby, however many instances the spec requests.

    Wrong:

        stores: {registry-db: {type: database, replicas: 5}}

    Right:

        stores: {registry-db: {type: database, replicas: 2}}
    """
    return Diagnostic(
        "AZURE-W009",
        Severity.WARNING,
        f"database {quote(store)} requests {replicas} instances; Azure runs one, with a standby",
        span,
        "write replicas: 2",
    )


def workload_without_identity(span: Span, store: str, target: str, placement: str, provider: str) -> Diagnostic:
    """Workloads open Blob Storage by an identity that only a cluster of Azure gives them, without keys.

    Wrong:

        deployment:
          targets: {main: {provider: azure, region: westeurope}, plant: {provider: kubernetes}}
        stores: {lake: {type: object, target: main}}
        pipelines: {retrain: {target: plant, inputs: [what is in lake], …}}

    Right:

        pipelines: {retrain: {target: main, inputs: [what is in lake], …}}
    """
    return Diagnostic(
        "AZURE-E012",
        Severity.ERROR,
        f"store {quote(store)} is a storage account of target {quote(target)}, and workloads on target"
        f" {quote(placement)} ({provider}) have no identity that opens it",
        span,
        f"place the workload on {quote(target)}, or keep the data in a store that both targets reach",
    )


def each_first(span: Span, store: str, placement: str, other: str) -> Diagnostic:
    """Workloads get access to a store of another target once it exists, so the other target is deployed first.

    When two targets open each other's stores, directly or through others, neither can be first. An adopted store exists
    already.

    Wrong:

        stores: {lake: {type: object, target: main}, lab-lake: {type: object, target: lab}}
        pipelines:
          a: {target: main, inputs: [what is in lab-lake], …}
          b: {target: lab, inputs: [what is in lake], …}

    Right:

        stores: {lake: {type: object, target: main}, lab-lake: {type: object, target: main}}
    """
    return Diagnostic(
        "AZURE-E013",
        Severity.ERROR,
        f"target {quote(placement)} opens store {quote(store)} of {quote(other)}, which waits for a store of"
        f" {quote(placement)}: neither can be deployed first",
        span,
        f"keep these stores on one target, or adopt {quote(store)}",
    )


def too_many_folders(span: Span, workload: str, count: int, store: str, characters: int, limit: int) -> Diagnostic:
    """A role on a store has a condition with the folders of the workload, and Azure limits the length of its text.

    The server of a pool reads the folder of each of its models; separate pools have separate identities.

    Wrong:

        inference: {a: {pool: all, …}, b: {pool: all, …}, and a hundred more: {pool: all, …}}

    Right:

        inference: {a: {pool: first, …}, b: {pool: second, …}, …}
    """
    return Diagnostic(
        "AZURE-E014",
        Severity.ERROR,
        f"{quote(workload)} opens {count} folders of store {quote(store)}: their condition would have {characters}"
        f" characters, and Azure allows {limit}",
        span,
        "split the workload, or the pool into several, or put the data under fewer prefixes",
    )


def created_in_other_region(span: Span, store: str, region: str, target: str, own: str) -> Diagnostic:
    """A store that modelyard creates is in the region of its target; `region` is for adopted stores.

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
        f"the account of store {quote(store)} is created in {own}, the region of target {quote(target)}, and not in"
        f" {region}",
        span,
        "remove region, place the store on a target in that region, or adopt a store there",
    )


def too_many_assignments(span: Span, count: int, limit: int) -> Diagnostic:
    """Each workload has a role assignment for each store and mode, and a subscription has four thousand at most.

    Models on one server share an identity; targets in several subscriptions have assignments of their own.

    Wrong:

        inference: {a: {…}, b: {…}, and two thousand more: {…}}

    Right:

        inference: {a: {pool: first, …}, b: {pool: first, …}, and two thousand more: {pool: first, …}}
    """
    return Diagnostic(
        "AZURE-E016",
        Severity.ERROR,
        f"workloads need {count} role assignments in one subscription, and Azure allows {limit}",
        span,
        "let endpoints share servers (`pool`), or use several subscriptions",
    )


def secret_refused(span: Span, path: str, name: str, why: str) -> Diagnostic:
    """Names in Key Vault have letters, digits and hyphens, so other characters of a path become hyphens.

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
        f"secret {quote(path)} would be called {quote(name)} in Key Vault: {why}",
        span,
        "use another path",
    )


def container_refused(span: Span, name: str, why: str) -> Diagnostic:
    """Names of containers have letters, digits and single hyphens, 3 to 63 of them.

    Wrong:

        stores: {lake: {type: object, adopt: "ml.lake@acmeml"}}

    Right:

        stores: {lake: {type: object, adopt: "ml-lake@acmeml"}}
    """
    return Diagnostic(
        "AZURE-E020",
        Severity.ERROR,
        f"Blob Storage has no container named {quote(name)}: {why}",
        span,
        "use the container's real name",
    )
