"""The compiled description of a workload, mounted as plain data, and helpers that read it."""

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
    """Load the description of this Pod's workload. MODELYARD_WORKLOAD overrides the path of the mounted file."""
    path = Path(os.environ.get("MODELYARD_WORKLOAD", MOUNTED))
    try:
        content: Json = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise Refusal(f"the description of the workload at {path} cannot be read: {problem}") from None
    if not isinstance(content, dict) or content.get("apiVersion") != API_VERSION or content.get("kind") != "Workload":
        raise Refusal(f"{path} is not a workload description of {API_VERSION}")
    return content


def digest(section: Section) -> str:
    """Return a hash of part of a description as 16 hex digits, regardless of key order.

    The compiler writes the same digest next to an application's name. It is the SHA-256 of UTF-8 JSON with sorted keys
    and no spaces.
    """
    text = json.dumps(section, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def section(parent: Section, name: str) -> Section:
    """Return a nested mapping, or an empty mapping if it is absent."""
    value = parent.get(name)
    return value if isinstance(value, dict) else {}


def sections(parent: Section, name: str) -> dict[str, Section]:
    """Return a mapping of mappings by name."""
    return {key: value for key, value in section(parent, name).items() if isinstance(value, dict)}


def rows(parent: Section, name: str) -> list[Section]:
    """Return a list of mappings."""
    value = parent.get(name)
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def names(parent: Section, name: str) -> list[str]:
    """Return a list of strings."""
    value = parent.get(name)
    return [str(item) for item in value] if isinstance(value, list) else []


def text(parent: Section, name: str, default: str = "") -> str:
    """Return a string, or the default if it is absent."""
    value = parent.get(name)
    return default if value is None else str(value)


def number(parent: Section, name: str, default: float = 0.0) -> float:
    """Return a number, or the default if it is absent."""
    value = parent.get(name)
    return float(cast("float", value)) if isinstance(value, int | float) else default


def integer(parent: Section, name: str, default: int = 0) -> int:
    """Return an integer, or the default if it is absent."""
    return int(number(parent, name, default))


def bound(parent: Section, name: str) -> float | None:
    """Return a number, or None if it is absent."""
    value = parent.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
