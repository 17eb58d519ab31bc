"""Hints for malformed strings, based on names used elsewhere in the spec."""

from __future__ import annotations

from typing import Final

from modelyard.diagnostics.base import nearest_name, quote
from modelyard.keywords import matches
from modelyard.lookalikes import lookalike_hint
from modelyard.patterns import pattern
from modelyard.public_keys import reason
from modelyard.shape import Shape
from modelyard.source import Document, Json
from modelyard.validate.rewrites import NOTHING, rewritten

_KEY: Final = "ssh-ed25519"
"""A string that identifies the schema's pattern for public SSH keys, as no other pattern contains it."""

_LONGEST: Final = 200
_MOST_NAMES: Final = 200
_CRON_FIELDS: Final = 5
_CRON: Final = r"^[0-9*,/-]+( [0-9*,/-]+){2}( [0-9A-Za-z*,/-]+){2}$"
_ZONE: Final = pattern(r"(?:CRON_)?TZ=([A-Za-z0-9_+/-]+) +(.+)\Z")
_GROUP: Final = "the name of a group such as model-risk"
_TEMPLATE: Final = pattern(r"\{\{ *\.?(?:[A-Za-z]+\.)*([A-Za-z][-A-Za-z0-9_]*) *\}\}|^\$\(?([A-Za-z][A-Za-z0-9_]*)\)?$")


def form_hint(document: Document, shape: Shape, text: str, is_entry: bool = False) -> str:
    """Return the first hint that applies to a string, or "" if there is none. `is_entry` is set for list entries."""
    if any(_KEY in pattern for pattern in _patterns(shape)):
        return reason(text)
    if len(text) > _LONGEST:
        return ""
    return (
        lookalike_hint(text)
        or _nothing(text)
        or _schedule(shape, text)
        or _variable(document, text)
        or _zone(shape, text)
        or _entries(document, shape, text, is_entry)
        or _address(document, shape, text)
        or rewritten_hint(shape, text)
    )


def rewritten_hint(shape: Shape, text: str) -> str:
    """Return a hint with the corrected string, if the intention is clear, or with the letter to replace."""
    if unusual := lookalike_hint(text):
        return unusual
    better = rewritten(text, _patterns(shape))
    return f"did you mean {quote(better)}?" if better else ""


def _patterns(shape: Shape) -> list[str]:
    return [str(schema["pattern"]) for schema in shape.schemas if "pattern" in schema]


def _fits(shape: Shape, text: str) -> bool:
    return all(matches(text, pattern) for pattern in _patterns(shape))


def _nothing(text: str) -> str:
    """Recognize an empty value such as null, written in another language's syntax."""
    return "remove the line, or give it a value" if text.lower() in NOTHING else ""


def _schedule(shape: Shape, text: str) -> str:
    """Recognize a cron expression or equivalent schedule where a mapping that contains it is required."""
    field = shape.text("x-text-is")
    line = text if len(text.split()) == _CRON_FIELDS else rewritten(text, [_CRON])
    return f'write {{{field}: "{line}"}}' if field and line else ""


def _variable(document: Document, text: str) -> str:
    """Recognize a variable written in shell or template syntax."""
    match = _TEMPLATE.search(text)
    name = next((part for part in match.groups() if part), "") if match else ""
    if name in _names(document.value.get("vars")):
        return f"write ${{vars.{name}}}"
    return "write a variable as ${vars.NAME}" if match and text.startswith("{{") else ""


def _zone(shape: Shape, text: str) -> str:
    """Recognize a cron line that starts with its time zone, as in some crontabs."""
    match = _ZONE.match(text)
    if match is None or not _fits(shape, match[2]):
        return ""
    return f'write "{match[2]}", and add `timeZone: {match[1]}`'


def _entries(document: Document, shape: Shape, text: str, is_entry: bool) -> str:
    """Recognize several list entries in a single string."""
    if " - " in text:
        return "begin each entry on a separate line, with all dashes in one column"
    words = text.split()
    if is_entry and len(words) > 1 and all(_fits(shape, word) for word in words):
        name, governance = "-".join(words), document.value.get("governance")
        groups = _names(governance.get("approvers")) if isinstance(governance, dict) else []
        if shape.text("x-expected") == _GROUP and not all(word in groups for word in words):
            return f"did you mean {quote(name)}?" if _fits(shape, name) else ""
        return f"put a comma between the entries: {', '.join(words)}"
    return ""


def _address(document: Document, shape: Shape, text: str) -> str:
    """Return a hint with an existing entry's address for its bare name, an overly deep path, or a misspelling."""
    bare = (f"{section}.{text}" for section, entries in document.value.items() if text in _names(entries))
    address = next(
        (candidate for candidate in (_corrected(document, text), *bare) if candidate and _fits(shape, candidate)), ""
    )
    return f"did you mean {quote(address)}?" if address else ""


def _corrected(document: Document, text: str) -> str:
    """Correct `inferences.scorer`, `inference.scorr` or `inference.scorer.champion` to `inference.scorer`."""
    first, dot, rest = text.partition(".")
    section = nearest_name(first, document.value) if first not in document.value else first
    names = _names(document.value[section]) if dot and section else []
    name = rest.partition(".")[0]
    if name not in names:
        name = nearest_name(name, names) or "" if len(names) <= _MOST_NAMES else ""
    return f"{section}.{name}" if name else ""


def _names(entries: Json) -> list[str]:
    return list(entries) if isinstance(entries, dict) else []
