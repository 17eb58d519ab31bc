"""Turn faults into diagnostics with a location, a message and a hint."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from modelyard import units
from modelyard.diagnostics import validate as tell
from modelyard.diagnostics.base import ENTRIES, Diagnostic, joined, nearest, quote, shorten
from modelyard.flow_text import flow, yaml_word
from modelyard.keywords import FITS, repeated
from modelyard.nearest import is_typo, nearest_name
from modelyard.patterns import pattern
from modelyard.shape import Conditions, Schema, Shape, allowed_in, conditions_of, schema_of, texts
from modelyard.source import Document, Json, Path, Span
from modelyard.validate.faults import Fault
from modelyard.validate.field_hints import field_hint, line_at, unnamed_hint
from modelyard.validate.form_hints import form_hint, rewritten_hint
from modelyard.validate.hints import type_hint, word_hint

_LONGEST_EXAMPLE: Final = 60
_MOST_NAMESAKES: Final = 200
_VARIABLE: Final = pattern(r"\$\{vars\.([A-Za-z][-A-Za-z0-9_]*)\}")
_COMMENT: Final = "quote a string that begins with '#': after a space, it starts a comment"
_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "object": "a mapping",
        "array": "a list",
        "string": "a string",
        "number": "a number",
        "integer": "a whole number",
        "boolean": "true or false",
        "null": "nothing",
    }
)


def describe(document: Document, fault: Fault) -> Diagnostic:
    """Return the diagnostic for a fault."""
    if fault.shape.secret and fault.keyword in FITS:
        return _secret(document, fault)
    return _TELL[fault.keyword](document, fault)


def owner_of(path: Path) -> str:
    """Return how messages refer to the owner of a path: `the spec`, `model 'ranker'`, or the path itself."""
    if not path:
        return "the spec"
    if len(path) == 2 and path[0] in ENTRIES:
        return f"{ENTRIES[str(path[0])]} {quote(path[1])}"
    steps = (f"[{step}]" if isinstance(step, int) else f".{shorten(step)}" for step in path)
    return f"'{''.join(steps).removeprefix('.')}'"


def found_words(value: Json) -> str:
    """Describe a value in YAML terms, by its type and, if short enough to recognize, its beginning."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"the string {quote(value)}" if isinstance(value, str) else f"the number {value}"


# --- the value of a field


def _secret(document: Document, fault: Fault) -> Diagnostic:
    is_reference = isinstance(fault.value, str) and fault.value.startswith("secret://")
    field = ".".join(str(step) for step in fault.path)
    expected = fault.shape.text("x-expected") or "secret://store/path#key"
    span = document.value_span(fault.path)
    if not is_reference:
        return tell.secret_in_clear(span, field, f"use {expected}")
    problem, hint = _wrong_reference(str(fault.value), fault, expected)
    return tell.secret_in_clear(span, field, hint, problem)


def _wrong_reference(reference: str, fault: Fault, expected: str) -> tuple[str, str]:
    """Return what is wrong with a reference to a secret, and a hint."""
    form = str(fault.argument) if fault.keyword == "pattern" else ""
    whole, sign, key = reference.partition("#")
    if form and not sign and re.search(form, f"{whole}#key"):
        return "is incomplete: it does not name a key", "append '#' and the key within the secret"
    if form and re.search(form, whole):
        return "names a key, but both keys of the secret are used", f"remove {quote(sign + key)}"
    is_whole = units.secret_parts(reference) is not None
    return "is not valid" if is_whole else "is incomplete", f"use {expected}"


def _type(document: Document, fault: Fault) -> Diagnostic:
    names = texts(fault.argument) or [str(fault.argument)]
    expected = fault.shape.text("x-expected") or " or ".join(_TYPES[name] for name in names)
    value = fault.value
    is_empty = value is None or value in ({}, [])
    span = document.key_span(fault.path) if is_empty else document.value_span(fault.path)
    hint = _COMMENT if value is None and _is_comment(document, span) else type_hint(names, fault)
    return tell.wrong_type(span, expected, found_words(value), _of_variable(document, span, hint))


def _of_variable(document: Document, span: Span, hint: str) -> str:
    """Add the line of the value's variable to the hint, because that is the line to fix."""
    match = _VARIABLE.search(line_at(document, span), span.column - 1, max(span.end_column - 1, span.column))
    declared = document.value.get("vars")
    if match is None or not isinstance(declared, dict) or match[1] not in declared:
        return hint
    line = document.key_span(("vars", match[1])).line
    return f"{hint + '; ' if hint else ''}it is the value of variable {quote(match[1])} on line {line}"


def _is_comment(document: Document, span: Span) -> bool:
    """Return whether YAML reads the intended value as a comment, as in `room: #alerts`."""
    line = line_at(document, span)[span.end_column - 1 :]
    return re.match(r"\s*:\s+#\w", line) is not None


def _word(document: Document, fault: Fault) -> Diagnostic:
    allowed = fault.argument if isinstance(fault.argument, list) else [fault.argument]
    words = [yaml_word(value) for value in allowed]
    typed = yaml_word(fault.value) if isinstance(fault.value, str | int | float) else ""
    hint = nearest(typed, words, "did you mean {}?") or word_hint(fault.value, words)
    if not hint and len(words) == 1:
        hint = f"write {words[0]}"
    quoted = quote(fault.value) if isinstance(fault.value, str) else found_words(fault.value)
    return tell.not_one_of(document.value_span(fault.path), quoted, words, hint)


def _form(document: Document, fault: Fault) -> Diagnostic:
    shape = fault.shape
    example = shape.example()
    expected = shape.text("x-expected") or (f"something like {quote(example)}" if example else "a different form")
    is_entry = bool(fault.path) and isinstance(fault.path[-1], int)
    hint = form_hint(document, shape, fault.value, is_entry) if isinstance(fault.value, str) else ""
    span = document.value_span(fault.path)
    return tell.wrong_form(span, expected, found_words(fault.value), _of_variable(document, span, hint))


def _bounds(document: Document, fault: Fault) -> Diagnostic:
    words = {
        "minimum": "at least",
        "maximum": "at most",
        "exclusiveMinimum": "more than",
        "exclusiveMaximum": "less than",
    }
    bound = f"{words[fault.keyword]} {fault.argument}"
    return tell.out_of_bounds(document.value_span(fault.path), found_words(fault.value), bound)


def _length(document: Document, fault: Fault) -> Diagnostic:
    value = fault.value
    unit = "characters" if isinstance(value, str) else "entries"
    size = len(value) if isinstance(value, str | list | dict) else 0
    size_text = f"{size} {unit}" if size != 1 else f"1 {unit.replace('ies', 'y').removesuffix('s')}"
    bound = f"the minimum is {fault.argument}" if "min" in fault.keyword else f"the maximum is {fault.argument}"
    span = document.value_span(fault.path) if isinstance(value, str) else document.key_span(fault.path)
    return tell.wrong_length(span, size_text, bound)


def _repeated(document: Document, fault: Fault) -> Diagnostic:
    items = fault.value if isinstance(fault.value, list) else []
    at = repeated(items) or 0
    return tell.repeated_item(document.value_span((*fault.path, at)), found_words(items[at]) if items else "an item")


# --- the fields of a mapping


def _missing(document: Document, fault: Fault) -> Diagnostic:
    deleted = document.deleted.get((*fault.path, fault.name))
    if deleted is not None:
        return tell.missing_field(
            deleted, fault.name, owner_of(fault.path), "remove this null; it deletes a required field"
        )
    hint = f"add '{fault.name}'"
    field = fault.shape
    constant, example = field.first("const"), _performance_check(document, fault) or field.example()
    if isinstance(constant, str):
        hint = f"add '{fault.name}: {constant}'"
    elif isinstance(example, str | int | float) and len(str(example)) < _LONGEST_EXAMPLE:
        hint = f"add '{fault.name}', as in '{fault.name}: {yaml_word(example)}'"
    elif isinstance(example, dict | list) and len(flow(example)) < _LONGEST_EXAMPLE:
        hint = f"add '{fault.name}', as in '{fault.name}: {flow(example)}'"
    elif field.required():
        hint = f"add '{fault.name}' with {' and '.join(field.required()[:4])}"
    elif texts(field.first("enum")):
        hint = f"add '{fault.name}': one of {', '.join(texts(field.first('enum'))[:8])}"
    span = document.key_span(fault.path)
    return tell.missing_field(span, fault.name, owner_of(fault.path), hint + _namesake(document, fault.path))


def _performance_check(document: Document, fault: Fault) -> Json:
    """Return example `checks` for monitors of type `performance`, which don't measure drift, or None for others."""
    if fault.name != "checks" or len(fault.path) != 2:
        return None
    monitors = document.value.get("monitors")
    monitor = monitors.get(str(fault.path[1])) if isinstance(monitors, dict) else None
    if not isinstance(monitor, dict) or monitor.get("type") != "performance":
        return None
    of_runs = str(monitor.get("watch")).startswith("pipelines.")
    return {"duration_s": {"max": 3600}} if of_runs else {"p95_ms": {"max": 500}}


def _namesake(document: Document, path: Path) -> str:
    """Return the base entry that an unknown name in an environment probably refers to."""
    section = document.value.get(str(path[0])) if len(path) == 2 else None
    span = document.key_span(path)
    if not isinstance(section, dict) or len(section) > _MOST_NAMESAKES:
        return ""
    before = [name for name in section if _is_before(document.key_span((path[0], name)), span)]
    return nearest(str(path[1]), before, ", or use {} if you meant that one")


def _is_before(span: Span, other: Span) -> bool:
    return span.file != other.file or span.line < other.line


def _unknown(document: Document, fault: Fault) -> Diagnostic:
    span = document.key_span(fault.path)
    hint = field_hint(document, fault) or _placed(fault)
    return tell.unknown_field(span, fault.name, owner_of(fault.path[:-1]), fault.shape.names(), fault.others, hint)


def _placed(fault: Fault) -> str:
    """Return the hint that names the place where a field with this name exists, or "" if only its name is wrong."""
    if fault.above is not None:
        form = flow({fault.name: fault.form})[1:-1] if fault.form is not None else ""
        moved = f"move it next to {quote(fault.path[len(fault.above)])}" + (f", as in '{form}'" if form else "")
        return f"{moved}, because it is a field of {owner_of(fault.above)}"
    near = nearest_name(fault.name, fault.shape.names())
    if not fault.beside or fault.others or (near is not None and is_typo(fault.name, near)):
        return ""
    return f"move it under {quote(fault.beside)} in {owner_of(fault.path[:-2])}"


def _unnamed(document: Document, fault: Fault) -> Diagnostic:
    first, owner = fault.name, owner_of(fault.path[:-1])
    expected = f"a name of your choice in {owner}, with {quote(first)} below it"
    return tell.wrong_type(document.key_span(fault.path), expected, f"{quote(first)} itself", unnamed_hint(fault))


def _outdented(document: Document, fault: Fault) -> Diagnostic:
    expected = fault.shape.text("x-expected") or "a mapping"
    below = " and ".join(quote(name) for name in fault.others[:3])
    hint = f"indent {below} deeper than {quote(fault.name)}"
    return tell.wrong_type(document.key_span(fault.path), expected, "nothing", hint)


def _excluded(document: Document, fault: Fault) -> Diagnostic:
    chains = [chain for excluded in fault.shape.excluded for chain in conditions_of(fault.name, excluded)]
    required: dict[str, list[str]] = {}
    other_words: list[str] = []
    for chain in chains:
        name, words = _needed(chain, fault)
        if name:
            required.setdefault(name, []).extend(words)
        else:
            other_words += words
    hint = " or ".join(dict.fromkeys((*(_instead(*item, fault) for item in required.items()), *other_words)))
    hint += "".join(f"; {reason}" for reason in _reasons(fault))
    if _is_of_base(document, fault.path):
        hint += f"; to unset it in this environment, set '{fault.name}: null'"
    return tell.field_not_here(document.key_span(fault.path), fault.name, owner_of(fault.path[:-1]), hint)


def _reasons(fault: Fault) -> dict[str, None]:
    """Return the schema's reasons why the field depends on the values of other fields."""
    reasons = (allowed_in(fault.name, excluded.branch).get("x-requires") for excluded in fault.shape.excluded)
    return dict.fromkeys(reason for reason in reasons if isinstance(reason, str))


def _is_of_base(document: Document, path: Path) -> bool:
    """Return whether the base sets the field at a path and an environment sets other fields of that mapping."""
    return path not in document.overlaid and any(
        len(other) == len(path) and other[:-1] == path[:-1] for other in document.overlaid
    )


def _instead(name: str, words: list[str], fault: Fault) -> str:
    """Explain which value the field `name` needs so that the excluded field is allowed."""
    value = fault.value if isinstance(fault.value, dict) else {}
    known = list(dict.fromkeys(words))
    if name not in value and len(known) == 1:
        return f"add {name}: {known[0]}"
    needed = f"`{name}: {known[0]}`" if len(known) == 1 else f"`{name}` to be {joined(known, 'or')}"
    found = f"is {yaml_word(value[name])}" if name in value else "is not set"
    return f"`{fault.name}` requires {needed}, but `{name}` {found}"


def _needed(chain: Conditions, fault: Fault) -> tuple[str, list[str]]:
    """Return the other field tested by the conditions that exclude a field, and the values it needs.

    If they only require fields to be present, the field is "" and an explanation takes the place of the values.
    """
    condition, must_hold = next((entry for entry in chain if _is_unwritten(*entry, fault)), chain[-1])
    for name in schema_of(condition.get("properties")):
        return name, _allowed(name, chain, fault.shape)
    names = joined(f"`{name}`" for name in texts(condition.get("required")))
    return "", [f"`{fault.name}` requires {names}" if must_hold else f"use either `{fault.name}` or {names}"]


def _is_unwritten(condition: Schema, must_hold: bool, fault: Fault) -> bool:
    """Return whether a condition requires a value of a missing field.

    Until that field is added, no other condition matters.
    """
    value = fault.value if isinstance(fault.value, dict) else {}
    return must_hold and any(name not in value for name in schema_of(condition.get("properties")))


def _allowed(name: str, chain: Conditions, shape: Shape) -> list[str]:
    """Return the values of a field that satisfy all required conditions and no excluded condition."""
    alternatives = [
        (_words(schema_of(schema_of(condition.get("properties")).get(name))), held) for condition, held in chain
    ]
    for words, must_hold in reversed(alternatives):  # the innermost condition is the narrowest
        if words and must_hold:
            return words
    excluded = [word for words, _ in alternatives for word in words]
    known = [word for schema in shape.children(name) for word in _words(schema)]
    return [word for word in known if word not in excluded] or ["something else"]


def _words(schema: Schema) -> list[str]:
    enum = schema.get("enum")
    allowed = enum if isinstance(enum, list) else [schema["const"]] if "const" in schema else []
    return [yaml_word(value) for value in allowed]


def _needs(document: Document, fault: Fault) -> Diagnostic:
    return tell.needs_field(document.key_span(fault.path), fault.name, str(fault.argument), owner_of(fault.path[:-1]))


def _name(document: Document, fault: Fault) -> Diagnostic:
    expected = fault.shape.text("x-expected") or "another form"
    return tell.bad_name(document.key_span(fault.path), fault.name, expected, rewritten_hint(fault.shape, fault.name))


_TELL: Final[Mapping[str, Callable[[Document, Fault], Diagnostic]]] = MappingProxyType(
    {
        "type": _type,
        "const": _word,
        "enum": _word,
        "pattern": _form,
        "maxLength": _length,
        "minLength": _length,
        "minimum": _bounds,
        "maximum": _bounds,
        "exclusiveMinimum": _bounds,
        "exclusiveMaximum": _bounds,
        "maxItems": _length,
        "minItems": _length,
        "maxProperties": _length,
        "minProperties": _length,
        "uniqueItems": _repeated,
        "required": _missing,
        "unknown": _unknown,
        "unnamed": _unnamed,
        "outdented": _outdented,
        "excluded": _excluded,
        "dependentRequired": _needs,
        "propertyNames": _name,
    }
)
