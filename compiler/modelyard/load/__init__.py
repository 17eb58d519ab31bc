"""The first stage: parse YAML into a `Document`, using the YAML 1.2 core schema and size limits."""

from __future__ import annotations

import gc
import re
from typing import Final

from modelyard.diagnostics import bounds
from modelyard.diagnostics import load as tell
from modelyard.diagnostics.base import Diagnostic, in_order
from modelyard.load.builder import LIMITS, Builder, Limits
from modelyard.patterns import pattern
from modelyard.source import Document, Json, SourceFile, Span

_CONTROLS: Final = bytes([*range(9), 11, 12, *range(14, 32), 127])
_WIDE_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_WIDE: Final = pattern(rb"(?:[^\0]\0){4}|(?:\0[^\0]){4}")
"""Matches UTF-16 without a byte order mark: in ASCII text, every other byte is zero."""
_FORBIDDEN: Final = pattern(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff\ud800-\udfff]"
)


def load(
    text: str | bytes,
    path: str,
    limits: Limits = LIMITS,
    may_be_empty: bool = False,
    like: Document | None = None,
) -> tuple[Document | None, tuple[Diagnostic, ...]]:
    """Parse the text of a file into a document. If the text is invalid, return None and diagnostics.

    `path` is the file's name as shown to the user. JSON is read as YAML. An empty environment is valid and changes
    nothing. `like` is another version of the file, from which equal entries are reused to save time.
    """
    if len(text) > limits.size_mib * 2**20:
        return None, (bounds.file_too_large(Span(path, 1, 1, 2), limits.size_mib),)
    source = SourceFile.read(path, text)
    refused = _undecodable(text, path) or _forbidden(source)
    if refused:
        return None, in_order(refused)
    if like is not None:
        from modelyard.load.reuse import reused  # only needed to compare two versions

        document = reused(source, like, limits)
        if document is not None:
            return document, ()
    builder = Builder(source, limits, may_be_empty)
    value = _without_collector(builder)
    if builder.diagnostics or not isinstance(value, dict):
        return None, bounds.at_most(builder.diagnostics)
    return Document(value, (source,), builder.spans, builder.root, separable=builder.separable), ()


def _without_collector(builder: Builder) -> Json:
    """Build without the cycle collector, which would repeatedly scan values that never form cycles."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        return builder.document()
    finally:
        if was_on:
            gc.enable()


def _undecodable(text: str | bytes, path: str) -> list[Diagnostic]:
    if isinstance(text, str):
        return []
    if text.startswith(_WIDE_MARKS) or _WIDE.match(text):
        return [tell.not_utf8(Span(path, 1, 1, 2), text[0], is_wide=True)]
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        before = text[: error.start].decode("utf-8").removeprefix("\ufeff")
        return [tell.not_utf8(_span_after(path, before), text[error.start])]
    return []


def _forbidden(source: SourceFile) -> list[Diagnostic]:
    """Report each forbidden character once, at its first position."""
    text = source.text
    if text.isascii():
        raw = text.encode("ascii")
        if len(raw.translate(None, _CONTROLS)) == len(raw):
            return []
    if not _FORBIDDEN.search(text):
        return []
    first = {character: text.find(character) for character in set(text) if _FORBIDDEN.match(character)}
    return [tell.forbidden_character(_span_after(source.path, text[:at]), character) for character, at in first.items()]


def _span_after(path: str, before: str) -> Span:
    """Return the span of the character that follows `before`, the beginning of the file's text."""
    lines = re.split("\r\n|\r|\n", before)
    column = len(lines[-1]) + 1
    return Span(path, len(lines), column, column + 1)
