"""Hints for values of the wrong type, based on examples in the schema and the user's own text."""

from __future__ import annotations

import re
from typing import Final

from modelyard.diagnostics.base import quote
from modelyard.flow_text import flow, yaml_word
from modelyard.keywords import matches
from modelyard.load.scalars import MAX_INTEGER
from modelyard.patterns import pattern
from modelyard.shape import Schema, Shape, schema_of
from modelyard.source import Json
from modelyard.validate.faults import Fault
from modelyard.validate.form_hints import rewritten_hint

_WHOLE: Final = 100
_LONGEST_EXAMPLE: Final = 70
_NAME: Final = pattern(r"[a-z][a-z0-9_-]*\Z")
_DECIMAL: Final = pattern(r"[0-9]+(\.[0-9]+)?\Z", re.ASCII)
_BOUNDS: Final = pattern(r"([0-9]+) ?(?:-|\.\.|to|\u2013) ?([0-9]+)\Z", re.ASCII)
_SWITCHES: Final = {"yes": "true", "on": "true", "y": "true", "no": "false", "off": "false", "n": "false"}


def word_hint(value: Json, words: list[str]) -> str:
    """Return a hint for a list that contains a single word, where only the word itself is allowed."""
    if isinstance(value, list) and len(value) == 1 and value[0] in words:
        return f"write {value[0]} without brackets or dash"
    return ""


def type_hint(names: list[str], fault: Fault) -> str:
    """Return a hint for a value with the wrong type. `names` lists the allowed types."""
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
        return "put a space after each dash, and each entry on a separate line"
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
    """Return a hint for a string containing a colon and a space, which YAML parses as a mapping."""
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
    """Return a hint for a list where a mapping is required."""
    entries = schema_of(fault.shape.first("additionalProperties"))
    words = [item for item in fault.value if isinstance(item, str)] if isinstance(fault.value, list) else []
    if entries and words and _NAME.match(words[0]):
        return f"write a mapping keyed by name: '{words[0]}: …', and so on, without brackets or dashes"
    if entries:
        return "write a mapping keyed by name, such as 'name: …', without dashes"
    is_of_mappings = isinstance(fault.value, list) and any(isinstance(item, dict) for item in fault.value)
    return "write 'field: value' lines, without dashes" if is_of_mappings else _mapping_hint(fault)


def _mapping_hint(fault: Fault) -> str:
    """Return a hint with an example of the required mapping, from its schema or from the schemas of its fields."""
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
    """Return the first example or enum value in a field's schemas, or None if there is none."""
    for schema in schemas:
        for keyword in ("examples", "enum"):
            values = schema.get(keyword)
            if isinstance(values, list) and values:
                return values[0]
    return None


def _number_hint(value: float, shape: Shape) -> str:
    """Return a hint for a number or a boolean where a string is required."""
    text = yaml_word(value)
    patterns = [str(schema["pattern"]) for schema in shape.schemas if "pattern" in schema]
    if all(matches(text, pattern) for pattern in patterns):
        return f"put it in quotes: '{text}'"
    example = shape.example()
    return rewritten_hint(shape, text) or (f"write it as in {_quoted(example)}" if example else "")


def _text_hint(names: list[str], value: str, shape: Shape) -> str:
    """Return a hint for a string where another type is required: a YAML 1.1 boolean word, or a quoted number."""
    if value.startswith("{{"):
        return "write a variable as ${vars.NAME}"
    if "boolean" in names and value.lower() in _SWITCHES:
        return f"write {_SWITCHES[value.lower()]}; in YAML 1.2, {quote(value)} is a string"
    if "boolean" in names and value.lower() in {"true", "false"}:
        return f"write {value.lower()} without quotes"
    if not {"number", "integer"} & set(names):
        return ""
    number, comment, _ = value.strip().partition("#")
    if comment and _DECIMAL.match(number.strip()):
        return f"write {number.strip()}, and put a space before the '#' of the comment"
    if _DECIMAL.match(number):
        return f"write {number} without quotes" if abs(float(number)) <= MAX_INTEGER else "write a smaller number"
    if _DECIMAL.match(number.replace("_", "").replace(",", "")):
        return f"write {number.replace('_', '').replace(',', '')}"
    if number.endswith("ms") and _DECIMAL.match(number[:-2].strip()):
        return f"write {number[:-2].strip()}, without a unit"
    bounds = _BOUNDS.match(number)
    if bounds and {"min", "max"} <= set(shape.names()):
        return f"write {{min: {bounds[1]}, max: {bounds[2]}}}"
    if number.endswith("%") and _DECIMAL.match(number[:-1]):
        return "omit the percent sign" if "number" not in names else f"write {float(number[:-1]) / 100:g}"
    return ""
