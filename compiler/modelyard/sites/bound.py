"""Insert site values into a document, as part of variable substitution."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from modelyard.address_ranges import misaligned
from modelyard.diagnostics.base import Diagnostic, has_errors
from modelyard.diagnostics.bounds import at_most
from modelyard.edits import value_at
from modelyard.inputs import InputFile
from modelyard.patterns import pattern
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

_SITE: Final = pattern(r"\$\{site\.([-A-Za-z0-9_]+)\}\Z")
_MARKED = Choice(frozenset(), 0)


@record
class SiteChoices:
    """How to bind site groups. Groups without a choice get markers.

    `tables` holds the files with sites, and `before` the groups found by an earlier run, if any.
    """

    tables: Mapping[str, InputFile | str]
    choices: Mapping[str, Choice]
    before: Bound | None = None


def with_sites(
    document: Document, settings: Mapping[str, str], others: Iterable[InputFile], sites: SiteChoices
) -> tuple[Document, Bound | None, tuple[Diagnostic, ...]]:
    """Replace all references to variables and to site values in a document."""
    listed = tuple(others)
    unbound, problems = (
        (sites.before, ()) if sites.before is not None else _used_values(document, settings, listed, sites)
    )
    if unbound is None:
        return document, None, problems
    bindings: dict[str, Binding] = {}
    for group in unbound.groups:
        columns = columns_of(group, (column for target, column in unbound.used if target == group.name))
        choice = sites.choices.get(group.name, _MARKED)
        bindings[group.name] = binding_of(unbound.numbers[group.name], group, columns, choice)
    scopes = scopes_of(document, unbound.groups, bindings)
    result, warnings = substitute(document, settings, listed, scopes, sites.tables)
    result = without_exceptions(result, bindings)
    bound = Bound(unbound.groups, unbound.used, unbound.markable, unbound.places, unbound.numbers, bindings)
    return result, bound, (*problems, *warnings)


def unfilled(
    document: Document, settings: Mapping[str, str], others: Iterable[InputFile], sites: SiteChoices
) -> Document:
    """Replace the variables in a document, and leave references to site values unchanged."""
    groups, _ = groups_of(document, sites.tables)
    return substitute(document, settings, others, scopes_of(document, groups, None), sites.tables)[0]


def _used_values(
    document: Document, settings: Mapping[str, str], others: tuple[InputFile, ...], sites: SiteChoices
) -> tuple[Bound | None, tuple[Diagnostic, ...]]:
    """Read the groups and find the columns the spec uses. Returns None after an error."""
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
        problems += at_most(check_values(group, (item for item in columns if not item.startswith(EXCEPTION))))
        problems += at_most(_misaligned(document, group))
    if has_errors(problems):
        return None, problems
    texts = [file.text for file in document.files]
    texts += [
        SourceFile.read(item.path, item.content).text for item in sites.tables.values() if isinstance(item, InputFile)
    ]
    numbers = free_numbers(texts, len(groups))
    places = {group.name: _place(document, group) for group in groups}
    markable = {group.name: _markable(group, used) for group in groups}
    numbers_by_name = {group.name: number for group, number in zip(groups, numbers, strict=True)}
    return Bound(tuple(groups), used, markable, places, numbers_by_name, {}), ()


def _misaligned(document: Document, group: Group) -> Iterator[Diagnostic]:
    """Report sites whose address range in `egress` doesn't start at a multiple of its size.

    Sites with different ranges are compiled just once, using a marker, so later stages don't see each range.
    """
    blocks = value_at(document, (*group.path, "egress"))
    for block in blocks if isinstance(blocks, list) else ():
        match = _SITE.match(block) if isinstance(block, str) else None
        if match is None or match[1] not in group.columns:
            continue
        for at, value in enumerate(group.columns[match[1]]):
            if isinstance(value, str):
                yield from misaligned(value, group.places(at, match[1]))


def _markable(group: Group, used: Mapping[tuple[str, str], list[Span]]) -> tuple[str, ...]:
    columns = columns_of(group, (column for target, column in used if target == group.name))
    return tuple(column for column in columns if form_of(group.columns[column]) is not None)


def _place(document: Document, group: Group) -> Span:
    return document.key_span((*group.path, "sites"))
