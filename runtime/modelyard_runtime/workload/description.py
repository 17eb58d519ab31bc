"""The compiled description of a workload, as mounted: plain data, and small functions that read it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias, cast

from modelyard_runtime.refusals import Refusal

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"
Section: TypeAlias = Mapping[str, Json]

MOUNTED = Path("/etc/modelyard/workload.json")

API_VERSION = "modelyard.dev/v1alpha1"


def description() -> Section:
    """The description of this Pod's workload; MODELYARD_WORKLOAD overrides the path of the mounted file."""
    path = Path(os.environ.get("MODELYARD_WORKLOAD", MOUNTED))
    try:
        found: Json = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise Refusal(f"the description of the workload at {path} cannot be read: {problem}") from None
    if not isinstance(found, dict) or found.get("apiVersion") != API_VERSION or found.get("kind") != "Workload":
        raise Refusal(f"{path} is no description of a workload of {API_VERSION}")
    return found


def digest(section: Section) -> str:
    """A hash of a part of the description, independent of key order: 16 hexadecimal digits.

    The compiler writes the same digest next to an application's name: SHA-256 of JSON in UTF-8, sorted, without spaces.
    """
    text = json.dumps(section, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def section(of: Section, name: str) -> Section:
    """A nested mapping; empty if absent."""
    found = of.get(name)
    return found if isinstance(found, dict) else {}


def sections(of: Section, name: str) -> dict[str, Section]:
    """A mapping of mappings, by name."""
    return {key: value for key, value in section(of, name).items() if isinstance(value, dict)}


def rows(of: Section, name: str) -> list[Section]:
    """A list of mappings."""
    found = of.get(name)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def names(of: Section, name: str) -> list[str]:
    """A list of strings."""
    found = of.get(name)
    return [str(one) for one in found] if isinstance(found, list) else []


def text(of: Section, name: str, default: str = "") -> str:
    """A string, or the default if absent."""
    found = of.get(name)
    return default if found is None else str(found)


def number(of: Section, name: str, default: float = 0.0) -> float:
    """A number, or the default if absent."""
    found = of.get(name)
    return float(cast("float", found)) if isinstance(found, int | float) else default


def integer(of: Section, name: str, default: int = 0) -> int:
    """An integer, or the default if absent."""
    return int(number(of, name, default))


def bound(of: Section, name: str) -> float | None:
    """A number, or None if absent."""
    found = of.get(name)
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None
