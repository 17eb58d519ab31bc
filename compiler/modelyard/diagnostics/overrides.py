"""Diagnostics about overrides of compiled objects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span

_ADMISSION_POLICIES: Final = frozenset({"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"})


def override_of_nothing(span: Span, address: str, placement: str, known: Iterable[str]) -> Diagnostic:
    """An override names an object that the target does not emit.

    `modelyard explain inference.scorer` lists the objects of an endpoint; the emitted manifests show them too.

    Admission policies are emitted and cannot be overridden: they allow whatever the objects of a workload name after
    all overrides.

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
            f"the admission policy {quote(name)} cannot be overridden",
            span,
            "override an object of the workload: its policies follow",
        )
    return Diagnostic(
        "E0620",
        Severity.ERROR,
        f"target {quote(placement)} emits no object {quote(address)}",
        span,
        nearest(address, known, "did you mean {}?"),
    )


def override_fails(span: Span, name: str, op: str, path: str) -> Diagnostic:
    """A JSON Patch applies as a whole or not at all, and one operation of this patch has nothing to act on.

    `add` needs the object or list around its path, `replace` and `remove` need the path itself, and `test` needs the
    path to hold the given value.

    Wrong:

        patch: [{op: replace, path: /spec/rayClusterConfg/rayVersion, value: 2.60.1}]

    Right:

        patch: [{op: replace, path: /spec/rayClusterConfig/rayVersion, value: 2.60.1}]
    """
    return Diagnostic(
        "E0621",
        Severity.ERROR,
        f"override {quote(name)} cannot {op} {quote(path)}: {_FAILURES.get(op, 'there is nothing at that path')}",
        span,
        "look up the path in the emitted manifest",
    )


_FAILURES = {
    "add": "there is no object or list around that path",
    "test": "the value there is different",
    "copy": "there is nothing to copy, or nowhere to put it",
    "move": "there is nothing to move, or nowhere to put it",
}


def override_renames(span: Span, name: str) -> Diagnostic:
    """An override must not turn one object into another: others refer to it by kind, name and namespace.

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

    It has an unknown field, a value of the wrong type, or lacks a required field. Null is rejected as well: to leave
    out a field, remove it.

    A JSON document in a ConfigMap, such as the RayJob of a pipeline, is checked in the same way: it must stay JSON that
    its workload can read.

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
