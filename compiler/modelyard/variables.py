"""Replace variables such as `${vars.name}` in a spec with typed values."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from modelyard.diagnostics import overlay as tell
from modelyard.diagnostics.base import Diagnostic, quote
from modelyard.diagnostics.bounds import at_most
from modelyard.inputs import Given
from modelyard.keywords import has_type, same
from modelyard.load.scalars import MAX_INTEGER, plain_value
from modelyard.patterns import pattern
from modelyard.records import field, record, replace
from modelyard.source import Container, Document, Json, Lines, Path, SourceFile, Span, Spans

if TYPE_CHECKING:
    from modelyard.sites.binding import Scopes
    from modelyard.sites.groups import Group

SECTION: Final = "vars"

Scalar: TypeAlias = "bool | int | float | str"

_REFERENCE: Final = pattern(r"\$\$\{|\$\{(?P<inside>[^{}]*)(?P<end>\}?)")
_NAMED: Final = pattern(r"vars\.([A-Za-z][-A-Za-z0-9_]*)\Z")
_OF_SITE: Final = pattern(r"site\.([A-Za-z][-A-Za-z0-9_]*)\Z")
_MAYBE: Final = pattern(r"\$\{|\\(?:[\r\n]|x24|x7[bB]|u0024|u007[bB]|U00000024|U0000007[bB])")
"""Matches a file that may contain a reference, possibly with escapes."""
_TYPES: Final[Mapping[object, str]] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_WORDS: Final = {"string": "a string", "integer": "an integer", "number": "a number", "boolean": "true or false"}
_MOST_TEXT_MIB: Final = 16


@record
class Variable:
    """An entry of `vars`. `value` is None if only the command line can set the variable."""

    name: str
    type: str
    value: Scalar | None
    enum: tuple[Json, ...] = ()
    minimum: int | float | None = None
    maximum: int | float | None = None

    def misfit(self, value: Scalar) -> str:
        """Return the requirement that a value violates, or "" if there is none."""
        if not has_type(value, self.type):
            return _WORDS[self.type]
        if self.enum and not any(same(value, one) for one in self.enum):
            return f"one of {', '.join(_shown(one) for one in self.enum[:8])}"
        if not isinstance(value, str):
            if self.minimum is not None and value < self.minimum:
                return f"at least {self.minimum}"
            if self.maximum is not None and value > self.maximum:
                return f"at most {self.maximum}"
        return ""


def substitute(
    document: Document, settings: Mapping[str, str], others: Iterable[Given] = (), scopes: Scopes | None = None
) -> tuple[Document, tuple[Diagnostic, ...]]:
    """Replace every `${vars.name}` in a document. `settings` are the values from `--set`.

    `${site.name}` is replaced by the value that its group of sites is bound to, and recorded in `scopes`.

    If a reference is the whole text, it is replaced by the value with its type. Within a longer text, the value is
    inserted as YAML. The section `vars` is unchanged. `others` are environment files, which may also use variables.
    """
    variables, refused = _declared(document, settings)
    if refused:
        return document, at_most(refused)
    if not any(_MAYBE.search(file.text) for file in document.files):
        return document, at_most(_unused(document, variables, set(), others))
    walk = _Substitution(document, document.spans.copy(), variables, scopes)
    value = walk.root(document.value)
    unused = () if walk.diagnostics else _unused(document, variables, walk.used, others)
    return replace(document, value=value, spans=walk.spans), at_most((*walk.diagnostics, *unused))


def _unused(
    document: Document, variables: Mapping[str, Variable], used: set[str], others: Iterable[Given]
) -> Iterator[Diagnostic]:
    """Report variables that are not used in any environment."""
    left = [name for name in variables if name not in used]
    if not left:
        return
    files = (*document.files, *(SourceFile.read(one.path, one.content) for one in others))
    for name in left:
        if not any(f"${{vars.{name}}}" in file.text for file in files):
            yield tell.unused_variable(document.key_span((SECTION, name)), name)


# --- declarations


def _declared(document: Document, settings: Mapping[str, str]) -> tuple[dict[str, Variable], list[Diagnostic]]:
    section = document.value.get(SECTION, {})
    if not isinstance(section, dict):
        return {}, [tell.variable_declaration(document.value_span((SECTION,)), SECTION, _kind(section))]
    diagnostics: list[Diagnostic] = []
    variables: dict[str, Variable] = {}
    for name, declaration in section.items():
        variable = _variable(name, declaration)
        if variable is None:
            span = document.value_span((SECTION, name))
            diagnostics.append(tell.variable_declaration(span, name, _kind(declaration)))
            continue
        given = _given(variable, settings.get(name))
        variables[name] = replace(variable, value=given)
        diagnostics += _misfits(document, variables[name], name in settings)
    diagnostics += [tell.unknown_setting(name, section) for name in settings if name not in section]
    return variables, diagnostics


def _variable(name: str, declaration: Json) -> Variable | None:
    """Read the variable that an entry declares. Returns None if the entry is invalid."""
    if declaration is None or isinstance(declaration, list):
        return None
    if not isinstance(declaration, dict):
        return Variable(name, _TYPES[declaration.__class__], declaration)
    kind, default, enum = declaration.get("type"), declaration.get("default"), declaration.get("enum", [])
    if (
        not isinstance(kind, str)
        or kind not in _WORDS
        or not isinstance(enum, list)
        or isinstance(default, dict | list)
    ):
        return None
    low, high = declaration.get("min"), declaration.get("max")
    return Variable(name, kind, default, tuple(enum), _bound(low), _bound(high))


def _bound(value: Json) -> int | float | None:
    return value if isinstance(value, int | float) else None


def _given(variable: Variable, text: str | None) -> Scalar | None:
    """Return the value from the command line or the default. Numbers that are not allowed in a spec remain text."""
    if text is None or variable.type == "string":
        return variable.value if text is None else text
    value = plain_value(text)
    return value if value is None or isinstance(value, str) or abs(value) <= MAX_INTEGER else text


def _misfits(document: Document, variable: Variable, is_set: bool) -> Iterator[Diagnostic]:
    path: Path = (SECTION, variable.name)
    if variable.value is None:
        yield tell.variable_without_value(document.key_span(path), variable.name)
        return
    expected = variable.misfit(variable.value)
    if expected:
        span = document.key_span(path) if is_set else document.value_span((*path, "default"))
        yield tell.variable_misfit(span, variable.name, _shown(variable.value), expected)


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "a list"
    return "a mapping without a known 'type'" if isinstance(value, dict) else "a string"


def _shown(value: Json) -> str:
    return quote(value) if isinstance(value, str) else _text(value)


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


# --- references


@record(frozen=False)
class _Substitution:
    """Substitutes all values, and reuses containers without changes."""

    document: Document
    spans: Spans
    variables: Mapping[str, Variable]
    scopes: Scopes | None
    scope: Group | None = None
    used: set[str] = field(default_factory=set[str])
    diagnostics: list[Diagnostic] = field(default_factory=list[Diagnostic])
    done: dict[tuple[str, int], Json] = field(default_factory=dict[tuple[str, int], Json])
    text_length: int = 0
    lines: dict[str, Lines] = field(default_factory=dict[str, Lines])

    def root(self, value: dict[str, Json]) -> dict[str, Json]:
        """Replace all references in the document, except in the declarations."""
        if SECTION in value:
            self._refuse_in_declarations(value[SECTION], (SECTION,))
            self.done["", id(value[SECTION])] = value[SECTION]
        result = self._container(value)
        return result if isinstance(result, dict) else value

    def _container(self, value: Container) -> Json:
        changed: dict[str | int, Json] = {}
        for step, child in value.items() if isinstance(value, dict) else enumerate(value):
            kind = child.__class__
            if kind is str and isinstance(child, str):
                new: Json = self._string(child, value, step) if "${" in child else child
            elif kind is dict or kind is list:
                new = self._descend(child)
            else:
                continue
            if new is not child:
                changed[step] = new
        if isinstance(value, dict):
            for key in value:
                if "${" in key:
                    self.diagnostics.append(tell.misplaced_reference(self._span(value, key, is_key=True), "a key"))
        return self._replaced(value, changed) if changed else value

    def _descend(self, value: Json) -> Json:
        """Replace the references in a container once for each group of sites that it belongs to."""
        outer = self.scope
        if self.scopes is not None:
            self.scope = self.scopes.owners.get(id(value), outer)
        key = (self.scope.target if self.scope is not None else "", id(value))
        if key not in self.done:
            self.done[key] = self._container(value) if isinstance(value, dict | list) else value
        self.scope = outer
        return self.done[key]

    def _replaced(self, value: Container, changed: Mapping[str | int, Json]) -> Container:
        """Create a container with some values changed and the same spans."""
        result: Container
        if isinstance(value, dict):
            result = {key: changed.get(key, child) for key, child in value.items()}
        else:
            result = [changed.get(at, child) for at, child in enumerate(value)]
        self.spans.record(result, [number for entry in self.spans.entries(value) for number in entry])
        return result

    def _string(self, text: str, owner: Container, step: str | int) -> Json:
        found = _REFERENCE.fullmatch(text)
        if found and found["inside"] is not None:
            value = self._resolved(found, owner, step)
            return value if self._may_grow([str(value)], owner, step) else text
        pieces: list[str] = []
        at = 0
        for found in _REFERENCE.finditer(text):
            inside = found["inside"]
            if inside is None and self.scopes is not None and text.startswith("site.", found.end()):
                self._report_elsewhere("$${site.", owner, step)
            pieces += (text[at : found.start()], "${" if inside is None else _text(self._resolved(found, owner, step)))
            at = found.end()
        pieces.append(text[at:])
        return "".join(pieces) if self._may_grow(pieces, owner, step) else text

    def _resolved(self, found: re.Match[str], owner: Container, step: str | int) -> Scalar:
        """Return the value of a reference, or the unchanged text if the reference is rejected."""
        if found["end"] and (column := _OF_SITE.match(found["inside"])):
            return self._of_site(found[0], column[1], owner, step)
        named = _NAMED.match(found["inside"]) if found["end"] else None
        if named is None:
            place = self._place(found[0], owner, step)
            self.diagnostics.append(tell.malformed_reference(place, found[0], self.variables))
            return found[0]
        variable = self.variables.get(named[1])
        if variable is None or variable.value is None:
            self.diagnostics.append(tell.unknown_variable(self._place(found[0], owner, step), named[1], self.variables))
            return found[0]
        self.used.add(variable.name)
        return variable.value

    def _of_site(self, reference: str, column: str, owner: Container, step: str | int) -> Scalar:
        """Return the value that a site's column is bound to, or the unchanged text."""
        group, place = self.scope, self._place(reference, owner, step)
        if group is None or self.scopes is None:
            self._report_elsewhere(reference, owner, step)
            return reference
        if column not in group.columns:
            from modelyard.diagnostics.sites import unknown_site_value

            self.diagnostics.append(unknown_site_value(place, column, group.target, group.columns))
            return reference
        self.scopes.used.setdefault((group.target, column), []).append(place)
        value = self.scopes.value(group, column)
        return reference if value is None else value

    def _report_elsewhere(self, reference: str, owner: Container, step: str | int) -> None:
        from modelyard.diagnostics.sites import site_value_elsewhere  # only needed for specs with errors

        self.diagnostics.append(site_value_elsewhere(self._place(reference, owner, step), reference))

    def _may_grow(self, pieces: list[str], owner: Container, step: str | int) -> bool:
        """Return whether the total size of substituted values is within the limit. Report an excess once."""
        limit = _MOST_TEXT_MIB * 2**20
        before, self.text_length = self.text_length, self.text_length + sum(map(len, pieces))
        if before <= limit < self.text_length:
            self.diagnostics.append(tell.variables_too_large(self._span(owner, step), _MOST_TEXT_MIB))
        return self.text_length <= limit

    def _refuse_in_declarations(self, value: Json, path: Path) -> None:
        if isinstance(value, str) and "${" in value.replace("$${", ""):
            span = self.document.value_span(path)
            self.diagnostics.append(tell.misplaced_reference(span, "the declaration of a variable"))
        elif isinstance(value, dict):
            for key, child in value.items():
                self._refuse_in_declarations(child, (*path, key))

    def _span(self, owner: Container, step: str | int, is_key: bool = False) -> Span:
        numbers = self.spans.entry(owner, step)
        return self.document.span(numbers[:3] if is_key else numbers[-3:])

    def _place(self, reference: str, owner: Container, step: str | int) -> Span:
        """Return the span of the reference itself, if the value is on one line without escapes."""
        span = self._span(owner, step)
        if span.file not in self.lines:
            self.lines[span.file] = next(one.lines() for one in self.document.files if one.path == span.file)
        at = self.lines[span.file][span.line - 1].find(reference, span.column - 1, span.end_column - 1)
        return span if at < 0 else replace(span, column=at + 1, end_column=at + 1 + len(reference))
