"""Accelerators by name: what Pods ask for them by, and how much memory one has."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Final

from modelyard.records import record

_TABLE: Final = os.path.join(os.path.dirname(__file__), "accelerators.json")


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
    with open(_TABLE, encoding="utf-8") as file:
        entries = json.load(file)["accelerators"]
    return {
        folded(name): Known(name, str(entry["resource"]), int(entry["memoryGi"]) * 1024**3)
        for name, entry in entries.items()
    }
