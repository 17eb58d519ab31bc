"""Rewrite a string in the form its field requires if the intention is clear, e.g. `32GB` as `32G`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from modelyard.keywords import matches
from modelyard.patterns import pattern

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
    "y": "y",
    "yr": "y",
    "year": "y",
    "years": "y",
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
_SMALLER: Final = {"w": ("d", 7), "d": ("h", 24), "h": ("m", 60), "m": ("s", 60)}
"""Maps each unit of duration to the next smaller unit and the conversion factor."""

_CPUS: Final = frozenset({"core", "cores", "cpu", "cpus", "vcpu", "vcpus"})
_A_MONTH: Final = pattern(r"\s*(?:/|per |a )\s*mo(?:nth)?\Z")
NOTHING: Final = frozenset({"none", "null", "nil", "undefined", "n/a"})
"""Spellings of empty values in other languages."""

_MONTH: Final = "M"
"""A unit that probably means months, which durations do not support. It never means minutes."""

_ISO: Final = pattern(r"P(?:([0-9]{1,6})([DW])|T([0-9]{1,6})([HMS]))\Z")
_CLOCK: Final = pattern(r"([0-9]{1,3}):([0-5][0-9])(?::([0-5][0-9]))?\Z")
_AWS_CRON: Final = pattern(r"cron\((.+)\)\Z")
_AWS_RATE: Final = pattern(r"rate\(([0-9]{1,2}) (minute|hour|day)s?\)\Z")
_OFTEN: Final = {"minute": "*/{} * * * *", "hour": "0 */{} * * *", "day": "0 0 */{} * *"}
_MACROS: Final = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@nightly": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}
_SIGNS: Final = {"$": " USD", "€": " EUR", "£": " GBP"}
_QUANTITY: Final = pattern(r"([0-9]+(?:\.[0-9]+)?)\s*([A-Za-z%]+)\Z")
_DURATIONS: Final = pattern(r"([0-9]{1,6})([wdhm])\s*([0-9]{1,6})([dhms])\Z")
_REGISTERED: Final = pattern(r"models:/([^/@]+)[/@]([^/@]+)\Z")
_VERSION: Final = pattern(r"([^@]+)@([^@]+)\Z")
_ADDRESS: Final = pattern(r"[a-z0-9+]+://([^/]*)/*(.*)\Z", re.IGNORECASE)
_NETWORK: Final = pattern(r"https://[^ ]*/(projects/[^/]+/global/networks/[^/]+)\Z")
_SUBNET: Final = pattern(r"(?:[^ ]*/)?subnetworks/([^/]+)\Z")
_BUCKET: Final = pattern(r"arn:aws[a-z-]*:s3:::([^/]+)\Z")
_IN_SECTION: Final = pattern(r"(stores|compute|data|models|channels|vars|steps|variants|targets)\.[a-z]")
_DOTTED: Final = pattern(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)+\Z")
_ACCELERATOR: Final = pattern(r"[A-Z]{1,3}[0-9]+[A-Za-z0-9-]*\Z")
_MAKER: Final = pattern(r"nvidia[ -]?(?:tesla[ -]?)?", re.IGNORECASE)
_TIMES: Final = pattern(r"([A-Za-z][A-Za-z0-9-]*?) ?[x*] ?([0-9]{1,2})\Z")
_COUNTED: Final = pattern(r"([0-9]{1,2}) ?[x*] ?([A-Za-z][A-Za-z0-9-]*)\Z")
_FRACTION: Final = pattern(r"([0-9]{1,6}\.[0-9]{1,3})([wdhm])\Z")
_NUMBER: Final = pattern(r"[0-9]{1,9}(\.[0-9]{1,6})?\Z")
_AT_K: Final = pattern(r"[A-Za-z_]+_at_K")
_SURELY_MEGABYTES: Final = 2048
_AMOUNT: Final = pattern(r"([$€£])\s*([0-9][0-9,_ ]*(?:\.[0-9]+)?)\Z|([0-9][0-9,_ ]*(?:\.[0-9]+)?)\s*([$€£])\Z")


def rewritten(text: str, patterns: Iterable[str]) -> str:
    """Return the first rewritten string that matches all patterns, or "" if none does."""
    required = list(patterns)
    if not required or len(text) > _LONGEST or text.lower() in NOTHING:
        return ""
    holds_path, holds_host = (all(matches(part, pattern) for pattern in required) for part in ("a/b", "aaa.bbb"))
    for better in _rewritings(text, holds_path, holds_host):
        if better != text and all(matches(better, pattern) for pattern in required):
            return better
    return ""


def _rewritings(text: str, holds_path: bool, holds_host: bool) -> Iterator[str]:
    """Yield the strings that the user may have meant, most likely first."""
    stripped = text.strip().strip("\u201c\u201d\u201e\u2018\u2019\"'\u00a0 ")
    yield stripped
    if _AT_K.fullmatch(stripped):  # docs/metrics.md uses K for any number
        yield f"{stripped[:-1].lower()}10"
    yield _A_MONTH.sub("", stripped)
    yield from _quantities(stripped)
    yield from _numbers(stripped)
    yield from _schedules(stripped)
    yield from _references(stripped)
    yield from _links(stripped)
    if holds_path or holds_host:  # other fields contain names from the spec
        yield from _addresses(stripped, holds_path)
    yield stripped.removeprefix("./").lstrip("/")
    if not holds_path and stripped.count("/") < 2:  # paths and addresses are not names with typos
        if "@" not in stripped and ":" not in stripped:
            yield _joined(stripped)
        yield _joined(stripped).replace("-", "_")
    if not stripped.endswith(_MONTH):
        yield stripped.lower()
    yield stripped.upper()
    yield stripped.replace(" ", "")
    yield f"https://{stripped}"


def _joined(text: str) -> str:
    """Return the words of a string in lower case, joined by hyphens."""
    return re.sub(r"[^a-z0-9-]+", "-", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", text).lower()).strip("-")


def _schedules(text: str) -> Iterator[str]:
    """Yield a five-field cron expression for a macro, a time, a line with seconds, or another program's syntax."""
    yield _MACROS.get(text.lower(), text)
    yield _MACROS.get(f"@{text.lower()}", text)
    clock = _CLOCK.match(text)
    if clock and int(clock[1]) < 24:
        yield f"{int(clock[2])} {int(clock[1])} * * *"
    rate = _AWS_RATE.match(text)
    if rate:
        yield _OFTEN[rate[2]].format(rate[1]).replace("*/1 ", "* ")
    aws = _AWS_CRON.match(text)
    if aws and len(aws[1].split()) == 6:  # the year is last
        yield " ".join(aws[1].replace("?", "*").split()[:5])
    fields = text.replace("?", "*").split()
    if len(fields) in {5, 6, 7}:
        yield " ".join(fields[-5:] if len(fields) == 6 else fields[1:6] if len(fields) == 7 else fields)


def _references(text: str) -> Iterator[str]:
    """Yield corrections of a model version in MLflow syntax, a name with its section, a function, or an accelerator."""
    registered = _REGISTERED.match(text)
    if registered:
        yield f"{registered[1]}@{registered[2]}"
        yield f"{_joined(registered[1])}@{_joined(registered[2])}"
    version = _VERSION.match(text)
    if version:
        yield f"{_joined(version[1])}@{_joined(version[2])}"
    yield text.replace(":", "@", 1)
    if _IN_SECTION.match(text):
        yield text.partition(".")[2]
    if _DOTTED.match(text) and not text.endswith(".py"):
        yield ":".join(text.rsplit(".", 1))
    yield from _accelerators(_MAKER.sub("", text))


def _accelerators(text: str) -> Iterator[str]:
    """Yield corrections of an accelerator whose count is missing or comes first, as on an invoice."""
    counted, times = _COUNTED.match(text), _TIMES.match(text)
    if counted:
        yield f"{counted[2]}:{counted[1]}"
    if times:
        yield f"{times[1]}:{times[2]}"
    yield text
    if _ACCELERATOR.match(text):
        yield f"{text}:1"


def _addresses(text: str, holds_path: bool) -> Iterator[str]:
    """Yield the path, host or bucket in a URL, or the bucket before a path."""
    bucket = _BUCKET.match(text)
    if bucket:
        yield bucket[1]
    match = _ADDRESS.match(text)
    if match:
        yield match[2] if holds_path else match[1]
    elif not holds_path and "/" in text:
        yield text.partition("/")[0]


def _links(text: str) -> Iterator[str]:
    """Yield the network path or the subnet name in a Google Cloud link."""
    for match in (_NETWORK.match(text), _SUBNET.match(text)):
        if match:
            yield match[1]


def _numbers(text: str) -> Iterator[str]:
    """Yield a number with each likely unit (percent, milliseconds, GiB, MiB, and dollars)."""
    if not _NUMBER.match(text):
        return
    number = float(text)
    if 0 < number < 1:
        yield f"{number * 100:g}%"
        yield f"{number * 1000:g}ms"
    yield f"{text}%"
    yield f"{text}ms"
    yield f"{text}Gi" if number < _SURELY_MEGABYTES else f"{text}Mi"
    yield f"{text} USD"


def _clock(text: str) -> Iterator[str]:
    """Rewrite a duration written like a time, such as `6:00:00` or `1:30`."""
    match = _CLOCK.match(text)
    if match is None or (match[3] or "00") != "00":
        return
    hours, minutes = int(match[1]), int(match[2])
    if match[3] is not None:
        yield f"{hours}h" if minutes == 0 else f"{hours * 60 + minutes}m"


def _quantities(text: str) -> Iterator[str]:
    match = _QUANTITY.match(text)
    if match:
        number, unit = match.groups()
        yield number + unit
        yield f"{number} {unit.upper()}"
        if unit.lower() in _CPUS:
            yield number
        short = _UNITS.get(unit.lower(), unit)
        yield number + short
    iso = _ISO.match(text)
    if iso:
        yield f"{iso[1] or iso[3]}{(iso[2] or iso[4]).lower()}"
    yield from _clock(text)
    fraction = _FRACTION.match(text)
    if fraction:
        smaller, times = _SMALLER[fraction[2]]
        scaled = round(float(fraction[1]) * times, 6)
        if scaled.is_integer():
            yield f"{int(scaled)}{smaller}"
    several = _DURATIONS.match(text)
    if several:
        large, unit, small, smaller = several.groups()
        if _SMALLER[unit][0] == smaller:
            yield f"{int(large) * _SMALLER[unit][1] + int(small)}{smaller}"
    amount = _AMOUNT.match(text)
    if amount:
        digits = re.sub(r"[,_ ]", "", amount[2] or amount[3])
        yield digits + _SIGNS[amount[1] or amount[4]]
    without = text.replace(",", "")
    match = _QUANTITY.match(without)
    if match and without != text:
        yield f"{match[1]} {match[2].upper()}"
