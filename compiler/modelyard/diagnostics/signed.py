"""Diagnostics about approvals that lie beside a spec: E0970, W0971 and E0978."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity
from modelyard.source import Span


def approval_unreadable(span: Span, why: str) -> Diagnostic:
    """A file under `approvals/` is no signed statement, so that it would approve nothing.

    Wrong: `approvals/model-risk/fraud.json` that was written by hand, or that a merge has left with conflict markers

    Right: the file that `modelyard approve --save` writes
    """
    return Diagnostic(
        "E0970",
        Severity.ERROR,
        f"'{span.file}' is not an approval: {why}",
        None,
        "write it anew with `modelyard approve --save`, or remove it",
    )


def approval_without_effect(span: Span, why: str) -> Diagnostic:
    """An approval beside a spec is about something that this spec does not ask about, or by a key that is not listed.

    Those of other environments are left alone, since each environment reads its own.

    Wrong: `approvals/model-risk/…` about alias `champoin`

    Right: an approval about an alias that a training or a stage moves
    """
    return Diagnostic(
        "W0971",
        Severity.WARNING,
        f"'{span.file}' approves nothing here: {why}",
        None,
        "sign again with `modelyard approve --save`, or remove it",
    )


def too_many_approvals(span: Span, environment: str, most: int) -> Diagnostic:
    """There are more approvals beside a spec than the promoter can be given. None is left out in silence.

    Wrong: `approvals/` with the approvals of years, for versions that are long gone

    Right: those files moved elsewhere, or deleted: Git keeps them
    """
    return Diagnostic(
        "E0978",
        Severity.ERROR,
        f"'{span.file}' is one approval too many: environment {environment!r} has more than {most}",
        None,
        "delete those of versions that are gone; Git keeps them",
    )
