"""Handle incomplete documents in an editor: determine their kind and their readable part."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from modelyard.editor.cursor import Cursor
from modelyard.load import load
from modelyard.patterns import pattern
from modelyard.shape import Schema

_API: Final = pattern(r"(?m)^[\"']?apiVersion[\"']?\s*:.*modelyard|^\{.*apiVersion.*modelyard")
_REST_OF_WORD: Final = pattern(r"[^\s,:{}\[\]#]*")
_FOLDER: Final = "environments"


def environment_of(path: str) -> str | None:
    """Return the name of the environment that a file describes, or None for other files."""
    folder, name = os.path.split(path)
    stem, extension = os.path.splitext(name)
    return stem if os.path.basename(folder) == _FOLDER and extension == ".yaml" else None


def is_spec(path: str, text: str, names: tuple[str, ...]) -> bool:
    """Return whether a file is a spec, judging by its name or apiVersion."""
    return os.path.basename(path) in names or _API.search(text) is not None


def end_of_word(line: str, column: int) -> int:
    """Return the column where the word at the given column ends."""
    match = _REST_OF_WORD.match(line, column)
    return match.end() if match else column


def readable(text: str, cursor: Cursor, line: int, column: int) -> Schema | None:
    """Return the document's readable part, without the word at the cursor, or None if even that isn't YAML."""
    for candidate in _candidates(text, cursor, line, column):
        document, _ = load(candidate, "")
        if document is not None:
            return document.value
    return None


def _candidates(text: str, cursor: Cursor, line: int, column: int) -> Iterator[str]:
    """Yield the variants to try: without the word at the cursor, without the cursor's line, and unchanged."""
    lines = text.split("\n")
    here = lines[line] if line < len(lines) else ""
    before, after = here[: column - len(cursor.word)], here[end_of_word(here, column) :]
    yield "\n".join((*lines[:line], before + after, *lines[line + 1 :]))
    yield "\n".join((*lines[:line], "", *lines[line + 1 :]))
    yield text
