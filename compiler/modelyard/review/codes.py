"""Finding codes, loaded from codes.json. Each has a meaning, an example, and the code of the reverse change."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import lru_cache

from modelyard.records import record

_FILE = os.path.join(os.path.dirname(__file__), "codes.json")


@record
class Code:
    """The meaning of a code, an example change, and the code of the reverse change, which may be the same.

    Codes for changes that don't belong to a single field have no example.
    """

    title: str
    mirror: str
    before: str
    after: str


@lru_cache(maxsize=1)
def codes() -> Mapping[str, Code]:
    """Return all codes, in order."""
    with open(_FILE, encoding="utf-8") as file:
        return {code: Code(**entry) for code, entry in json.load(file).items()}


def explained(code: str) -> str:
    """Return the documentation page for a code, starting with the code itself."""
    entry = codes()[code]
    lines = [f"{code}: {entry.title}"]
    if entry.before or entry.after:
        lines += ["", "Before:", "", f"    {entry.before or '(nothing)'}"]
        lines += ["", "After:", "", f"    {entry.after or '(nothing)'}"]
    reverse = (
        "The reverse change has the same code." if entry.mirror == code else f"The reverse change is {entry.mirror}."
    )
    return "\n".join([*lines, "", reverse])
