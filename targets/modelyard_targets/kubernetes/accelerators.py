"""Accelerators by name: what Pods ask for them by, and how much memory one has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from modelyard.records import record

_TABLE: Final = Path(__file__).with_name("accelerators.json")


@record
class Known:
    """An accelerator that a device plugin offers: its usual spelling, resource name, and memory of one."""

    name: str
    resource: str
    memory_bytes: int


def known(name: str) -> Known | None:
    """The accelerator of that name, whatever its case and separators; None when nobody here has heard of it."""
    return _table().get(folded(name))


def names() -> tuple[str, ...]:
    """All names, as they are usually spelt."""
    return tuple(entry.name for entry in _table().values())


def folded(name: str) -> str:
    """A name without case and separators, by which two spellings of one accelerator are equal."""
    return "".join(letter for letter in name.lower() if letter not in " -_.")


@cache
def _table() -> Mapping[str, Known]:
    entries = json.loads(_TABLE.read_text(encoding="utf-8"))["accelerators"]
    return {
        folded(name): Known(name, str(entry["resource"]), int(entry["memoryGi"]) * 1024**3)
        for name, entry in entries.items()
    }
