"""Adapts workload descriptions to this machine's folders, registry and resources."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from modelyard_runtime.local.plan import LocalPlan
from modelyard_runtime.local.scaling import Content, Machine, scaled
from modelyard_runtime.local.state import State
from modelyard_runtime.refusals import Refusal

_ADDRESSES = frozenset({"uri", "artifacts", "asked", "answered"})
_OF_THE_USER = frozenset({"parameters", "space", "choices"})
_TOKENS = "/etc/modelyard-tokens/"


@dataclass(slots=True)
class Placed:
    """The adapted descriptions by their path in the plan, and the scaled resources by workload."""

    contents: dict[str, Content] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)
    scaled: dict[str, list[str]] = field(default_factory=dict)


def place_all(folder: Path, plan: LocalPlan, state: State, machine: Machine, registry: str) -> Placed:
    """Write every description in the plan to the state folder."""
    placed = Placed()
    for path in plan.descriptions:
        content, notes = scaled(_read(folder / path), machine)
        content = localized(content, plan, state, registry)
        where = state.below(path)
        where.write_text(json.dumps(content, ensure_ascii=False, indent=2), encoding="utf-8")
        placed.contents[path], placed.paths[path] = content, where
        if notes:
            placed.scaled[str(content["address"])] = notes
    return placed


def _read(path: Path) -> Content:
    try:
        content: Content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as problem:
        raise Refusal(f"{path} cannot be read: {problem}; compile the spec again") from None
    return content


def localized(content: Content, plan: LocalPlan, state: State, registry: str) -> Content:
    """Replace buckets with folders, token files with generated ones, and the registry URI with the local one."""
    changed: Content = _with_folders(content, state)
    if "registry" in changed and not plan.registry.adopted:
        changed["registry"] = {**changed["registry"], "uri": registry}
    for application in changed.get("applications", {}).values():
        if "auth" in application:
            files = application["auth"]["tokenFiles"]
            application["auth"]["tokenFiles"] = {caller: str(_token(path, state)) for caller, path in files.items()}
    return changed


def _token(path: str, state: State) -> Path:
    endpoint, _, caller = path.removeprefix(_TOKENS).partition("/")
    return state.token(endpoint, caller)


def _with_folders(value: Any, state: State, key: str = "") -> Any:
    if key in _OF_THE_USER:
        return value
    if isinstance(value, dict):
        return {name: _with_folders(entry, state, name) for name, entry in value.items()}
    if isinstance(value, list):
        return [_with_folders(entry, state, key) for entry in value]
    return state.file_uri(value) if key in _ADDRESSES and isinstance(value, str) else value
