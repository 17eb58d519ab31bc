"""Diagnostics about evidence that may be removed, or is not kept: W0864 and W0865."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def captures_by_shared_key(span: Span, store: str) -> Diagnostic:
    """At high risk, and in a regulated industry, captures are the record of what was asked and answered.

    One key for a whole store has the rights of every workload that opens it, so that whoever writes captures may also
    delete them. With a key each, a server may add captures and no more, where nothing else asks it to delete them.

    Wrong:

        stores: {audit: {type: object, endpoint: …, credentials: secret://vault/audit}}
        inference: {scorer: {capture: {store: audit}, …}}

    Right:

        stores: {audit: {type: object, endpoint: …, credentials: secret://vault/audit, credentialsPer: workload}}
        inference: {scorer: {capture: {store: audit}, …}}
    """
    return Diagnostic(
        "W0864",
        Severity.WARNING,
        f"whoever writes captures to store {quote(store)} may delete them: every workload opens it by the same key",
        span,
        "write credentialsPer: workload, with a secret for each below that path",
    )


def evidence_off(span: Span, field: str, what: str) -> Diagnostic:
    """At high risk, somebody will ask which data a model came from, who called it, and what it was replaced by.

    Wrong:

        governance: {risk: high, lineage: false, …}

    Right:

        governance: {risk: high, …}
    """
    return Diagnostic(
        "W0865",
        Severity.WARNING,
        f"{field} is off in a system of high risk: {what}",
        span,
        f"remove {field}: false",
    )
