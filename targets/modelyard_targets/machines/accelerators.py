"""Look up an accelerator's resource name and memory by its name."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Any, Final

from modelyard.records import record

_CUDA: Final = "nvidia.com/gpu"
_BEFORE_TURING: Final = frozenset({"P100", "P4", "V100-16GB", "V100-32GB"})
"""GPUs with compute capability below 7.5, which CUDA 13 no longer supports (docs.nvidia.com/cuda/archive/13.0.0, "CUDA
Toolkit release notes", read 2026-11-26). The image has PyTorch from PyPI, which is built for CUDA 13.
"""

_TABLE: Final = os.path.join(os.path.dirname(__file__), "accelerators.json")


@record
class Known:
    """An accelerator offered by a device plugin, with its usual spelling, resource name and memory."""

    name: str
    resource: str
    memory_bytes: int


def known(name: str) -> Known | None:
    """Look up an accelerator by name, ignoring case and separators. Returns None if it isn't in the table.

    A name without a size refers to one specific variant, e.g. `A100` is `A100-40GB`.
    """
    return _table().get(_folded(name))


def resource_of(name: str) -> str:
    """Return the resource name Pods request for an accelerator, or "" if it isn't in the table."""
    entry = known(name)
    return entry.resource if entry is not None else ""


def names() -> tuple[str, ...]:
    """Return all accelerator names in their usual spelling, aliases last."""
    return tuple(dict.fromkeys([*(entry.name for entry in _table().values()), *_aliases()]))


def unknown_to_trainers(name: str, trainer: str) -> str:
    """Explain why a built-in trainer can't use the given accelerator, or return "" if it can."""
    entry = known(name)
    if entry is None:
        return ""
    if entry.resource != _CUDA:
        return f"the image's {trainer} supports only CUDA, for NVIDIA GPUs"
    if trainer == "pytorch" and entry.name in _BEFORE_TURING:
        return "the image's pytorch uses CUDA 13, which supports only Turing and later GPUs, such as T4, A10G or L4"
    return ""


def canonical(name: str) -> str:
    """Return an accelerator's canonical name, which is the same for all of its aliases."""
    entry = known(name)
    return _folded(entry.name if entry is not None else name)


def of_memory(name: str, memory_bytes: int) -> str:
    """Return the accelerator variant with the given memory, e.g. `A100-80GB` for `A100` and 80 GiB.

    The name is returned unchanged if the table has no such variant.
    """
    family, _, size = name.rpartition("-")
    family = family if size.upper().endswith("GB") and size[:-2].isdigit() else name
    variant = known(f"{family}-{memory_bytes // 1024**3}GB")
    return variant.name if variant is not None else name


@lru_cache(maxsize=1024)
def _folded(name: str) -> str:
    """Return an accelerator's name in lower case and without separators."""
    return "".join(letter for letter in name.lower() if letter not in " -_.")


@cache
def _aliases() -> Mapping[str, str]:
    aliases: dict[str, str] = _file()["aliases"]
    return aliases


@cache
def _table() -> Mapping[str, Known]:
    entries = {
        name: Known(name, str(entry["resource"]), int(entry["memoryGi"]) * 1024**3)
        for name, entry in _file()["accelerators"].items()
    }
    listed = {**entries, **{alias: entries[name] for alias, name in _aliases().items()}}
    return {_folded(name): entry for name, entry in listed.items()}


@cache
def _file() -> Mapping[str, dict[str, Any]]:
    with open(_TABLE, encoding="utf-8") as file:
        table: dict[str, dict[str, Any]] = json.load(file)
    return table
