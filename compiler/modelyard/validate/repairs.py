"""Guess what an invalid value was meant to be, so that the rest of the spec can be checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from modelyard.diagnostics.base import nearest_name
from modelyard.edits import Edit
from modelyard.flow_text import yaml_word
from modelyard.keywords import matches
from modelyard.lookalikes import in_latin
from modelyard.patterns import pattern
from modelyard.records import record
from modelyard.shape import Shape, texts
from modelyard.source import Json, Path
from modelyard.validate.faults import Fault
from modelyard.validate.rewrites import rewritten

__all__ = ["Repair", "repair"]

_SWITCHES: Final = {"yes": True, "on": True, "true": True, "no": False, "off": False, "false": False}
_WORD: Final = pattern(r"[A-Za-z0-9][A-Za-z0-9._@-]*\Z")


@record(eq=False)
class Repair:
    """Edits that repair an error. `is_sure` means that the user most likely meant exactly the repaired value."""

    edits: Mapping[Path, Edit]
    is_sure: bool = True


def repair(fault: Fault) -> Repair | None:
    """Return a repair for an error, or None if no repair is likely enough to be right."""
    mend = _MENDS.get(fault.keyword)
    return mend(fault) if mend is not None else None


_Mend: TypeAlias = Callable[[Fault], Repair | None]


def _replacement(fault: Fault, value: Json, is_sure: bool = True) -> Repair:
    return Repair({fault.path: Edit(value)}, is_sure)


def _unknown(fault: Fault) -> Repair | None:
    """Repair the misspelled name of a field."""
    fields = fault.value if isinstance(fault.value, dict) else {}
    if fields.get(fault.name) is None:  # `{max:0.2}` is a key without a value
        return None
    name = nearest_name(fault.name, [known for known in fault.shape.names() if known not in fields])
    return Repair({fault.path: Edit(name=name)}) if name else None


def _excluded(fault: Fault) -> Repair:
    """Remove a field that other fields exclude."""
    return Repair({fault.path: Edit(removes=True)}, is_sure=False)


def _outdented(fault: Fault) -> Repair:
    """Repair fields that are written next to the field that should contain them."""
    moved = {(*fault.path[:-1], name): Edit(removes=True) for name in fault.others}
    return Repair({fault.path: Edit(adopts=fault.others), **moved})


def _word(fault: Fault) -> Repair | None:
    """Replace a value with the most similar allowed word, or else the first one."""
    allowed = fault.argument if isinstance(fault.argument, list) else [fault.argument]
    value = fault.value[0] if isinstance(fault.value, list) and len(fault.value) == 1 else fault.value
    words = {yaml_word(word): word for word in allowed}
    near = nearest_name(yaml_word(value), words) if isinstance(value, str | int | float) else None
    if value in allowed:
        return _replacement(fault, value)
    return _replacement(fault, words[near] if near else allowed[0], is_sure=bool(near) or len(allowed) == 1)


def _form(fault: Fault) -> Repair | None:
    """Replace a string with its equivalent in the required form, or with an example."""
    is_entry = isinstance(fault.path[-1], int)
    words = fault.value.split() if isinstance(fault.value, str) else []
    if is_entry and len(words) != 1:  # several list entries that YAML reads as one string
        return None
    better = _rewritten(fault.shape, fault.value) if isinstance(fault.value, str) else ""
    if better:
        return _replacement(fault, better)
    example = fault.shape.example()
    return _replacement(fault, example, is_sure=False) if example is not None else None


def _type(fault: Fault) -> Repair | None:
    """Convert a value to the required type."""
    types, value = texts(fault.argument) or [str(fault.argument)], fault.value
    if "array" in types and isinstance(value, str | int | float):
        return _replacement(fault, [value]) if _WORD.match(str(value)) else None
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], str) and "string" in types:
        return _replacement(fault, value[0])
    if "boolean" in types and isinstance(value, str) and value.lower() in _SWITCHES:
        return _replacement(fault, _SWITCHES[value.lower()])
    if {"integer", "number"} & set(types) and isinstance(value, str) and value.isascii() and value.isdecimal():
        return _replacement(fault, int(value[:15]))
    if "string" in types and isinstance(value, int | float):
        better = rewritten(yaml_word(value), _patterns(fault.shape)) or yaml_word(value)
        return _replacement(fault, better)
    example = fault.shape.example()
    return _replacement(fault, example, is_sure=False) if example is not None else None


def _bound(fault: Fault) -> Repair:
    """Replace a number with the bound that it violates."""
    return _replacement(fault, fault.argument, is_sure=False)


def _repeated(fault: Fault) -> Repair:
    """Remove repeated items."""
    items = fault.value if isinstance(fault.value, list) else []
    return _replacement(fault, [item for at, item in enumerate(items) if item not in items[:at]])


def _missing(fault: Fault) -> Repair | None:
    """Add a missing field with its only possible value or, failing that, with an example."""
    constant, example = fault.shape.first("const"), fault.shape.example()
    words = fault.shape.first("enum")
    value = constant if constant is not None else example
    if value is None and isinstance(words, list) and words:
        value = words[0]
    if value is None:
        return None
    return Repair({(*fault.path, fault.name): Edit(value)}, is_sure=constant is not None)


def _name(fault: Fault) -> Repair | None:
    """Rewrite an entry's name in the required form."""
    better = _rewritten(fault.shape, fault.name)
    return Repair({fault.path: Edit(name=better)}) if better else None


def _rewritten(shape: Shape, text: str) -> str:
    """Rewrite a string in the required form, turning lookalike letters into Latin ones without dropping any."""
    latin = in_latin(text)
    if latin != text and all(matches(latin, pattern) for pattern in _patterns(shape)):
        return latin
    return rewritten(text, _patterns(shape)) if latin.isascii() else ""


def _patterns(shape: Shape) -> list[str]:
    return [str(schema["pattern"]) for schema in shape.schemas if "pattern" in schema]


_MENDS: Final[Mapping[str, _Mend]] = MappingProxyType(
    {
        "type": _type,
        "const": _word,
        "enum": _word,
        "pattern": _form,
        "minimum": _bound,
        "maximum": _bound,
        "uniqueItems": _repeated,
        "required": _missing,
        "unknown": _unknown,
        "excluded": _excluded,
        "outdented": _outdented,
        "propertyNames": _name,
    }
)
