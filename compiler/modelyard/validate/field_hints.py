"""Suggest where an unknown field belongs, judging by its context."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from modelyard.diagnostics.base import quote
from modelyard.nearest import is_typo
from modelyard.source import Document, Json, Lines, SourceFile, Span
from modelyard.validate.faults import Fault

_LONGEST: Final = 70


def field_hint(document: Document, fault: Fault) -> str:
    """Return a hint for an unknown field, or "" if there is at most a spelling suggestion."""
    if len(fault.name) > _LONGEST:
        return ""
    return (
        _wrapper(fault)
        or _after_comma(document, fault)
        or _equals_sign(fault)
        or _dotted(fault)
        or _of_section(document, fault)
        or _two_words(fault)
    )


def unnamed_hint(fault: Fault) -> str:
    """Return a hint for an entry without a name."""
    there = [name for name in _mapping(fault.value) if name not in fault.others]
    return f"move it under {quote(there[0])}" if len(there) == 1 else "write 'NAME:' above it, and indent it"


def line_at(document: Document, span: Span) -> str:
    """Return the text of a span's line."""
    return _lines(next(file for file in document.files if file.path == span.file))[span.line - 1]


@lru_cache(maxsize=1)
def _lines(file: SourceFile) -> Lines:
    """Return a file's lines. Each file is split only once for all of its errors."""
    return file.lines()


def _mapping(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _wrapper(fault: Fault) -> str:
    """Recognize a mapping whose fields belong one level up, such as the `spec:` used by other formats."""
    fields = _mapping(_mapping(fault.value)[fault.name])
    known = fault.shape.names()
    if not fields or not all(name in known for name in fields) or any(is_typo(fault.name, name) for name in known):
        return ""  # a misspelled field that has the same fields as its parent is not a wrapper
    return f"remove this level, because its fields, such as {quote(next(iter(fields)))}, belong one level up"


def _after_comma(document: Document, fault: Fault) -> str:
    """Recognize part of a value cut off by a comma in braces, as in `{monthly: 20,000 USD}`."""
    span = document.key_span(fault.path)
    if _mapping(fault.value)[fault.name] is not None or not fault.name[:1].isdigit():
        return ""
    after = line_at(document, span)[span.end_column - 1 :].lstrip()
    return "quote the string before the comma, because a comma in braces ends it" if after[:1] in {",", "}"} else ""


def _equals_sign(fault: Fault) -> str:
    """Recognize `cpu=4` in braces."""
    name, equals, value = (part.strip() for part in fault.name.partition("="))
    return f"write {name}: {value}" if equals and name in fault.shape.names() else ""


def _dotted(fault: Fault) -> str:
    """Recognize a dotted path used as a key, as some other formats allow."""
    first, _, rest = fault.name.partition(".")
    if not rest or first not in fault.shape.names():
        return ""
    return f"write {first}: {{{rest.replace('.', ': {')}: …}}" + "}" * rest.count(".")


def _of_section(document: Document, fault: Fault) -> str:
    """Recognize an entry outside its section, such as `scorer` at the top level of an environment."""
    if len(fault.path) > 1:
        return ""
    declared = (name for name in fault.shape.names() if name in document.value)
    sections = (name for name in declared if fault.name in _mapping(document.value[name]))
    return next((f"move it under {quote(section)}" for section in sections), "")


def _two_words(fault: Fault) -> str:
    """Recognize two fields merged into one name, such as `minReplicas` for `min` under `replicas`."""
    return f"use {quote(fault.inner)} under {quote(fault.others[0])}" if fault.inner else ""
