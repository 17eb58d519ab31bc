"""Diagnostics about fields that have no effect on this machine."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def field_of_a_cluster(span: Span, target: str, field: str) -> Diagnostic:
    """Images, secret stores and telemetry need a cluster, so they would have no effect on this machine.

    An environment for this machine removes these settings from the target that it replaces.

    Wrong:

        deployment: {mode: local, provider: local, images: {registry: registry.acme.example/ml}}

    Right:

        deployment: {mode: local, provider: local}
    """
    return Diagnostic(
        "LOCAL-E001",
        Severity.ERROR,
        f"target {quote(target)} is this machine, where `{field}` would have no effect",
        span,
        f"remove it, or set `{field}: null` in the environment that uses this machine",
    )


def second_local_target(span: Span, target: str, first: str) -> Diagnostic:
    """A system can have this machine as a target only once. Place everything on that target.

    Wrong:

        deployment:
          mode: local
          placement: a
          targets: {a: {provider: local}, b: {provider: local}}

    Right:

        deployment: {mode: local, provider: local}
    """
    return Diagnostic(
        "LOCAL-E002",
        Severity.ERROR,
        f"targets {quote(first)} and {quote(target)} are both this machine",
        span,
        f"remove {quote(target)}, and place its workloads and stores on {quote(first)}",
    )


def store_elsewhere(span: Span, store: str, field: str) -> Diagnostic:
    """Stores on this machine are folders, so an address and credentials would have no effect.

    In an environment for this machine, set `endpoint` and `credentials` to null. A folder then takes the place of the
    bucket.

    Wrong:

        deployment: {mode: local, provider: local}
        stores: {lake: {type: object, adopt: lake, endpoint: "https://s3.acme.example", …}}

    Right:

        deployment: {mode: local, provider: local}
        stores: {lake: {type: object, adopt: lake}}
    """
    return Diagnostic(
        "LOCAL-E003",
        Severity.ERROR,
        f"store {quote(store)} is a folder on this machine, where `{field}` would have no effect",
        span,
        f"set `{field}: null` in the environment that uses this machine",
    )


def override_without_objects(span: Span, override: str, target: str) -> Diagnostic:
    """An override changes an emitted Kubernetes object, but this machine has none.

    Wrong:

        deployment: {mode: local, provider: local}
        overrides: {slower: {target: main, kind: CronJob, object: train, patch: […], reason: …}}

    Right:

        deployment: {mode: local, provider: local}
    """
    return Diagnostic(
        "LOCAL-E004",
        Severity.ERROR,
        f"override {quote(override)} changes an object on {quote(target)}, which is this machine and has no objects",
        span,
        f"set `{override}: null` under overrides in the environment that uses this machine",
    )


def registry_login(span: Span) -> Diagnostic:
    """An adopted registry with a login needs a secret store, but this machine has none.

    Use the registry that `modelyard run` starts, or adopt one without a login.

    Wrong:

        deployment: {mode: local, provider: local}
        registry: {adopt: "https://mlflow.acme.example", credentials: "secret://vault/mlflow"}

    Right:

        deployment: {mode: local, provider: local}
        registry: {database: registry-db, artifacts: lake}
    """
    return Diagnostic(
        "LOCAL-E005",
        Severity.ERROR,
        "the registry's credentials are in a secret store, but no secret store is available on this machine",
        span,
        "set `adopt` and `credentials` to null in the environment that uses this machine, and set `database` and "
        "`artifacts`",
    )
