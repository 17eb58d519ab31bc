"""Diagnostics about specs that exceed a limit: on text, values, depth or the number of errors."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from modelyard.diagnostics.base import Diagnostic, Severity, in_order
from modelyard.source import Span

MOST_MISTAKES: Final = 1000


def at_most(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return the first thousand diagnostics in order, followed by one about the limit if there are more."""
    reported = list(islice(diagnostics, MOST_MISTAKES + 1))
    if len(reported) > MOST_MISTAKES:
        span = reported.pop().span
        reported.append(too_many_mistakes(span or Span("", 1, 1, 2), MOST_MISTAKES))
    return in_order(reported)


def file_too_large(span: Span, limit_mib: int) -> Diagnostic:
    """A spec may be at most 64 MiB.

    That is enough for more than ten thousand models, so this is probably the wrong file.

    Wrong: a data file passed as the spec.

    Right: the spec, which names the path of the data file under `data`.
    """
    return Diagnostic(
        "E0114", Severity.ERROR, f"the file is larger than {limit_mib} MiB", span, "check that this is the right file"
    )


def nested_too_deep(span: Span, limit: int) -> Diagnostic:
    """Mappings and lists may be nested at most 64 levels deep.

    Wrong: `[[[[[[…]]]]]]` with 65 brackets.

    Right: a flatter structure. No spec field needs even a tenth of that depth.
    """
    return Diagnostic(
        "E0115", Severity.ERROR, f"this is nested more than {limit} levels deep", span, "flatten the structure"
    )


def too_many_values(span: Span, limit: int) -> Diagnostic:
    """A spec may contain at most 1,250,000 values.

    Wrong: a table of measurements in the spec.

    Right: the table in a file, with its path under `data`.
    """
    return Diagnostic(
        "E0116", Severity.ERROR, f"the spec contains more than {limit} values", span, "split it into several systems"
    )


def alias_expansion(span: Span, limit: int) -> Diagnostic:
    """Aliases may expand to at most a million values.

    A few lines of nested aliases can expand to more values than fit in memory.

    Wrong:

        a: &a [x, x, x, x, x, x, x, x, x, x]
        b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
        c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]

    Right: a named compute class, or a variable.
    """
    return Diagnostic(
        "E0117",
        Severity.ERROR,
        f"aliases expand to more than {limit} values in total",
        span,
        "write the values out, or define shared values under `vars` or `compute`",
    )


def too_many_mistakes(span: Span, limit: int) -> Diagnostic:
    """One run reports at most a thousand errors.

    Wrong: a file with a thousand duplicate keys.

    Right: fix the reported errors, then run again.
    """
    return Diagnostic(
        "E0120", Severity.ERROR, f"more than {limit} errors; the rest are not reported", span, "fix these first"
    )
