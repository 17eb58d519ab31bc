"""Diagnostics about approvals stored next to a spec: E0970, W0971 and E0978."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity
from modelyard.source import Span


def approval_unreadable(span: Span, reason: str) -> Diagnostic:
    """A file under `approvals/` is not a signed statement, so it approves nothing.

    Wrong: `approvals/model-risk/fraud.json` written by hand, or left with conflict markers by a merge

    Right: the file that `modelyard approve --save` writes
    """
    return Diagnostic(
        "E0970",
        Severity.ERROR,
        f"'{span.file}' is not an approval: {reason}",
        None,
        "recreate it with `modelyard approve --save`, or remove it",
    )


def approval_without_effect(span: Span, reason: str) -> Diagnostic:
    """An approval is for something that the spec does not require, or is signed with a key that is not listed.

    Approvals for other environments are ignored, because each environment reads its own.

    Wrong: `approvals/model-risk/…` for alias `champoin`

    Right: an approval for an alias that a training pipeline or a stage moves
    """
    return Diagnostic(
        "W0971",
        Severity.WARNING,
        f"'{span.file}' has no effect: {reason}",
        None,
        "sign again with `modelyard approve --save`, or remove the file",
    )


def too_many_approvals(span: Span, environment: str, most: int) -> Diagnostic:
    """A spec has more approvals than the promoter can handle. None is silently ignored.

    Wrong: `approvals/` with years of approvals, for versions that no longer exist

    Right: those files moved or deleted, because Git keeps them anyway
    """
    return Diagnostic(
        "E0978",
        Severity.ERROR,
        f"'{span.file}' is one approval too many: environment {environment!r} has more than {most}",
        None,
        "delete approvals of versions that no longer exist; they remain in the Git history",
    )
