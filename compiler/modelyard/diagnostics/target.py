"""What is told about a plan that its target cannot honour: E06."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span


def cannot_make(span: Span, kind: str, placement: str, reason: str) -> Diagnostic:
    """Every target says for each kind of resource whether it can make it; this one cannot.

    The message carries the target's own reason and the nearest thing that it can do. docs/targets.md has the whole
    table. Place the workload on another target, or choose what the reason names.

    Wrong:

        deployment: {mode: cloud, provider: azure, region: westeurope}

    Right:

        deployment: {mode: on-prem, provider: kubernetes, context: frankfurt}
    """
    return Diagnostic(
        "E0601",
        Severity.ERROR,
        f"target {quote(placement)} cannot make a {kind}: {reason}",
        span,
    )
