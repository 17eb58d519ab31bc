"""What is told about a spec that is too much: of text, of values, of depth, or of mistakes."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from modelyard.diagnostics.base import Diagnostic, Severity, in_order
from modelyard.source import Span

MOST_MISTAKES: Final = 1000


def at_most(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The first thousand diagnostics in order; what is beyond them is not even looked for, and that is told."""
    told = list(islice(found, MOST_MISTAKES + 1))
    if len(told) > MOST_MISTAKES:
        more = told.pop().span
        told.append(too_many_mistakes(more or Span("", 1, 1, 2), MOST_MISTAKES))
    return in_order(told)


def file_too_large(span: Span, limit_mib: int) -> Diagnostic:
    """A spec is at most 64 MiB of text.

    That is more than ten thousand models; something else was probably given.

    Wrong: a data file where a spec belongs.

    Right: the spec, with the data under `data` by its path.
    """
    return Diagnostic(
        "E0114", Severity.ERROR, f"the file is larger than {limit_mib} MiB", span, "is this the right file?"
    )


def nested_too_deep(span: Span, limit: int) -> Diagnostic:
    """Mappings and lists are nested at most 64 levels deep.

    Wrong: `[[[[[[…]]]]]]` with 65 brackets.

    Right: a flatter structure; no field of a spec needs a tenth of it.
    """
    return Diagnostic(
        "E0115", Severity.ERROR, f"this is nested deeper than {limit} levels", span, "flatten the structure"
    )


def too_many_values(span: Span, limit: int) -> Diagnostic:
    """A spec holds at most 1,250,000 values.

    Wrong: a table of measurements in the spec.

    Right: the table in a file, and its path under `data`.
    """
    return Diagnostic(
        "E0116", Severity.ERROR, f"the spec holds more than {limit} values", span, "split it into several systems"
    )


def alias_expansion(span: Span, limit: int) -> Diagnostic:
    """Aliases may repeat at most a million values.

    A few lines of aliases of aliases can stand for more values than any memory holds.

    Wrong:

        a: &a [x, x, x, x, x, x, x, x, x, x]
        b: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]
        c: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]

    Right: a named compute class, or a variable.
    """
    return Diagnostic(
        "E0117",
        Severity.ERROR,
        f"aliases stand for more than {limit} values in all",
        span,
        "write the values out, or name them under 'vars' or 'compute'",
    )


def too_many_mistakes(span: Span, limit: int) -> Diagnostic:
    """A thousand mistakes are told at once, not more.

    Wrong: a file with a thousand duplicate keys.

    Right: mend what was told, then run again.
    """
    return Diagnostic(
        "E0120", Severity.ERROR, f"more than {limit} mistakes; the rest is not told", span, "mend these first"
    )
