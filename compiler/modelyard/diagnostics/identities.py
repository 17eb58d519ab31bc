"""Diagnostics about the identities of workloads in other clouds: E0658 and E0659."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def two_identities(span: Span, workload: str, first: str, second: str) -> Diagnostic:
    """A workload accesses stores on two targets in the same other cloud, where it would need two identities.

    The libraries of a cloud look for one identity in a Pod. Workloads on that cloud itself do not have this limit.

    Wrong:

        targets:
          main: {provider: gcp, region: europe-west3}
          lake: {provider: aws, region: eu-central-1}
          archive: {provider: aws, region: eu-west-1}
        pipelines: {retrain: {target: main, inputs: [data in lake, data in archive], …}}

    Right:

        pipelines: {retrain: {target: main, inputs: [data in lake], …}}
    """
    return Diagnostic(
        "E0658",
        Severity.ERROR,
        f"{quote(workload)} accesses stores on targets {quote(first)} and {quote(second)}, but can have only one"
        " identity in their cloud",
        span,
        f"keep the data on one of the two targets, or place the workload on {quote(first)}",
    )


def identity_hidden_by_keys(span: Span, workload: str, store: str, artifacts: str) -> Diagnostic:
    """A workload has a key for the registry's artifacts, and its libraries would also use that key in another cloud.

    MLflow's client reads the key from environment variables, which take precedence over the workload's identity.

    Wrong:

        registry: {database: runs-db, artifacts: runs}
        stores:
          runs: {type: object, target: plant, endpoint: "https://s3.acme.example", credentials: "secret://vault/runs"}
          lake: {type: object, target: main}
        pipelines: {retrain: {target: plant, inputs: [data in lake], …}}

    Right:

        registry: {database: runs-db, artifacts: lake}
    """
    return Diagnostic(
        "E0659",
        Severity.ERROR,
        f"{quote(workload)} needs its identity to access store {quote(store)}, but the key for the registry's artifacts"
        f" in store {quote(artifacts)} takes precedence",
        span,
        f"keep the artifacts in {quote(store)}, or the data in {quote(artifacts)}",
    )
