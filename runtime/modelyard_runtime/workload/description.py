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
        content: Json = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise Refusal(f"the description of the workload at {path} cannot be read: {problem}") from None
    if not isinstance(content, dict) or content.get("apiVersion") != API_VERSION or content.get("kind") != "Workload":
        raise Refusal(f"{path} is no description of a workload of {API_VERSION}")
    return content


def digest(section: Section) -> str:
    """A hash of a part of the description, independent of key order: 16 hexadecimal digits.

    The compiler writes the same digest next to an application's name: SHA-256 of JSON in UTF-8, sorted, without spaces.
    """
    text = json.dumps(section, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def section(parent: Section, name: str) -> Section:
    """A nested mapping; empty if absent."""
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def sections(parent: Section, name: str) -> dict[str, Section]:
    """A mapping of mappings, by name."""
    return {key: value for key, value in section(parent, name).items() if isinstance(value, dict)}


def rows(parent: Section, name: str) -> list[Section]:
    """A list of mappings."""
    value = parent.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def names(parent: Section, name: str) -> list[str]:
    """A list of strings."""
    value = parent.get(name)
    return [str(item) for item in value] if isinstance(value, list) else []


def text(parent: Section, name: str, default: str = "") -> str:
    """A string, or the default if absent."""
    value = parent.get(name)
    return default if value is None else str(value)


def number(parent: Section, name: str, default: float = 0.0) -> float:
    """A number, or the default if absent."""
    value = parent.get(name)
    return float(cast("float", value)) if isinstance(value, int | float) else default


def integer(parent: Section, name: str, default: int = 0) -> int:
    """An integer, or the default if absent."""
    return int(number(parent, name, default))


def bound(parent: Section, name: str) -> float | None:
    """A number, or None if absent."""
    value = parent.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
