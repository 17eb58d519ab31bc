"""What to write instead: by the examples of the schema, and with the user's own words where it is clear."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from modelyard.diagnostics.base import nearest_name, quote
from modelyard.flow_text import flow, yaml_word
from modelyard.keywords import matches
from modelyard.shape import Schema, Shape, schema_of
from modelyard.source import Document, Json, Lines, SourceFile, Span
from modelyard.validate.faults import Fault
from modelyard.validate.rewrites import NOTHING, rewritten

_CRON_FIELDS: Final = 5
_LONGEST_READ: Final = 200
_MOST_NAMES: Final = 200
_CRON: Final = r"^[0-9*,/-]+( [0-9*,/-]+){2}( [0-9A-Za-z*,/-]+){2}$"
_WHOLE: Final = 100
_TEMPLATE: Final = re.compile(
    r"\{\{ *\.?(?:[A-Za-z]+\.)*([A-Za-z][-A-Za-z0-9_]*) *\}\}|^\$\(?([A-Za-z][A-Za-z0-9_]*)\)?$"
)
_LONGEST_EXAMPLE: Final = 70
_NAME: Final = re.compile(r"[a-z][a-z0-9_-]*\Z")
_DECIMAL: Final = re.compile(r"[0-9]+(\.[0-9]+)?\Z", re.ASCII)
_BOUNDS: Final = re.compile(r"([0-9]+) ?(?:-|\.\.|to|\u2013) ?([0-9]+)\Z", re.ASCII)
_SWITCHES: Final = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def elsewhere_hint(document: Document, fault: Fault) -> str:
    """Where an unknown field belongs by what the document holds, not the schema."""
    if len(fault.name) > _LONGEST_EXAMPLE:
        return ""
    held = fault.value[fault.name] if isinstance(fault.value, dict) else None
    if isinstance(held, dict) and held and all(name in fault.shape.names() for name in held):
        return f"leave it out: what it holds stands beside it, such as {quote(next(iter(held)))}"
    if held is None and isinstance(fault.value, dict) and _ends_at_comma(document, fault):
        return "a comma in braces ends the text before it: put that text in quotes"
    before, equals, after = (part.strip() for part in fault.name.partition("="))
    if equals and before in fault.shape.names():
        return f"write {before}: {after}"
    first, _, rest = fault.name.partition(".")
    if rest and first in fault.shape.names():
        inner = rest.replace(".", ": {")
        return f"write {first}: {{{inner}: …}}" + "}" * rest.count(".")
    if len(fault.path) == 1:
        for section, entries in document.value.items():
            if isinstance(entries, dict) and fault.name in entries and section in fault.shape.names():
                return f"write it under {quote(section)}"
    return f"write {quote(fault.inner)} under {quote(fault.others[0])}" if fault.inner else ""


def _ends_at_comma(document: Document, fault: Fault) -> bool:
    """Whether what was taken for a field stands in braces without a colon: the rest of a text with a comma in it."""
    span = document.key_span(fault.path)
    after = line_at(document, span)[span.end_column - 1 :].lstrip()
    return fault.name[:1].isdigit() and after[:1] in {",", "}"}


def line_at(document: Document, span: Span) -> str:
    """The line in which something stands."""
    return _lines(next(file for file in document.files if file.path == span.file))[span.line - 1]


@lru_cache(maxsize=1)
def _lines(file: SourceFile) -> Lines:
    """The lines of a file, found once for all of its mistakes."""
    return file.lines()


def unnamed_hint(fault: Fault) -> str:
    """What to write where the fields of a thing stand without its name."""
    value = fault.value if isinstance(fault.value, dict) else {}
    there = [name for name in value if name not in fault.others]
    return f"write it under {quote(there[0])}" if len(there) == 1 else "write 'NAME:' above, and indent it below that"


def word_hint(value: Json, words: list[str]) -> str:
    """A list of one word where the word itself belongs."""
    if isinstance(value, list) and len(value) == 1 and value[0] in words:
        return f"write {value[0]} without brackets or dash"
    return ""


def rewritten_hint(shape: Shape, text: str) -> str:
    """A hint with the same text in the form that is asked for, where that is clear."""
    patterns = [str(schema["pattern"]) for schema in shape.schemas if "pattern" in schema]
    better = rewritten(text, patterns)
    return f"did you mean {quote(better)}?" if better else ""


def form_hint(document: Document, shape: Shape, text: str, is_entry: bool = False) -> str:
    """What to write instead of a text of another form; what the spec names elsewhere is known.

    `is_entry` is for an entry of a list.
    """
    if len(text) > _LONGEST_READ:
        return ""
    if text.lower() in NOTHING:
        return "remove the line, or give it a value"
    field = shape.text("x-text-is")
    line = text if len(text.split()) == _CRON_FIELDS else rewritten(text, [_CRON])
    if field and line:
        return f'write {{{field}: "{line}"}}'
    variable = _variable_hint(document, text)
    if variable:
        return variable
    if " - " in text:
        return "begin each entry on a line of its own, all dashes in one column"
    patterns = [str(schema["pattern"]) for schema in shape.schemas if "pattern" in schema]
    words = text.split()
    if is_entry and len(words) > 1 and all(matches(word, pattern) for word in words for pattern in patterns):
        return f"put a comma between the entries: {', '.join(words)}"
    address = _address(document, text)
    if address and all(matches(address, pattern) for pattern in patterns):
        return f"did you mean {quote(address)}?"
    for section, entries in document.value.items():
        address = f"{section}.{text}"
        if isinstance(entries, dict) and text in entries and all(matches(address, pattern) for pattern in patterns):
            return f"did you mean {quote(address)}?"
    return rewritten_hint(shape, text)


def _address(document: Document, text: str) -> str:
    """The address of a thing that is there, for one that goes too deep or has the section or the name misspelt."""
    steps = text.split(".")
    sections = [name for name, entries in document.value.items() if isinstance(entries, dict)]
    section = steps[0] if steps[0] in sections else nearest_name(steps[0], sections)
    names = _names(document.value[section]) if section and len(steps) > 1 else []
    name = steps[1] if len(steps) > 1 and steps[1] in names else None
    if name is None and names and len(names) <= _MOST_NAMES:
        name = nearest_name(steps[1], names)
    return f"{section}.{name}" if name else ""


def _names(entries: Json) -> list[str]:
    return list(entries) if isinstance(entries, dict) else []


def _variable_hint(document: Document, text: str) -> str:
    """A variable as templates and shells write it."""
    found = _TEMPLATE.search(text)
    name = next((part for part in found.groups() if part), "") if found else ""
    if name in _names(document.value.get("vars")):
        return f"write ${{vars.{name}}}"
    return "a variable is written ${vars.NAME}" if found and text.startswith("{{") else ""


def type_hint(names: list[str], fault: Fault) -> str:
    """What to write instead of a value of another type; `names` are the types that fit."""
    value = fault.value
    if value is None:
        return "remove the line, or give it a value"
    if isinstance(value, list) and "object" in names:
        return _list_hint(fault)
    if isinstance(value, list) and names == ["string"] and len(value) == 1 and isinstance(value[0], str):
        return f"write {value[0]} without brackets" if len(value[0]) <= _LONGEST_EXAMPLE else ""
    if isinstance(value, dict) and "string" in names:
        return _pair_hint(value, fault.shape)
    if isinstance(value, dict) and "array" in names:
        entries = [name for name, child in value.items() if child is None or child is True]
        return f"write a list: [{', '.join(entries)}]" if len(entries) == len(value) else "begin each entry with '- '"
    if "array" in names and isinstance(value, str) and value.startswith("-"):
        return "put a space after each dash, and each entry on a line of its own"
    if "array" in names and "string" not in names and not isinstance(value, dict):
        example = fault.shape.example()
        if isinstance(example, list) and isinstance(value, int | float):
            return f"write a list, as in {flow(example)}"
        return f"write a list: [{yaml_word(value)}]" if len(str(value)) < 40 else "write a list"
    if names == ["object"]:
        return _mapping_hint(fault)
    if names == ["integer"] and isinstance(value, float) and fault.shape.first("maximum") == _WHOLE:
        return f"write {value * _WHOLE:g}" if 0 < value < 1 and (value * _WHOLE).is_integer() else ""
    if isinstance(value, str):
        return _text_hint(names, value, fault.shape)
    if "string" in names and isinstance(value, int | float):
        return _number_hint(value, fault.shape)
    return ""


def _pair_hint(value: dict[str, Json], shape: Shape) -> str:
    """A mapping where text belongs: text with a colon, of which a space made a key and its value."""
    for name, child in value.items():
        text = f"{name}:{yaml_word(child)}"
        patterns = [str(schema["pattern"]) for schema in shape.schemas if "pattern" in schema]
        if len(value) == 1 and patterns and all(matches(text, pattern) for pattern in patterns):
            return f"write {text}, without a space"
    example = shape.example()
    return f"write it as in {_quoted(example)}" if example else ""


def _quoted(example: Json) -> str:
    return quote(example) if isinstance(example, str) else flow(example)


def _list_hint(fault: Fault) -> str:
    """A list where a mapping belongs."""
    entries = schema_of(fault.shape.first("additionalProperties"))
    words = [item for item in fault.value if isinstance(item, str)] if isinstance(fault.value, list) else []
    if entries and words and _NAME.match(words[0]):
        return f"write a mapping keyed by name: '{words[0]}: …', and so on, without brackets or dashes"
    if entries:
        return "named things are a mapping keyed by name: write 'name: …', without dashes"
    is_of_mappings = isinstance(fault.value, list) and any(isinstance(item, dict) for item in fault.value)
    return "write 'field: value' lines, without dashes" if is_of_mappings else _mapping_hint(fault)


def _mapping_hint(fault: Fault) -> str:
    """What a mapping looks like here: by the example of the schema, or by those of its fields."""
    shape = fault.shape
    example = shape.example()
    if not isinstance(example, dict):
        examples = {name: _example_of(shape.children(name)) for name in shape.required()}
        example = {} if None in examples.values() else examples
    if example and len(flow(example)) <= _LONGEST_EXAMPLE:
        return f"write a mapping such as {flow(example)}"
    if shape.names():
        return f"write a mapping with {', '.join(shape.names()[:6])}"
    return "write a mapping keyed by name: 'name: …'" if schema_of(shape.first("additionalProperties")) else ""


def _example_of(schemas: list[Schema]) -> Json:
    """A value for a field, by what stands beside its reference."""
    for schema in schemas:
        for keyword in ("examples", "enum"):
            found = schema.get(keyword)
            if isinstance(found, list) and found:
                return found[0]
    return None


def _number_hint(value: float, shape: Shape) -> str:
    """A number or true and false where text belongs."""
    text = yaml_word(value)
    patterns = [str(schema["pattern"]) for schema in shape.schemas if "pattern" in schema]
    if all(matches(text, pattern) for pattern in patterns):
        return f"put it in quotes: '{text}'"
    example = shape.example()
    return rewritten_hint(shape, text) or (f"write it as in {_quoted(example)}" if example else "")


def _text_hint(names: list[str], value: str, shape: Shape) -> str:
    """Text where something else belongs: a word that only YAML 1.1 read as true or false, or a quoted number."""
    if value.startswith("{{"):
        return "a variable is written ${vars.NAME}"
    if "boolean" in names and value.lower() in _SWITCHES:
        return f"write {_SWITCHES[value.lower()]}; in YAML 1.2 {quote(value)} is text"
    if "boolean" in names and value.lower() in {"true", "false"}:
        return f"write {value.lower()} without quotes"
    if not {"number", "integer"} & set(names):
        return ""
    number, comment, _ = value.strip().partition("#")
    if comment and _DECIMAL.match(number.strip()):
        return f"write {number.strip()}, and a space before '#' where a comment begins"
    if _DECIMAL.match(number):
        return f"write {number} without quotes"
    if _DECIMAL.match(number.replace("_", "").replace(",", "")):
        return f"write {number.replace('_', '').replace(',', '')}"
    if number.endswith("ms") and _DECIMAL.match(number[:-2].strip()):
        return f"write {number[:-2].strip()}, without a unit"
    bounds = _BOUNDS.match(number)
    if bounds and {"min", "max"} <= set(shape.names()):
        return f"write {{min: {bounds[1]}, max: {bounds[2]}}}"
    if number.endswith("%") and _DECIMAL.match(number[:-1]):
        return "leave the sign out" if "number" not in names else f"write {float(number[:-1]) / 100:g}"
    return ""
