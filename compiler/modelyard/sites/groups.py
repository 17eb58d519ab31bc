"""Groups in a spec, i.e. the sites of a target or the rows of a list, read from a CSV file or the spec itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Final, TypeAlias

from modelyard.diagnostics import sites as tell
from modelyard.diagnostics.base import Diagnostic, nearest, quote
from modelyard.diagnostics.bounds import at_most
from modelyard.hashing import sha256
from modelyard.inputs import InputFile
from modelyard.load.scalars import MAX_INTEGER, plain_value
from modelyard.patterns import pattern
from modelyard.records import field, record
from modelyard.sites.table import Cell, Table, read_table
from modelyard.source import Document, Json, Path, Span
from modelyard.substitution import LISTS

NAME: Final = "name"
"""The column that every site and row has: its name."""

WAVE: Final = "wave"
"""The column that sites have if new models reach them in waves. Its values are `canary`, `wave-1`, and so on."""

Scalar: TypeAlias = "bool | int | float | str"

_SITE: Final = pattern(
    r"(?!(?:y|n|yes|no|on|off|true|false|null|inf|infinity|nan)\Z)[a-z](?:[-a-z0-9]{0,38}[a-z0-9])?\Z"
)
_ZEROS: Final = pattern(r"[-+]?0[0-9]")
_FORMULA: Final = ("=", "@", "+", "-")
_SHORT: Final = "main"
"""The name of the only target in a `deployment` without `targets`."""


class Member(StrEnum):
    """What the members of a group are: a target's sites, or a list's rows."""

    SITE = "site"
    ROW = "row"


@record(eq=False)
class Group:
    """A target with many sites, or a list with rows. `path` is the target's or list's path in the spec.

    `columns` contains each column's values in the order of `names`, with None for missing values. `places` returns the
    location of the value in a column at a given position.
    """

    name: str
    member: Member
    path: Path
    names: tuple[str, ...]
    columns: dict[str, tuple[Scalar | None, ...]] = field(repr=False)
    places: Callable[[int, str], Span] = field(repr=False)
    texts: Mapping[str, tuple[Cell, ...]] = field(default_factory=dict[str, "tuple[Cell, ...]"], repr=False)
    always: dict[str, None] = field(default_factory=dict[str, None])  # columns that the spec uses without naming them

    @property
    def title(self) -> str:
        """The group's name in messages, such as `target 'shops'`."""
        return f"{'list' if self.member is Member.ROW else 'target'} {quote(self.name)}"

    def value(self, at: int, column: str) -> Scalar:
        """Return the value of a column at a position. The column must have been checked before."""
        value = self.columns[column][at]
        assert value is not None
        return value

    def made_text_by(self, at: int, column: str) -> int | None:
        """Return the position of the value that turns a column into text, if the given one is an unquoted number."""
        cells = self.texts.get(column, ())
        if not cells or isinstance(self.columns[column][at], bool | int | float) or _number(cells[at]) is None:
            return None
        return next((other for other, cell in enumerate(cells) if cell.text and _number(cell) is None), None)


def sites_in(document: Document) -> Iterator[tuple[str, Path, Json]]:
    """Yield the name, path and `sites` field of each target that has this field."""
    deployment = document.value.get("deployment")
    if not isinstance(deployment, dict):
        return
    targets = deployment.get("targets")
    if isinstance(targets, dict):
        for name, target in targets.items():
            if isinstance(target, dict) and "sites" in target:
                yield name, ("deployment", "targets", name), target["sites"]
    elif "sites" in deployment:
        yield _SHORT, ("deployment",), deployment["sites"]


def lists_in(document: Document) -> Iterator[tuple[str, Path, Json]]:
    """Yield the name, path and definition of each list."""
    lists = document.value.get(LISTS)
    for name, definition in lists.items() if isinstance(lists, dict) else ():
        yield name, (LISTS, name), definition


def files_of(document: Document) -> Iterator[str]:
    """Yield the names of site and list files that a document references, in the base and all environments."""
    environments = document.value.get("environments")
    patches = environments.values() if isinstance(environments, dict) else ()
    for value in (document.value, *patches):
        if isinstance(value, dict):
            part = Document(value, document.files, document.spans)
            for _, _, definition in (*sites_in(part), *lists_in(part)):
                if isinstance(definition, dict) and isinstance(definition.get("file"), str):
                    yield str(definition["file"])


def groups_of(
    document: Document, tables: Mapping[str, InputFile | str]
) -> tuple[tuple[Group, ...], tuple[Diagnostic, ...]]:
    """Return the site groups in a spec. Malformed fields are ignored, since the schema reports them.

    `tables` holds the files next to the spec, or the reasons why they can't be read.
    """
    groups: list[Group] = []
    problems: list[Diagnostic] = []
    for name, path, sites in sites_in(document):
        group = _group(_Definition(document, name, Member.SITE, path, (*path, "sites")), sites, tables, problems)
        if group is not None and isinstance(sites, dict):
            problems += list(with_waves(group, document, sites.get("waves")))
            groups.append(group)
    return tuple(groups), at_most(problems)


def lists_of(
    document: Document, tables: Mapping[str, InputFile | str]
) -> tuple[dict[str, Group], tuple[Diagnostic, ...]]:
    """Return the lists in a spec by name. See `groups_of`."""
    problems: list[Diagnostic] = []
    groups = {
        name: _group(_Definition(document, name, Member.ROW, path, path), definition, tables, problems)
        for name, path, definition in lists_in(document)
    }
    return {name: group for name, group in groups.items() if group is not None}, at_most(problems)


@record
class _Definition:
    """Where a group is defined: the document, the group's name and path, and the path of its members field."""

    document: Document
    name: str
    member: Member
    path: Path
    here: Path


def _group(
    definition: _Definition, declared: Json, tables: Mapping[str, InputFile | str], problems: list[Diagnostic]
) -> Group | None:
    if not isinstance(declared, dict):
        return None
    if isinstance(declared.get("file"), str):
        return _from_file(definition, str(declared["file"]), tables, problems)
    return _from_spec(definition, declared.get("values"), problems)


def _from_file(
    definition: _Definition, file: str, tables: Mapping[str, InputFile | str], problems: list[Diagnostic]
) -> Group | None:
    member = definition.member
    source = tables.get(file, "modelyard was called without this file")
    if isinstance(source, str):
        span = definition.document.value_span((*definition.here, "file"))
        hint = nearest(file, [name for name, entry in tables.items() if not isinstance(entry, str)], "did you mean {}?")
        problems.append(tell.sites_unreadable(span, member, file, source, hint or "put the file next to the spec"))
        return None
    table, refused = read_table(source, member)
    problems += refused
    if table is None:
        return None
    names = [row[table.columns.index(NAME)] for row in table.rows]
    problems += list(_bad_names(table, names, member))
    texts = {column: tuple(row[at] for row in table.rows) for at, column in enumerate(table.columns)}

    def place(at: int, column: str) -> Span:
        return texts[column][at].span(table.file)

    known = tuple(cell.text for cell in names)
    return Group(definition.name, member, definition.path, known, _Typed(texts), place, texts)


def _bad_names(table: Table, names: Iterable[Cell], member: Member) -> Iterator[Diagnostic]:
    seen: dict[str, int] = {}
    for cell in names:
        if not _SITE.match(cell.text):
            yield tell.bad_site_name(cell.span(table.file), member, cell.text)
        elif cell.text in seen:
            yield tell.site_twice(cell.span(table.file), member, cell.text, seen[cell.text])
        seen.setdefault(cell.text, cell.line)


class _Typed(dict[str, "tuple[Scalar | None, ...]"]):
    """A table's values by column. Columns are converted lazily."""

    def __init__(self, texts: Mapping[str, tuple[Cell, ...]]) -> None:
        super().__init__(dict.fromkeys(texts, ()))
        self._texts = dict(texts)

    def __getitem__(self, column: str) -> tuple[Scalar | None, ...]:
        if column in self._texts:
            self[column] = _typed(column, self._texts.pop(column))
        return super().__getitem__(column)


def _typed(column: str, cells: tuple[Cell, ...]) -> tuple[Scalar | None, ...]:
    """Return a column's values as numbers or booleans if every cell contains one, and as strings otherwise."""
    values = [_number(cell) for cell in cells]
    if column == NAME or any(value is None for value, cell in zip(values, cells, strict=True) if cell.text):
        return tuple(cell.text or None for cell in cells)
    return tuple(values)


def _number(cell: Cell) -> bool | int | float | None:
    """Return the number or boolean in a cell, or None. Numbers in quotes or with leading zeros are strings."""
    value = None if cell.quoted or _ZEROS.match(cell.text) else plain_value(cell.text)
    return value if isinstance(value, bool | int | float) and abs(value) <= MAX_INTEGER else None


def _from_spec(definition: _Definition, values: Json, problems: list[Diagnostic]) -> Group | None:
    if not isinstance(values, dict) or not values:
        return None
    document, here = definition.document, (*definition.here, "values")
    values_by_column: dict[str, list[Scalar | None]] = {NAME: list(values)}
    for at, (site, entry) in enumerate(values.items()):
        for column, value in (entry if isinstance(entry, dict) else {}).items():
            if column == NAME:
                span = document.key_span((*here, site, column))
                problems.append(
                    tell.bad_columns(span, f"'name' is already the {definition.member}'s own name", "rename the value")
                )
            elif isinstance(value, bool | int | float | str):
                values_by_column.setdefault(column, [None] * len(values))[at] = value

    def place(at: int, column: str) -> Span:
        site = list(values)[at]
        return document.key_span((*here, site) if column == NAME else (*here, site, column))

    columns = {column: tuple(each) for column, each in values_by_column.items()}
    return Group(definition.name, definition.member, definition.path, tuple(values), columns, place)


def check_values(group: Group, columns: Iterable[str]) -> Iterator[Diagnostic]:
    """Report missing values, formulas, and values of inconsistent type in the columns that the spec uses."""
    for column in columns:
        values = group.columns[column]
        cells = group.texts.get(column, ())
        numbers = {at for at, value in enumerate(values) if isinstance(value, bool | int | float)}
        numbers |= {at for at, cell in enumerate(cells) if column != NAME and _number(cell) is not None}
        present = sum(value is not None for value in values)
        mixed = len(numbers) < present < 2 * len(numbers) and not any(cell.quoted for cell in cells)
        for at, value in enumerate(values):
            problem = _problem(value, mixed and at not in numbers, group.member)
            if problem is not None:
                yield tell.bad_site_value(group.places(at, column), group.member, group.names[at], column, *problem)


def _problem(value: Scalar | None, not_a_number: bool, member: Member) -> tuple[str, str] | None:
    if value is None:
        return "has no value", f"add a value, because the spec needs one for every {member}"
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"is a formula, {quote(value)}", "replace the formula with its result"
    if not_a_number:
        return f"is {quote(value)}, but most {member}s have a number", "write a number, or put all values in quotes"
    return None


def with_waves(group: Group, document: Document, waves: Json) -> Iterator[Diagnostic]:
    """Add each site's wave as column `wave`, and report unknown canary sites.

    A site's wave depends only on its name, so adding or removing other sites doesn't change it.
    """
    canary = waves.get("canary") if isinstance(waves, dict) else None
    if not isinstance(waves, dict) or not isinstance(canary, list):
        return
    here = (*group.path, "sites", "waves")
    if WAVE in group.columns:
        problem = f"the sites have a value {quote(WAVE)}, but `waves` sets that value itself"
        yield tell.bad_columns(document.key_span(here), problem, "rename the value")
        return
    for at, site in enumerate(canary):
        if site not in group.names:
            yield tell.unknown_site(document.value_span((*here, "canary", at)), str(site), group.name, group.names)
    shares = waves.get("shares")
    bounds = [_share(share) for share in shares] if isinstance(shares, list) else []
    for at in range(1, len(bounds)):
        if bounds[at] <= bounds[at - 1]:
            yield tell.shrinking_wave(document.value_span((*here, "shares", at)))
            return
    chosen = {str(site) for site in canary}
    group.always[WAVE] = None
    group.columns[WAVE] = tuple("canary" if name in chosen else _wave(name, bounds) for name in group.names)


def _share(text: Json) -> float:
    number = text.rstrip("%") if isinstance(text, str) else ""
    return float(number) / 100 if number.isascii() and number.isdigit() else 1.0


def _wave(name: str, bounds: list[float]) -> str:
    place = int(sha256(name.encode()).hexdigest()[:8], 16) / 2**32
    return f"wave-{next((at for at, bound in enumerate(bounds, 1) if place < bound), len(bounds) + 1)}"
