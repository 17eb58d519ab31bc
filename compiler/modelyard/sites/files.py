"""Read a CSV file with sites or rows from the spec's folder."""

from __future__ import annotations

import os
from typing import Final

from modelyard.inputs import InputFile
from modelyard.patterns import pattern
from modelyard.sites.table import MOST_MIB

_PATH = pattern(r"(?:[A-Za-z0-9_][A-Za-z0-9._-]*/)*[A-Za-z0-9_][A-Za-z0-9._-]*\.csv\Z")
_NOT_A_TABLE: Final = "it is not the path of a CSV file below the spec's folder"
MISSING: Final = "there is no such file"


def refused_name(name: str) -> str:
    """Explain why a string isn't a path to a CSV file in or below the spec folder, or return "" if it is."""
    return "" if _PATH.match(name) else _NOT_A_TABLE


def read_beside(spec: str, name: str) -> InputFile | str:
    """Read a file in or below the spec folder, or return the reason why it can't be read.

    Links must not lead out of the folder. Otherwise, a spec could get messages to quote other files on the machine.
    """
    if refused := refused_name(name):
        return refused
    folder = os.path.dirname(spec)
    path = os.path.join(folder, name)
    root = os.path.realpath(folder or ".")
    try:
        if os.path.commonpath((root, os.path.realpath(path))) != root:
            return "it is a link to a file outside the spec's folder"
        if not os.path.exists(path):
            return MISSING
        if not os.path.isfile(path):
            return "it is not a file"
        with open(path, "rb") as file:
            return InputFile(path, file.read(MOST_MIB * 2**20 + 1))  # one byte more shows that the file is too large
    except OSError as problem:
        return problem.strerror or "it cannot be read"
