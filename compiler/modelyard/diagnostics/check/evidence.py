"""Diagnostics about evidence that can be deleted or is not kept: W0864 and W0865."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def captures_by_shared_key(span: Span, store: str) -> Diagnostic:
    """In high-risk systems and regulated industries, captures are the record of requests and responses.

    A single key for a whole store has the permissions of every workload that uses it, so a workload that writes
    captures can also delete them. With separate keys, a server can only add captures, unless another feature requires
    it to delete objects.

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
        f"servers can delete the captures they write to store {quote(store)}, because all workloads share one key",
        span,
        "set `credentialsPer: workload`, with a secret for each workload under that path",
    )


def evidence_off(span: Span, field: str, consequence: str) -> Diagnostic:
    """Auditors of a high-risk system need to know how a model was trained, who called it, and what replaced it.

    Wrong:

        governance: {risk: high, lineage: false, …}

    Right:

        governance: {risk: high, …}
    """
    return Diagnostic(
        "W0865",
        Severity.WARNING,
        f"`{field}` is off in a high-risk system: {consequence}",
        span,
        f"remove `{field}: false`",
    )
