"""Diagnostics about approvals next to a spec: E0970, W0971 and E0978."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity
from modelyard.source import Span


def approval_unreadable(span: Span, reason: str) -> Diagnostic:
    """A file under `approvals/` is not a signed statement, so it would approve nothing.

    Wrong: `approvals/model-risk/fraud.json` written by hand, or left with conflict markers by a merge

    Right: the file that `modelyard approve --save` writes
    """
    return Diagnostic(
        "E0970",
        Severity.ERROR,
        f"'{span.file}' is not an approval: {reason}",
        None,
        "create it again with `modelyard approve --save`, or remove it",
    )


def approval_without_effect(span: Span, reason: str) -> Diagnostic:
    """An approval next to a spec is about something that this spec does not require, or is signed by an unlisted key.

    Approvals for other environments are ignored, because each environment reads its own.

    Wrong: `approvals/model-risk/…` about alias `champoin`

    Right: an approval about an alias that a training or a stage moves
    """
    return Diagnostic(
        "W0971",
        Severity.WARNING,
        f"'{span.file}' approves nothing here: {reason}",
        None,
        "sign again with `modelyard approve --save`, or remove it",
    )


def too_many_approvals(span: Span, environment: str, most: int) -> Diagnostic:
    """There are more approvals next to a spec than the promoter can take. None is dropped silently.

    Wrong: `approvals/` with years of approvals, for versions that no longer exist

    Right: those files moved elsewhere, or deleted: Git keeps them
    """
    return Diagnostic(
        "E0978",
        Severity.ERROR,
        f"'{span.file}' is one approval too many: environment {environment!r} has more than {most}",
        None,
        "delete those for versions that no longer exist; Git keeps them",
    )
