"""Read `reviews/acknowledged.yaml`: who accepts which finding in a review, why, and until when.

    acknowledged:
    - code: R211
      fingerprint: ff7e1cb83a8641e13d373e1e106e59cb868fbb07
      by: ada@acme.example
      reason: labels arrive late until the new feed is there
      until: "2027-01-31"

The optional `signature` is an SSH signature of a statement with these fields.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from typing import Final

from modelyard.inputs import InputFile
from modelyard.load import load
from modelyard.patterns import pattern
from modelyard.records import record
from modelyard.source import Document, Json, Span

FILE: Final = "reviews/acknowledged.yaml"
"""The file's path next to a spec."""

_LIST: Final = "acknowledged"
_FIELDS: Final = ("code", "fingerprint", "by", "reason", "until")
_OPTIONAL: Final = ("signature",)
_FINGERPRINT: Final = pattern(r"[0-9a-f]{40}")
_CODE: Final = pattern(r"R[0-9]{3}")
_MOST: Final = 1000
_LONGEST: Final = 5000  # characters in a field; a signature with a long RSA key has 3,500


@record
class Acknowledgement:
    """An entry in `reviews/acknowledged.yaml`, with its location. The signature is "" if the entry is not signed."""

    code: str
    fingerprint: str
    by: str
    reason: str
    until: date
    place: Span
    signature: str = ""

    def statement(self, system: str) -> dict[str, str]:
        """Return the content to sign, made up of all fields of the entry and the system name."""
        return statement(system, (self.code, self.fingerprint, self.by, self.reason, self.until.isoformat()))


def statement(system: str, values: tuple[str, str, str, str, str]) -> dict[str, str]:
    """Return the content to sign for an entry.

    `values` are its code, fingerprint, by, reason and until, in that order.
    """
    head = {"apiVersion": "modelyard.dev/v1alpha1", "kind": "Acknowledgement", "action": "accept", "system": system}
    return {**head, **dict(zip(_FIELDS, values, strict=True))}


def signed_text(content: dict[str, str]) -> str:
    """Return the statement as the text to sign."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True)


@record
class Unreadable:
    """An error in `reviews/acknowledged.yaml` or in one of its entries, with its location."""

    reason: str
    place: Span


def acknowledgements(file: InputFile) -> tuple[tuple[Acknowledgement, ...], tuple[Unreadable, ...]]:
    """Return the file's valid entries and its errors. Invalid entries don't affect the others."""
    document, problems = load(file.content, file.path, may_be_empty=True)
    start = Span(file.path, 1, 1, 1)
    if document is None:
        return (), tuple(Unreadable(problem.message, problem.span or start) for problem in problems[:1])
    entries = document.value.get(_LIST, [])
    if not isinstance(entries, list) or set(document.value) - {_LIST} or len(entries) > _MOST:
        return (), (Unreadable(f"it must have one field, {_LIST}, a list of at most {_MOST} entries", start),)
    read = [_entry(entry, document.value_span((_LIST, at))) for at, entry in enumerate(entries)]
    wrong = tuple(item for item in read if isinstance(item, Unreadable))
    return tuple(item for item in read if isinstance(item, Acknowledgement)), wrong


def entries_of(document: Document) -> list[Json]:
    """Return the file's entries as written, or an empty list if the file has no list of entries."""
    entries = document.value.get(_LIST)
    return list(entries) if isinstance(entries, list) else []


def _entry(entry: Json, place: Span) -> Acknowledgement | Unreadable:
    reason = next(_reasons(entry), "")
    if reason or not isinstance(entry, dict):
        return Unreadable(reason, place)
    code, fingerprint, by, why, until = (str(entry[name]) for name in _FIELDS)
    signature = str(entry.get("signature", ""))
    return Acknowledgement(code, fingerprint, by, why, date.fromisoformat(until), place, signature)


def _reasons(entry: Json) -> Iterator[str]:
    """Yield the errors in an entry. Later errors may just be consequences of the first."""
    if not isinstance(entry, dict):
        yield f"an entry must be a mapping with {', '.join(_FIELDS)}"
        return
    missing = [name for name in _FIELDS if name not in entry]
    if missing:
        yield f"the entry lacks {', '.join(missing)}"
        return
    unknown = [name for name in entry if name not in (*_FIELDS, *_OPTIONAL)]
    if unknown:
        yield f"an entry has no field {unknown[0]!r}"
    for name, value in entry.items():
        if not isinstance(value, str) or not value.strip() or len(value) > _LONGEST:
            yield f"{name} must be a text of 1 to {_LONGEST} characters"
    if not _CODE.fullmatch(str(entry["code"])):
        yield "code must be that of a finding, such as R211"
    if not _FINGERPRINT.fullmatch(str(entry["fingerprint"])):
        yield "fingerprint must have 40 digits of 0-9 and a-f; `modelyard acknowledge` writes them"
    if not is_day(str(entry["until"])):
        yield "until must be a date such as 2027-01-31"


def is_day(text: str) -> bool:
    """Return whether a string is a date of the form 2027-01-31."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
