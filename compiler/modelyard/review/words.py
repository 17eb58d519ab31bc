"""The spec's names for the fields of typed records and for their values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from modelyard.flow_text import flow
from modelyard.patterns import pattern
from modelyard.source import Json
from modelyard.units import duration_text

OTHER_NAMES: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("Approval", "groups"): ("from",),
    ("Auth", "callers"): ("token", "tokens"),
    ("Budget", "currency"): ("monthly",),
    ("Capture", "fraction"): ("sample",),
    ("Channel", "secret"): ("url", "key", "password"),
    ("Channel", "sender"): ("from",),
    ("ChangeWindow", "from_minute"): ("from",),
    ("ChangeWindow", "to_minute"): ("to",),
    ("Check", "maximum"): ("max",),
    ("Check", "minimum"): ("min",),
    ("Freeze", "first"): ("from",),
    ("Freeze", "last"): ("to",),
    ("Gateway", "class_name"): ("class",),
    ("Governance", "approve_promotion"): ("approvals",),
    ("Machines", "accelerator"): ("accelerators",),
    ("Machines", "currency"): ("price",),
    ("Machines", "price_hourly"): ("price",),
    ("Mirror", "variant"): ("to",),
    ("Model", "imported"): ("import",),
    ("Override", "kind"): ("object",),
    ("Parameter", "choices"): ("choice",),
    ("Parameter", "high"): ("uniform", "loguniform", "int"),
    ("Parameter", "kind"): ("uniform", "loguniform", "int", "choice"),
    ("Parameter", "low"): ("uniform", "loguniform", "int"),
    ("Range", "maximum"): ("max",),
    ("Range", "minimum"): ("min",),
    ("Stage", "approval"): ("approvals",),
    ("Sites", "names"): ("file", "values"),
    ("Slo", "first_token_ms"): ("timeToFirstToken",),
    ("Slo", "latency_ms"): ("p50", "p90", "p95", "p99", "p999"),
    ("Telemetry", "prometheus_labels"): ("labels",),
    ("TokenRate", "minimum"): ("min",),
    ("Tuning", "trials"): ("trials", "max"),
}
"""The spec's names for record fields that have a different name there, or that correspond to several fields."""

UNITS: Final = pattern("_(s|ms|bytes|millis|percent)$")
"""Matches the unit at the end of the name of a record's field."""

_SHARES: Final = frozenset({"fraction", "availability", "coverage", "share"})
_MEMORY: Final = (("Ti", 2**40), ("Gi", 2**30), ("Mi", 2**20), ("T", 10**12), ("G", 10**9), ("M", 10**6))


def word(owner: str, field: str) -> str:
    """Return the spec's name for a record's field, or the first name if the spec splits the field into several."""
    if (owner, field) in OTHER_NAMES:
        return OTHER_NAMES[owner, field][0]
    first, *more = UNITS.sub("", field).split("_")
    return first + "".join(part.capitalize() for part in more)


def spec_text(field: str, value: Json) -> str:
    """Format a record field's value as a spec would: 0.2 in `fraction` is 20%, and 90 in `window_s` is 90s."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(field, value)
    return value if isinstance(value, str) else flow(value)


def _number(field: str, value: float) -> str:
    unit = UNITS.search(field)
    ending = unit[1] if unit else ""
    if ending == "s":
        return duration_text(int(value)) if value else "0s"
    if ending == "ms":
        return f"{value / 1000:g}s" if value >= 1000 and value % 100 == 0 else f"{value:g}ms"
    if ending == "bytes":
        return next((f"{value / size:g}{name}" for name, size in _MEMORY if value * 1000 % size == 0), f"{value:g}")
    if ending == "millis":
        return f"{value / 1000:g}"
    if ending == "percent" or field in _SHARES:
        return f"{value if ending else value * 100:.6g}%"
    if field == "confidence":
        return f"{value * 100:g}%" if value else "none"
    return f"{value:.10g}"
