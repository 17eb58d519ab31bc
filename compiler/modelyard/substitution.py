"""Walk a document, replacing references to variables, site values and list values."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from modelyard.diagnostics import overlay as tell
from modelyard.diagnostics.base import Diagnostic
from modelyard.patterns import pattern
from modelyard.records import field, record, replace
from modelyard.source import Container, Document, Json, Lines, Path, Span, Spans

if TYPE_CHECKING:
    from modelyard.sites.binding import Scopes
    from modelyard.sites.groups import Group
    from modelyard.sites.lists import Lists
    from modelyard.variables import Variable

Scalar: TypeAlias = "bool | int | float | str"

VARIABLES: Final = "vars"

LISTS: Final = "lists"
"""The section that contains a spec's lists."""

FOR_EACH: Final = "forEach"
"""The field that names the list: the entry is repeated for each of its rows."""

REPEATED: Final = ("stores", "data", "models", "pipelines", "inference", "monitors")
"""The sections whose entries can be repeated."""

REFERENCE: Final = pattern(r"\$\$\{|\$\{(?P<inside>[^{}]*)(?P<end>\}?)")
_NAMED: Final = pattern(r"vars\.([A-Za-z][-A-Za-z0-9_]*)\Z")
_OF_SITE: Final = pattern(r"site\.([A-Za-z][-A-Za-z0-9_]*)\Z")
_OF_LIST: Final = pattern(r"(?:each|lists\.[a-z][-a-z0-9]*)\.[A-Za-z][-A-Za-z0-9_]*\Z")
_MOST_TEXT_MIB: Final = 16


def text_of(value: Json) -> str:
    """Return a scalar in the form in which it is inserted into a string."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@record(frozen=False)
class Substitution:
    """Substitutes all references. Containers that do not change are reused."""

    document: Document
    spans: Spans
    variables: Mapping[str, Variable]
    scopes: Scopes | None
    lists: Lists | None = None
    scope: Group | None = None
    used: set[str] = field(default_factory=set[str])
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    done: dict[tuple[str, str, int], Json] = field(default_factory=dict[tuple[str, str, int], Json])
    text_length: int = 0
    lines: dict[str, Lines] = field(default_factory=dict[str, Lines])

    def root(self, value: dict[str, Json]) -> dict[str, Json]:
        """Replace all references outside declarations, and repeat entries for list rows."""
        for section, place in ((VARIABLES, "the declaration of a variable"), (LISTS, "a list")):
            if section in value:
                self._refuse_in_declarations(value[section], (section,), place)
                self.done["", "", id(value[section])] = value[section]
        if self.lists is not None:
            for section in REPEATED:
                entries = value.get(section)
                if isinstance(entries, dict):
                    self.done["", "", id(entries)] = self.lists.expanded(self, section, entries)
        result = self._container(value)
        return result if isinstance(result, dict) else value

    def _container(self, value: Container) -> Json:
        if isinstance(value, list) and self.lists is not None and self.lists.lengthens(value):
            return self.lists.lengthened(self, value)
        changed: dict[str | int, Json] = {}
        for step, child in value.items() if isinstance(value, dict) else enumerate(value):
            new = self.child(child, value, step)
            if new is not child:
                changed[step] = new
        if isinstance(value, dict):
            for key in value:
                if "${" in key:
                    self.refuse_key(value, key)
        return self._replaced(value, changed) if changed else value

    def child(self, child: Json, owner: Container, step: str | int) -> Json:
        """Replace the references in the value at a key or position of a container."""
        kind = child.__class__
        if kind is str and isinstance(child, str):
            return self._string(child, owner, step) if "${" in child else child
        return self.descend(child) if kind is dict or kind is list else child

    def refuse_key(self, owner: Container, key: str) -> None:
        """Report a key with a reference."""
        self.diagnostics.append(tell.misplaced_reference(self.span(owner, key, is_key=True), "a key"))

    def descend(self, value: Json) -> Json:
        """Resolve a container's references separately for each site group and row it belongs to."""
        outer = self.scope
        if self.scopes is not None:
            self.scope = self.scopes.owners.get(id(value), outer)
        row = "" if self.lists is None else self.lists.current
        key = (self.scope.name if self.scope is not None else "", row, id(value))
        if key not in self.done:
            self.done[key] = self._container(value) if isinstance(value, dict | list) else value
        self.scope = outer
        return self.done[key]

    def _replaced(self, value: Container, changed: Mapping[str | int, Json]) -> Container:
        """Copy a container, keeping its spans and changing some values.

        A value taken unchanged from a row gets that value's span in the list.
        """
        result: Container
        if isinstance(value, dict):
            result = {key: changed.get(key, child) for key, child in value.items()}
        else:
            result = [changed.get(at, child) for at, child in enumerate(value)]
        numbers = self.spans.entries(value)
        if self.lists is not None and self.lists.current:
            for at, child in enumerate(value.values() if isinstance(value, dict) else value):
                place = self.lists.place_of(child)
                if place is not None:
                    numbers[at][-3:] = self.document.numbers(place)
        self.spans.record(result, [number for entry in numbers for number in entry])
        return result

    def _string(self, text: str, owner: Container, step: str | int) -> Json:
        match = REFERENCE.fullmatch(text)
        if match and match["inside"] is not None:
            value = self._resolved(match, owner, step)
            return value if self._may_grow([str(value)], owner, step) else text
        pieces: list[str] = []
        at = 0
        for match in REFERENCE.finditer(text):
            inside = match["inside"]
            if inside is None and self.scopes is not None and text.startswith("site.", match.end()):
                self._report_elsewhere("$${site.", owner, step)
            pieces += (
                text[at : match.start()],
                "${" if inside is None else text_of(self._resolved(match, owner, step)),
            )
            at = match.end()
        pieces.append(text[at:])
        return "".join(pieces) if self._may_grow(pieces, owner, step) else text

    def _resolved(self, match: re.Match[str], owner: Container, step: str | int) -> Scalar:
        """Return the value of a reference, or the original string if the reference is rejected."""
        if match["end"] and (column := _OF_SITE.match(match["inside"])):
            return self._of_site(match[0], column[1], owner, step)
        if match["end"] and _OF_LIST.match(match["inside"]):
            return self._of_list(match[0], owner, step)
        variable_match = _NAMED.match(match["inside"]) if match["end"] else None
        if variable_match is None:
            place = self.place(match[0], owner, step)
            self.diagnostics.append(tell.malformed_reference(place, match[0], self.variables))
            return match[0]
        variable = self.variables.get(variable_match[1])
        if variable is None or variable.value is None:
            self.diagnostics.append(
                tell.unknown_variable(self.place(match[0], owner, step), variable_match[1], self.variables)
            )
            return match[0]
        self.used.add(variable.name)
        return variable.value

    def _of_site(self, reference: str, column: str, owner: Container, step: str | int) -> Scalar:
        """Return the value that a site's column is bound to, or the unchanged string."""
        group, place = self.scope, self.place(reference, owner, step)
        if group is None or self.scopes is None:
            self._report_elsewhere(reference, owner, step)
            return reference
        if column not in group.columns:
            from modelyard.diagnostics.sites import unknown_site_value

            self.diagnostics.append(unknown_site_value(place, column, group.member, group.title, group.columns))
            return reference
        self.scopes.used.setdefault((group.name, column), []).append(place)
        value = self.scopes.value(group, column)
        return reference if value is None else value

    def _of_list(self, reference: str, owner: Container, step: str | int) -> Scalar:
        """Return the value from a list's row, or the unchanged string."""
        if self.lists is not None:
            return self.lists.resolved(self, reference, lambda: self.place(reference, owner, step))
        from modelyard.diagnostics.lists import each_elsewhere, list_elsewhere  # needed only for specs with errors

        report = each_elsewhere if reference.startswith("${each.") else list_elsewhere
        self.diagnostics.append(report(self.place(reference, owner, step), reference))
        return reference

    def _report_elsewhere(self, reference: str, owner: Container, step: str | int) -> None:
        from modelyard.diagnostics.sites import site_value_elsewhere  # needed only for specs with errors

        self.diagnostics.append(site_value_elsewhere(self.place(reference, owner, step), reference))

    def _may_grow(self, pieces: list[str], owner: Container, step: str | int) -> bool:
        """Return whether the total size of substituted values is within the limit. Reports an excess only once."""
        limit = _MOST_TEXT_MIB * 2**20
        before, self.text_length = self.text_length, self.text_length + sum(map(len, pieces))
        if before <= limit < self.text_length:
            self.diagnostics.append(tell.variables_too_large(self.span(owner, step), _MOST_TEXT_MIB))
        return self.text_length <= limit

    def _refuse_in_declarations(self, value: Json, path: Path, place: str) -> None:
        if isinstance(value, str) and "${" in value.replace("$${", ""):
            self.diagnostics.append(tell.misplaced_reference(self.document.value_span(path), place))
        elif isinstance(value, dict):
            for key, child in value.items():
                self._refuse_in_declarations(child, (*path, key), place)

    def span(self, owner: Container, step: str | int, is_key: bool = False) -> Span:
        """Return the location of an entry's key or value."""
        numbers = self.spans.entry(owner, step)
        return self.document.span(numbers[:3] if is_key else numbers[-3:])

    def place(self, reference: str, owner: Container, step: str | int) -> Span:
        """Return the reference's own span, or the whole value's span if it has escapes or spans several lines."""
        span = self.span(owner, step)
        if span.file not in self.lines:
            self.lines[span.file] = next(file.lines() for file in self.document.files if file.path == span.file)
        at = self.lines[span.file][span.line - 1].find(reference, span.column - 1, span.end_column - 1)
        return span if at < 0 else replace(span, column=at + 1, end_column=at + 1 + len(reference))
