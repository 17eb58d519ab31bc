"""Diagnostics about the output of `pulumi preview --json` that `modelyard diff --preview` reads."""

from __future__ import annotations

from modelyard.diagnostics.base import Diagnostic, Severity, quote
from modelyard.source import Span

_COMMAND = "write it with `pulumi preview --json > preview.json`"


def no_json(span: Span, reason: str) -> Diagnostic:
    """A file for `--preview` is not JSON.

    `pulumi preview --json` writes only JSON to standard output. Keep the messages on standard error out of the file.

    Wrong: `pulumi preview > preview.json`

    Right: `pulumi preview --json > preview.json`
    """
    message = f"this is not JSON: {reason[:1].lower()}{reason[1:]}"
    return Diagnostic("E0172", Severity.ERROR, message, span, _COMMAND)


def no_preview(span: Span, reason: str) -> Diagnostic:
    """A file for `--preview` is JSON, but not what `pulumi preview --json` writes.

    A preview is an object with `steps`, each of which has an `op` and a `urn`. All steps belong to one stack of one
    project. The engine's event log (`--event-log`) and the output of `pulumi stack export` have different formats.

    Wrong: `pulumi stack export > preview.json`

    Right: `pulumi preview --json > preview.json`
    """
    return Diagnostic("E0173", Severity.ERROR, f"this is not a preview: {reason}", span, _COMMAND)


def foreign_preview(span: Span, stack: str, project: str, known: str) -> Diagnostic:
    """A preview is for a stack or project that no environment has in either version of the spec.

    A stack is named after its environment or, for a site, after both, such as `prod.shop-001`. A project is named after
    the system and the target, and its name ends in `-infrastructure` or `-workloads`.

    Wrong: the preview of stack `prod` of project `billing`, for a spec of the system `fraud`

    Right: the preview of stack `prod` of project `fraud-main-workloads`
    """
    message = f"the preview is for stack {quote(stack)} of project {quote(project)}, which this spec does not have"
    return Diagnostic("E0174", Severity.ERROR, message, span, f"the spec has {known}" if known else "")


def preview_twice(span: Span, stack: str, project: str) -> Diagnostic:
    """Two files for `--preview` are previews of the same stack and project, so they may contradict each other.

    Wrong: `modelyard diff --preview monday.json --preview tuesday.json`

    Right: `modelyard diff --preview tuesday.json`
    """
    message = f"another file is also a preview of stack {quote(stack)} of project {quote(project)}"
    return Diagnostic("E0175", Severity.ERROR, message, span, "pass only the newest preview of each stack")
