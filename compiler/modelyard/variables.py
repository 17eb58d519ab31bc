"""Replace variables such as `${vars.name}` in a spec with typed values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final, TypeAlias

from modelyard.diagnostics import overlay as tell
from modelyard.diagnostics.base import Diagnostic, quote
from modelyard.diagnostics.bounds import at_most
from modelyard.inputs import InputFile
from modelyard.keywords import has_type, same
from modelyard.load.scalars import MAX_INTEGER, plain_value
from modelyard.patterns import pattern
from modelyard.records import record, replace
from modelyard.source import Document, Json, Path, SourceFile
from modelyard.substitution import FOR_EACH, LISTS, REPEATED, VARIABLES, Substitution, text_of

if TYPE_CHECKING:
    from modelyard.sites.binding import Scopes
    from modelyard.sites.lists import Lists

NO_TABLES: Final[Mapping[str, InputFile | str]] = {}

Scalar: TypeAlias = "bool | int | float | str"

_MAYBE: Final = pattern(r"\$\{|\\(?:[\r\n]|x24|x7[bB]|u0024|u007[bB]|U00000024|U0000007[bB])")
"""Matches a file that may contain a reference, possibly with escapes."""
_TYPES: Final[Mapping[object, str]] = {str: "string", int: "integer", float: "number", bool: "boolean"}
_WORDS: Final = {"string": "a string", "integer": "an integer", "number": "a number", "boolean": "true or false"}


@record
class Variable:
    """An entry in `vars`. `value` is None if the variable can be set only on the command line."""

    name: str
    type: str
    value: Scalar | None
    enum: tuple[Json, ...] = ()
    minimum: int | float | None = None
    maximum: int | float | None = None

    def misfit(self, value: Scalar) -> str:
        """Return the requirement that a value violates, or "" if it meets all requirements."""
        if not has_type(value, self.type):
            return _WORDS[self.type]
        if self.enum and not any(same(value, allowed) for allowed in self.enum):
            return f"one of {', '.join(_formatted(allowed) for allowed in self.enum[:8])}"
        if not isinstance(value, str):
            if self.minimum is not None and value < self.minimum:
                return f"at least {self.minimum}"
            if self.maximum is not None and value > self.maximum:
                return f"at most {self.maximum}"
        return ""


def substitute(
    document: Document,
    settings: Mapping[str, str],
    others: Iterable[InputFile] = (),
    scopes: Scopes | None = None,
    tables: Mapping[str, InputFile | str] = NO_TABLES,
) -> tuple[Document, tuple[Diagnostic, ...]]:
    """Replace every `${vars.name}` in a document. `settings` holds the values from `--set`.

    `${site.name}` is replaced by the value its site group is bound to, and recorded in `scopes`. Entries with `forEach`
    are repeated for each row of their list, which may come from one of the files in `tables`.

    A reference that makes up the whole string is replaced by the value, keeping its type. Within a longer string, the
    value is inserted as YAML. The `vars` section is unchanged. `others` holds environment files, which may also use
    variables.
    """
    variables, refused = _declared(document, settings)
    if refused:
        return document, at_most(refused)
    if repeats(document):
        from modelyard.sites.lists import with_lists  # only a few specs have lists

        return with_lists(document, tables, lambda lists: _substituted(document, variables, others, scopes, lists))
    if not any(_MAYBE.search(file.text) for file in document.files):
        return document, at_most(_unused(document, variables, set(), others))
    return _substituted(document, variables, others, scopes, None)


def _substituted(
    document: Document,
    variables: Mapping[str, Variable],
    others: Iterable[InputFile],
    scopes: Scopes | None,
    lists: Lists | None,
) -> tuple[Document, tuple[Diagnostic, ...]]:
    placed = document if lists is None else lists.with_files(document)
    walk = Substitution(placed, document.spans.copy(), variables, scopes, lists)
    value = walk.root(document.value)
    unused = () if walk.diagnostics else _unused(document, variables, walk.used, others)
    left = lists.unused(document) if lists is not None and not walk.diagnostics else ()
    repeated = {} if lists is None else lists.repeated
    result = replace(placed, value=value, spans=walk.spans, repeated=repeated)
    return result, at_most((*walk.diagnostics, *unused, *left))


def repeats(document: Document) -> bool:
    """Return whether a document has lists, or entries repeated for list rows."""
    sections = (document.value.get(section) for section in REPEATED)
    return LISTS in document.value or any(
        isinstance(entry, dict) and FOR_EACH in entry
        for section in sections
        if isinstance(section, dict)
        for entry in section.values()
    )


def _unused(
    document: Document, variables: Mapping[str, Variable], used: set[str], others: Iterable[InputFile]
) -> Iterator[Diagnostic]:
    """Report variables that no environment uses."""
    left = [name for name in variables if name not in used]
    if not left:
        return
    files = (
        *document.files,
        *(SourceFile.read(environment_file.path, environment_file.content) for environment_file in others),
    )
    for name in left:
        if not any(f"${{vars.{name}}}" in file.text for file in files):
            yield tell.unused_variable(document.key_span((VARIABLES, name)), name)


# --- declarations


def _declared(document: Document, settings: Mapping[str, str]) -> tuple[dict[str, Variable], list[Diagnostic]]:
    section = document.value.get(VARIABLES, {})
    if not isinstance(section, dict):
        return {}, [tell.variable_declaration(document.value_span((VARIABLES,)), VARIABLES, _kind(section))]
    diagnostics: list[Diagnostic] = []
    variables: dict[str, Variable] = {}
    for name, declaration in section.items():
        variable = _variable(name, declaration)
        if variable is None:
            span = document.value_span((VARIABLES, name))
            diagnostics.append(tell.variable_declaration(span, name, _kind(declaration)))
            continue
        value = _value_of(variable, settings.get(name))
        variables[name] = replace(variable, value=value)
        diagnostics += _misfits(document, variables[name], name in settings)
    diagnostics += [tell.unknown_setting(name, section) for name in settings if name not in section]
    return variables, diagnostics


def _variable(name: str, declaration: Json) -> Variable | None:
    """Parse a variable declaration. Returns None if it is invalid."""
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


def _value_of(variable: Variable, text: str | None) -> Scalar | None:
    """Return the value from the command line, or the default. Numbers that a spec may not contain remain strings."""
    if text is None or variable.type == "string":
        return variable.value if text is None else text
    value = plain_value(text)
    return value if value is None or isinstance(value, str) or abs(value) <= MAX_INTEGER else text


def _misfits(document: Document, variable: Variable, is_set: bool) -> Iterator[Diagnostic]:
    path: Path = (VARIABLES, variable.name)
    if variable.value is None:
        yield tell.variable_without_value(document.key_span(path), variable.name)
        return
    expected = variable.misfit(variable.value)
    if expected:
        span = document.key_span(path) if is_set else document.value_span((*path, "default"))
        yield tell.variable_misfit(span, variable.name, _formatted(variable.value), expected)


def _kind(value: Json) -> str:
    if value is None:
        return "null"
    if isinstance(value, list):
        return "a list"
    return "a mapping without a known 'type'" if isinstance(value, dict) else "a string"


def _formatted(value: Json) -> str:
    return quote(value) if isinstance(value, str) else text_of(value)
