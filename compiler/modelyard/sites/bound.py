"""Insert site values into a document, as part of variable substitution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from modelyard.diagnostics.base import Diagnostic, has_errors
from modelyard.diagnostics.bounds import at_most
from modelyard.inputs import Given
from modelyard.records import record
from modelyard.sites.binding import (
    EXCEPTION,
    Binding,
    Bound,
    Choice,
    binding_of,
    columns_of,
    form_of,
    free_numbers,
    scopes_of,
    with_exceptions,
    without_exceptions,
)
from modelyard.sites.groups import Group, check_values, groups_of
from modelyard.source import Document, SourceFile, Span
from modelyard.variables import substitute

_MARKED = Choice(frozenset(), 0)


@record
class SiteChoices:
    """How to bind the groups of sites, and the results of an earlier run. Groups without a choice get markers."""

    tables: Mapping[str, Given | str]
    choices: Mapping[str, Choice]
    before: Bound | None = None


def with_sites(
    document: Document, settings: Mapping[str, str], others: Iterable[Given], sites: SiteChoices
) -> tuple[Document, Bound | None, tuple[Diagnostic, ...]]:
    """Replace all references to variables and to site values."""
    listed = tuple(others)
    found, problems = (sites.before, ()) if sites.before is not None else _found(document, settings, listed, sites)
    if found is None:
        return document, None, problems
    bindings: dict[str, Binding] = {}
    for group in found.groups:
        columns = columns_of(group, (column for target, column in found.used if target == group.name))
        choice = sites.choices.get(group.name, _MARKED)
        bindings[group.name] = binding_of(found.numbers[group.name], group, columns, choice)
    scopes = scopes_of(document, found.groups, bindings)
    result, warnings = substitute(document, settings, listed, scopes, sites.tables)
    result = without_exceptions(result, bindings)
    bound = Bound(found.groups, found.used, found.markable, found.places, found.numbers, bindings)
    return result, bound, (*problems, *warnings)


def unfilled(document: Document, settings: Mapping[str, str], others: Iterable[Given], sites: SiteChoices) -> Document:
    """Replace variables, and leave references to site values unchanged."""
    groups, _ = groups_of(document, sites.tables)
    return substitute(document, settings, others, scopes_of(document, groups, None), sites.tables)[0]


def _found(
    document: Document, settings: Mapping[str, str], others: tuple[Given, ...], sites: SiteChoices
) -> tuple[Bound | None, tuple[Diagnostic, ...]]:
    """Read the groups, and find the values that the spec uses. Returns None after an error."""
    plain, problems = groups_of(document, sites.tables)
    if has_errors(problems):
        return None, problems
    groups: list[Group] = []
    for group in plain:
        extended, unknown = with_exceptions(document, group)
        groups.append(extended)
        problems += unknown
    scopes = scopes_of(document, tuple(groups), None)
    problems += substitute(document, settings, others, scopes, sites.tables)[1]
    used = scopes.used
    for group in groups:
        columns = columns_of(group, (column for target, column in used if target == group.name))
        problems += at_most(check_values(group, (one for one in columns if not one.startswith(EXCEPTION))))
    if has_errors(problems):
        return None, problems
    texts = [file.text for file in document.files]
    texts += [SourceFile.read(one.path, one.content).text for one in sites.tables.values() if isinstance(one, Given)]
    numbers = free_numbers(texts, len(groups))
    places = {group.name: _place(document, group) for group in groups}
    markable = {group.name: _markable(group, used) for group in groups}
    named = {group.name: number for group, number in zip(groups, numbers, strict=True)}
    return Bound(tuple(groups), used, markable, places, named, {}), ()


def _markable(group: Group, used: Mapping[tuple[str, str], list[Span]]) -> tuple[str, ...]:
    columns = columns_of(group, (column for target, column in used if target == group.name))
    return tuple(column for column in columns if form_of(group.columns[column]) is not None)


def _place(document: Document, group: Group) -> Span:
    return document.key_span((*group.path, "sites"))
