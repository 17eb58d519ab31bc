"""Generates the section of docs/risk.md on checks that depend on industry and risk.

Every code has a wrong spec in tests/failing. To determine when the code is reported, the spec is checked in both kinds
of industry, at high and limited risk.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from itertools import product
from pathlib import Path
from typing import Final

import modelyard.checks
import modelyard_targets
from tests.diagnosing import examine, question_in
from tests.errors_pages import every_code, link, summary

_FAILING: Final = Path(__file__).parent / "failing"
_LOOKS: Final = re.compile(r"\.regulated\b|\brisk [!=]= ")
_APPROVED: Final = (
    "  approvals: {promote: {from: [probe]}}\n"
    '  approvers: {probe: {sshKeys: ["ssh-ed25519 '
    'AAAAC3NzaC1lZDI1NTE5AAAAIBQLxo1V/0nQZqp74G7iCeTrfUUVH2nBc2KM1WIYB+um probe"]}}\n'
)
"""Approvals for a second try, because without them an error may prevent later checks from running."""

MODULES: Final[Mapping[str, tuple[str, ...]]] = {
    "built_in": ("W0949",),
    "settings": ("W0636",),
    "check_stores": ("W0681",),
    "evidence": ("W0864", "W0865"),
    "governance": ("E0416", "W0422", "W0424", "W0425", "W0426"),
    "governance_in_name": ("E0830", "W0831", "E0832", "E0835"),
    "promotions": ("E0945", "W0944"),
    "stages": ("E0967", "E0972", "W0973"),
}
"""The modules with checks that depend on industry or risk, and the codes of these checks."""

_WHEN: Final[Mapping[tuple[bool, ...], str]] = {
    (True, True, False, False): "regulated industry",
    (True, False, True, False): "high risk",
    (True, False, False, False): "regulated industry and high risk",
    (True, True, True, False): "regulated industry or high risk",
}
"""The text for each combination of systems that a code is reported for: in a regulated industry at high and at limited
risk, and in an unregulated industry at high and at limited risk.
"""


def decided_by_profile() -> frozenset[str]:
    """Return the modules with checks that depend on industry or risk."""
    folders = (*modelyard.checks.__path__, *modelyard_targets.__path__)
    files = (path for folder in folders for path in Path(folder).rglob("*.py"))
    return frozenset(path.stem for path in files if _LOOKS.search(path.read_text(encoding="utf-8")))


def risk_part() -> str:
    """Return the page's table, with a row for each code."""
    lines = ["| code | applies | what it checks |", "|---|---|---|"]
    return "\n".join((*lines, *_rows()))


def _rows() -> Iterator[str]:
    for code in sorted({code for listed in MODULES.values() for code in listed}, key=lambda code: (code[1:], code)):
        yield f"| [{code}]({link(code)}) | {_WHEN[where(code)]} | {summary(every_code()[code])} |"


@cache
def where(code: str) -> tuple[bool, ...]:
    """Return whether a code's first wrong spec is reported, for each kind of system in the order of `_WHEN`."""
    folder = next(each for each in sorted(_FAILING.iterdir()) if each.name.split("-")[0] == code)
    question = question_in(folder)
    return tuple(
        any(
            code in {diagnostic.code for diagnostic in examine(replace(question, environment="probe", overlay=overlay))}
            for overlay in _overlays(*profile)
        )
        for profile in product(("banking", "other"), ("high", "limited"))
    )


def _overlays(industry: str, risk: str) -> Iterator[str]:
    overlay = f"profile: {{industry: {industry}, size: small}}\ngovernance:\n  risk: {risk}\n"
    yield from (overlay, overlay + _APPROVED)
