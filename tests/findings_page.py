"""Prints docs/findings.md, with an example and the reverse change's code for every finding code."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from modelyard.review.codes import codes

_PARTS: Final = {
    "1": "What is served, learned and run",
    "2": "What is guarded and watched",
    "3": "Data",
    "4": "Who can reach what",
    "5": "What is created, replaced and removed",
    "6": "Machines and money",
    "7": "What the platform is made of",
    "8": "People and words",
    "9": "Exceptions, environments and the rest",
}
"""The titles of the page's sections, by the first digit of the finding codes in them."""


def findings_page(printed: str) -> str:
    """Return docs/findings.md. `printed` is the note on how to print the page again."""
    return "\n".join(["# Findings of `modelyard diff`", "", printed, _ABOUT, *_rows()]) + "\n"


_ABOUT: Final = (
    "[reviewing.md](reviewing.md) describes the levels. The level of a code depends on the change and on the system."
)


def _rows() -> Iterator[str]:
    part = ""
    for code, entry in codes().items():
        if code[1] != part:
            part = code[1]
            yield from (
                "",
                f"## {_PARTS[part]}",
                "",
                "| code | means | before | after | reverse |",
                "|---|---|---|---|---|",
            )
        yield f"| {code} | {entry.title} | {_code(entry.before)} | {_code(entry.after)} | {entry.mirror} |"


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|") if text else ""
