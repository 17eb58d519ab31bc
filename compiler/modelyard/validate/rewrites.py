"""A text in the form that its field asks for, when it is clear what was meant: `32GB` is `32G`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.keywords import matches

_LONGEST: Final = 100
_UNITS: Final = {
    "second": "s",
    "seconds": "s",
    "sec": "s",
    "secs": "s",
    "minute": "m",
    "minutes": "m",
    "min": "m",
    "mins": "m",
    "hour": "h",
    "hours": "h",
    "hr": "h",
    "hrs": "h",
    "day": "d",
    "days": "d",
    "week": "w",
    "weeks": "w",
    "millisecond": "ms",
    "milliseconds": "ms",
    "msec": "ms",
    "percent": "%",
    "pct": "%",
    "kb": "K",
    "mb": "M",
    "gb": "G",
    "tb": "T",
    "mib": "Mi",
    "gib": "Gi",
    "tib": "Ti",
    "mi": "Mi",
    "gi": "Gi",
    "ti": "Ti",
    "g": "G",
    "t": "T",
    "dollars": " USD",
    "dollar": " USD",
    "euro": " EUR",
    "euros": " EUR",
    "usd": " USD",
    "eur": " EUR",
    "gbp": " GBP",
    "chf": " CHF",
}
_SIGNS: Final = {"$": " USD", "€": " EUR", "£": " GBP"}
_QUANTITY: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z%]+)\Z")
_AMOUNT: Final = re.compile(r"([$€£])\s*([0-9][0-9,_ ]*(?:\.[0-9]+)?)\Z|([0-9][0-9,_ ]*(?:\.[0-9]+)?)\s*([$€£])\Z")


def rewritten(text: str, patterns: Iterable[str]) -> str:
    """The first rewriting that fits all patterns, or an empty text."""
    wanted = list(patterns)
    if not wanted or len(text) > _LONGEST:
        return ""
    for better in _rewritings(text):
        if better != text and all(matches(better, pattern) for pattern in wanted):
            return better
    return ""


def _rewritings(text: str) -> Iterator[str]:
    stripped = text.strip()
    yield stripped
    yield from _quantities(stripped)
    yield stripped.removeprefix("./").lstrip("/")
    yield re.sub(r"[^a-z0-9-]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", stripped).lower()).strip("-")
    yield stripped.lower()
    yield re.sub(r"[\s-]+", "_", stripped.lower())
    yield stripped.upper()
    yield stripped.replace(" ", "")
    yield f"https://{stripped}"


def _quantities(text: str) -> Iterator[str]:
    found = _QUANTITY.match(text)
    if found:
        number, unit = found.groups()
        yield number + unit
        yield f"{number} {unit.upper()}"
        yield number + _UNITS.get(unit.lower(), unit)
    amount = _AMOUNT.match(text)
    if amount:
        digits = re.sub(r"[,_ ]", "", amount[2] or amount[3])
        yield digits + _SIGNS[amount[1] or amount[4]]
    without = text.replace(",", "")
    found = _QUANTITY.match(without)
    if found and without != text:
        yield f"{found[1]} {found[2].upper()}"
