"""Repeat a document's entries for the rows of a list, as part of variable substitution."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final, TypeAlias

from modelyard.diagnostics import lists as tell
from modelyard.diagnostics.base import ENTRIES, Diagnostic, has_errors
from modelyard.diagnostics.sites import unknown_site_value
from modelyard.inputs import InputFile
from modelyard.patterns import pattern
from modelyard.records import field, record
from modelyard.sites.groups import Group, Scalar, check_values, lists_of
from modelyard.source import Document, Json, Path, Repeat, SourceFile, Span, with_file
from modelyard.substitution import FOR_EACH, LISTS, REFERENCE, Substitution, text_of

_NAME: Final = pattern(r"[a-z]([a-z0-9-]{0,38}[a-z0-9])?\Z")
_EACH: Final = pattern(r"\$\{each\.([A-Za-z][-A-Za-z0-9_]*)\}\Z")
_LIST: Final = pattern(r"\$\{lists\.([a-z][-a-z0-9]*)\.([A-Za-z][-A-Za-z0-9_]*)\}")

Row: TypeAlias = "tuple[Group, int]"
"""A list and the position of a row."""

_Result: TypeAlias = "tuple[Document, tuple[Diagnostic, ...]]"


def with_lists(
    document: Document, tables: Mapping[str, InputFile | str], substituted: Callable[[Lists], _Result]
) -> _Result:
    """Call `substituted` with a document's lists, unless they have errors."""
    groups, problems = lists_of(document, tables)
    if has_errors(problems):
        return document, problems
    files = (SourceFile.read(table.path, table.content) for table in tables.values() if isinstance(table, InputFile))
    return substituted(Lists(groups, tuple(files)))


@record(frozen=False)
class Lists:
    """The lists in a document, and the row whose values are being inserted.

    `repeated` holds the entries created for rows, `item` is the row that a YAML list item is being repeated for, and
    `sound` states whether the values in a list's column are valid.
    """

    groups: Mapping[str, Group]
    files: tuple[SourceFile, ...]
    row: Row | None = None
    item: Row | None = None
    repeated: dict[Path, Repeat] = field(default_factory=dict[Path, Repeat])
    sound: dict[tuple[str, str], bool] = field(default_factory=dict[tuple[str, str], bool])
    named: set[str] = field(default_factory=set[str])

    @property
    def current(self) -> str:
        """A string that differs for each row, or "" outside of repeated entries."""
        return "" if self.row is None else f"{self.row[0].name}/{self.row[1]}"

    def with_files(self, document: Document) -> Document:
        """Return the document, adding the CSV files that its values may come from."""
        for file in self.files:
            if all(other.path != file.path for other in document.files):
                document = with_file(document, file)
        return document

    def unused(self, document: Document) -> Iterator[Diagnostic]:
        """Report lists that are not used."""
        for name in self.groups:
            if name not in self.named:
                yield tell.unused_list(document.key_span((LISTS, name)), name)

    # --- entries

    def expanded(self, walk: Substitution, section: str, entries: dict[str, Json]) -> Json:
        """Return a section with each `forEach` entry repeated for each row."""
        result = _Section(section)
        for (key, child), numbers in zip(entries.items(), walk.spans.entries(entries), strict=True):
            list_name = child.get(FOR_EACH) if isinstance(child, dict) else None
            if isinstance(child, dict) and isinstance(list_name, str):
                self._repeat(walk, result, key, child, numbers)
                continue
            if "${" in key:
                walk.refuse_key(entries, key)
            here = walk.document.span(_key(numbers))
            origin = f"is already on line {here.line}"
            if key in result.value:
                row = self.repeated[section, key].row
                walk.diagnostics.append(tell.name_twice(here, ENTRIES[section], key, row, origin))
            result.add(key, walk.child(child, entries, key), numbers, origin)
        walk.spans.record(result.value, result.numbers)
        return result.value

    def _repeat(
        self, walk: Substitution, result: _Section, key: str, child: dict[str, Json], numbers: list[int]
    ) -> None:
        here = walk.document.span(_key(numbers))
        group = self._group(walk, str(child[FOR_EACH]), walk.span(child, FOR_EACH))
        if group is None:
            return
        if "${each." not in key.replace("$${", ""):
            walk.diagnostics.append(tell.same_key(here, key, group.name))
            return
        for at, row in enumerate(group.names):
            self.row = (group, at)
            name, place = self._filled(walk, key, here)
            if name is not None and result.accepts(walk, name, place or here, row):
                entry = _without(walk, walk.descend(child), FOR_EACH)
                result.add(name, entry, numbers, f"row {row!r} of list {group.name!r} already creates")
                self.repeated[result.section, name] = Repeat(key, group.name, row, group.places(at, "name"))
            self.row = None

    def _group(self, walk: Substitution, name: str, span: Span) -> Group | None:
        group = self.groups.get(name)
        self.named.add(name)
        if group is None:
            walk.diagnostics.append(tell.unknown_list(span, name, self.groups))
        return group

    def _filled(self, walk: Substitution, key: str, here: Span) -> tuple[str | None, Span | None]:
        """Return a key with the row's values inserted, and the location of the last of these values."""
        place: Span | None = None
        pieces: list[str] = []
        at = 0
        for match in REFERENCE.finditer(key):
            inside = match["inside"]
            value: Scalar | None = "${"
            if inside is not None:
                column = _EACH.match(match[0])
                if column is None:
                    walk.diagnostics.append(tell.each_elsewhere(here, match[0]))
                    return None, None
                value, place = self._value(walk, self.row, column[1], lambda: here)
            if value is None:
                return None, None
            pieces += (key[at : match.start()], text_of(value))
            at = match.end()
        return "".join((*pieces, key[at:])), place

    # --- values

    def resolved(self, walk: Substitution, reference: str, here: Callable[[], Span]) -> Scalar:
        """Return the value of `${each.…}` or `${lists.…}`. After an error, return the string unchanged."""
        each_match, list_match = _EACH.match(reference), _LIST.match(reference)
        if each_match is not None:
            if self.row is None:
                walk.diagnostics.append(tell.each_elsewhere(here(), reference))
            value, _ = self._value(walk, self.row, each_match[1], here)
        elif list_match is not None and self.item is not None and self.item[0].name == list_match[1]:
            value, _ = self._value(walk, self.item, list_match[2], here)
        else:
            value = None
            walk.diagnostics.append(self._misplaced(reference, here()))
        return reference if value is None else value

    def _misplaced(self, reference: str, here: Span) -> Diagnostic:
        if self.item is None:
            return tell.list_elsewhere(here, reference)
        return tell.list_elsewhere(
            here, reference, f"names a different list from the rest of its item, which uses {self.item[0].title}"
        )

    def _value(
        self, walk: Substitution, row: Row | None, column: str, here: Callable[[], Span]
    ) -> tuple[Scalar | None, Span | None]:
        """Return a row's value and its location."""
        if row is None:
            return None, None
        group, at = row
        if column not in group.columns:
            problem = unknown_site_value(here(), column, group.member, group.title, group.columns)
            walk.diagnostics.append(problem)
            return None, None
        if (group.name, column) not in self.sound:
            problems = list(check_values(group, (column,)))
            walk.diagnostics += problems
            self.sound[group.name, column] = not problems
        if not self.sound[group.name, column]:
            return None, None
        return group.value(at, column), group.places(at, column)

    def place_of(self, value: Json) -> Span | None:
        """Return the location of a row's value that replaced a whole string."""
        match = _EACH.match(value) if isinstance(value, str) else None
        if match is None or self.row is None or match[1] not in self.row[0].columns:
            return None
        return self.row[0].places(self.row[1], match[1])

    # --- list items

    def lengthens(self, items: list[Json]) -> bool:
        """Return whether any item has to be repeated for all rows of one of the spec's lists."""
        return any(isinstance(item, str) and _LIST.search(item) is not None for item in items)

    def lengthened(self, walk: Substitution, items: list[Json]) -> Json:
        """Return the items, repeating those that contain `${lists.…}` for each row of that list."""
        result: list[Json] = []
        numbers: list[int] = []
        for at, (item, places) in enumerate(zip(items, walk.spans.entries(items), strict=True)):
            match = _LIST.search(item) if isinstance(item, str) else None
            group = None if match is None else self._group(walk, match[1], walk.span(items, at))
            rows: list[Row | None] = [None] if group is None else [(group, row) for row in range(len(group.names))]
            for row in () if match is not None and group is None else rows:
                self.item = row
                result.append(walk.child(item, items, at))
                numbers += places
            self.item = None
        walk.spans.record(result, numbers)
        return result


@record(frozen=False)
class _Section:
    """A section of the resulting document. `origins` records which definition and row each entry comes from."""

    section: str
    value: dict[str, Json] = field(default_factory=dict[str, Json])
    numbers: list[int] = field(default_factory=list[int])
    origins: dict[str, str] = field(default_factory=dict[str, str])

    def add(self, name: str, entry: Json, numbers: list[int], origin: str) -> None:
        """Add an entry, unless its name is already in use."""
        if name not in self.value:
            self.value[name] = entry
            self.numbers += numbers
            self.origins[name] = origin

    def accepts(self, walk: Substitution, name: str, span: Span, row: str) -> bool:
        """Return whether a name is allowed for a row's entry, and report the reason if not."""
        what = ENTRIES[self.section]
        if _NAME.match(name) is None:
            walk.diagnostics.append(tell.bad_expanded_name(span, what, name, row))
        elif name in self.value:
            walk.diagnostics.append(tell.name_twice(span, what, name, row, self.origins[name]))
        else:
            return True
        return False


def _key(numbers: list[int]) -> tuple[int, int, int]:
    return numbers[0], numbers[1], numbers[2]


def _without(walk: Substitution, value: Json, key: str) -> Json:
    """Return a mapping without one of its keys, with the same spans."""
    assert isinstance(value, dict)
    entries = zip(value, walk.spans.entries(value), strict=True)
    kept = {name: child for name, child in value.items() if name != key}
    walk.spans.record(kept, [number for name, numbers in entries if name != key for number in numbers])
    return kept
