"""Diagnostics about lists and repeated entries: E0678, E0679, E0682 to E0684, E0686 and W0687."""

from __future__ import annotations

from collections.abc import Iterable

from modelyard.diagnostics.base import Diagnostic, Severity, nearest, quote
from modelyard.source import Span


def unknown_list(span: Span, name: str, known: Iterable[str]) -> Diagnostic:
    """The spec refers to a list that it does not declare under `lists`.

    Wrong:

        lists: {regions: {values: {north: {}, south: {}}}}
        models: {"demand-${each.name}": {forEach: region, …}}

    Right:

        models: {"demand-${each.name}": {forEach: regions, …}}
    """
    names = list(known)
    hint = nearest(name, names, "did you mean {}?")
    if not hint and names:
        hint = f"available: {', '.join(sorted(names)[:8])}"
    return Diagnostic("E0678", Severity.ERROR, f"unknown list {quote(name)}", span, hint or "add it under `lists`")


def each_elsewhere(span: Span, reference: str) -> Diagnostic:
    """A row's value is used outside an entry with `forEach`, where there is no row.

    Wrong:

        models: {demand: {card: {purpose: "Predicts demand in ${each.name}."}, …}}

    Right:

        models: {"demand-${each.name}": {forEach: regions, card: {purpose: "Predicts demand in ${each.name}."}, …}}
    """
    return Diagnostic(
        "E0679",
        Severity.ERROR,
        f"{quote(reference)} can be used only in an entry with `forEach`, which is repeated for each row",
        span,
        "add `forEach` to the dataset, model, pipeline, endpoint, monitor or store",
    )


def list_elsewhere(
    span: Span, reference: str, problem: str = "can be used only in a list item, which is repeated for each row"
) -> Diagnostic:
    """`${lists.NAME.COLUMN}` stands for all rows of a list, so it works only in a list item, which is repeated.

    An item can name only one list.

    Wrong: `model: "demand-${lists.regions.name}"`

    Right: `inputs: ["sales-${lists.regions.name}"]`
    """
    return Diagnostic(
        "E0682",
        Severity.ERROR,
        f"{quote(reference)} {problem}",
        span,
        "use it in a list item, or use `forEach` and `${each.…}` for one row at a time",
    )


def name_twice(span: Span, what: str, name: str, row: str, other: str) -> Diagnostic:
    """A row gives an entry the name of another entry, so one of the two would be lost.

    Wrong: rows `north` and `south` with the same `code` in `models: {"demand-${each.code}": {forEach: regions, …}}`

    Right: `models: {"demand-${each.name}": {forEach: regions, …}}`
    """
    return Diagnostic(
        "E0683",
        Severity.ERROR,
        f"row {quote(row)} would create {what} {quote(name)}, which {other}",
        span,
        "rename one of them, or use the rows' names, which are unique",
    )


def bad_expanded_name(span: Span, what: str, name: str, row: str) -> Diagnostic:
    """An entry's key is not a valid name once a row's value is filled in.

    Names have at most 40 lower-case letters, digits and hyphens, and start with a letter.

    Wrong: a row with `code: North` for `models: {"demand-${each.code}": {forEach: regions, …}}`

    Right: `code: north`
    """
    return Diagnostic(
        "E0684",
        Severity.ERROR,
        f"row {quote(row)} would create {what} {quote(name)}, which is not a valid name",
        span,
        "use at most 40 lower-case letters, digits and hyphens, starting with a letter",
    )


def same_key(span: Span, key: str, name: str) -> Diagnostic:
    """The key of a repeated entry contains no value from the row, so every row would create the same entry.

    Wrong:

        models: {demand: {forEach: regions, …}}

    Right:

        models: {"demand-${each.name}": {forEach: regions, …}}
    """
    return Diagnostic(
        "E0686",
        Severity.ERROR,
        f"every row of list {quote(name)} would create the same entry, {quote(key)}",
        span,
        f'include a value from the row in the key, as in "{key}-${{each.name}}"' if "${" not in key else "",
    )


def unused_list(span: Span, name: str) -> Diagnostic:
    """An unused list is probably misspelt somewhere, or left over.

    Wrong:

        lists: {regions: {file: regions.csv}}
        models: {demand: {…}}

    Right:

        models: {"demand-${each.name}": {forEach: regions, …}}
    """
    return Diagnostic(
        "W0687", Severity.WARNING, f"list {quote(name)} is never used", span, "use it with `forEach`, or remove it"
    )
