"""Diagnostics about overrides of compiled objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span

_ADMISSION_POLICIES: Final = frozenset({"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"})


def override_of_nothing(span: Span, address: str, placement: str, known: Iterable[str]) -> Diagnostic:
    """An override names an object that the target does not emit.

    `modelyard explain inference.scorer` lists an endpoint's objects, which are also in the emitted manifests.

    Admission policies cannot be overridden, because they are derived from a workload's objects after all overrides.

    Wrong:

        overrides: {shm: {object: RayService/scorr, patch: […], reason: larger shared memory}}

    Right:

        overrides: {shm: {object: RayService/scorer, patch: […], reason: larger shared memory}}
    """
    kind, _, name = address.partition("/")
    if kind in _ADMISSION_POLICIES:
        return Diagnostic(
            "E0620",
            Severity.ERROR,
            f"admission policy {quote(name)} cannot be overridden",
            span,
            "override the workload's other objects, and the policy adapts",
        )
    return Diagnostic(
        "E0620",
        Severity.ERROR,
        f"target {quote(placement)} has no object {quote(address)}",
        span,
        nearest(address, known, "did you mean {}?"),
    )


def override_fails(span: Span, name: str, op: str, path: str) -> Diagnostic:
    """A JSON Patch is applied as a whole or not at all, and one operation of this patch fails.

    `add` needs the parent of its path to exist, `replace` and `remove` need the path itself, and `test` needs the given
    value at the path.

    Wrong:

        patch: [{op: replace, path: /spec/rayClusterConfg/rayVersion, value: 2.60.1}]

    Right:

        patch: [{op: replace, path: /spec/rayClusterConfig/rayVersion, value: 2.60.1}]
    """
    return Diagnostic(
        "E0621",
        Severity.ERROR,
        f"override {quote(name)} cannot {op} {quote(path)}: {_FAILURES.get(op, 'the path does not exist')}",
        span,
        "look up the path in the emitted manifest",
    )


_FAILURES = {
    "add": "the parent of that path does not exist",
    "test": "it has a different value",
    "copy": "the source or the parent of that path does not exist",
    "move": "the source or the parent of that path does not exist",
}


def override_renames(span: Span, name: str) -> Diagnostic:
    """An override must not turn one object into another, because others refer to it by kind, name and namespace.

    Wrong:

        patch: [{op: replace, path: /metadata/name, value: other}]

    Right:

        moved: {inference.other: inference.scorer}
    """
    return Diagnostic(
        "E0622",
        Severity.ERROR,
        f"override {quote(name)} changes the version, kind, name or namespace of its object",
        span,
        "remove that operation",
    )


def override_refused(span: Span, name: str, by: str, problem: str) -> Diagnostic:
    """An override produces an object that the API server rejects.

    It has an unknown field or a value of the wrong type, or it lacks a required field. Null is also rejected, so use
    `remove` to omit a field.

    A JSON document in a ConfigMap, such as a pipeline's RayJob, is checked in the same way, because its workload must
    still be able to read it.

    Wrong:

        overrides:
          patient:
            object: CronJob/monitor-drift
            patch: [{op: replace, path: /spec/jobTemplate/spec/backoffLimit, value: "three"}]
            reason: The store is slow in the morning.

    Right:

        overrides:
          patient:
            object: CronJob/monitor-drift
            patch: [{op: replace, path: /spec/jobTemplate/spec/backoffLimit, value: 3}]
            reason: The store is slow in the morning.
    """
    return Diagnostic(
        "E0836",
        Severity.ERROR,
        f"override {quote(name)} produces an object that {by} rejects: {problem}",
        span,
    )
