"""Tests that `modelyard diff` predicts the component changes seen when running both versions' programs.

The tables determine which properties replace a resource. tests/targets/test_effects.py compares the tables with the
cloud stand-ins.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import pytest

from modelyard.effects import Effects
from modelyard.emit import emit
from modelyard.review.effects import Consequence, Effect, consequences, differing
from modelyard.review.lowered import Items, lowered
from modelyard.stages import Outcome
from modelyard_targets import TARGETS
from tests.examples import SYSTEMS, Example
from tests.narrowing import present
from tests.stacks.programs import Registration, registrations

_EDITS: Final = {
    "runs: {type: database}": "runs: {type: database, size: 40Gi}",
    "lake: {type: object}": "lake: {type: object, retention: 60d}",
    "    compute: small\n": "    compute: small\n    replicas: {min: 3, max: 6}\n",
}
CHANGES: Final = {
    "leads": {**_EDITS, '["L4:1", "A10G:1"]': '["L4:1"]', "10.20.0.0/16": "10.30.0.0/16"},
    "leads-on-azure": {**_EDITS, '["T4:1", "A100-80GB:1"]': '["T4:1"]', "disk: 30Gi": "disk: 200Gi"},
}
"""Edits of every kind to the spec of each system. Each string to replace must occur in that spec."""


@pytest.mark.parametrize("name", CHANGES)
def test_components_change_as_the_review_says(name: str, tmp_path: Path) -> None:
    example = Example(name, None, SYSTEMS)
    text = after = (SYSTEMS / name / "system.yaml").read_text(encoding="utf-8")
    for part, other in CHANGES[name].items():
        assert part in after, part
        after = after.replace(part, other)
    outcomes = [example.compiled(text), example.compiled(after)]
    folders = [_written(outcome, tmp_path / str(at)) for at, outcome in enumerate(outcomes)]
    provider = present(outcomes[0].plan).system.target("main").provider
    tables = TARGETS[provider].effects()
    items = [_infrastructure(outcome) for outcome in outcomes]
    predicted = {
        (consequence.item.kind, consequence.item.name): consequence
        for consequence in consequences(items[0], items[1], tables)
    }
    old, new = registrations(*folders)
    operations = _operations(old, new, tables)

    wrong = [
        f"{key}: {predicted.get(key) and predicted[key].effect}, but {how}"
        for key, how in operations.items()
        if not _fits(predicted.get(key), how)
    ]
    unseen = [str(key) for key, consequence in predicted.items() if key not in operations and _must_show(consequence)]
    assert wrong == []
    assert unseen == []
    assert {consequence.effect for consequence in predicted.values()} >= {Effect.IN_PLACE, Effect.DESTROYED}


def _infrastructure(outcome: Outcome) -> Items:
    items = lowered(present(outcome.plan), "main", TARGETS)
    return {key: item for key, item in items.items() if key[0].endswith("-infrastructure")}


def _written(outcome: Outcome, root: Path) -> Path:
    """Write the infrastructure project of a system and return its folder."""
    assert not outcome.failed, outcome.diagnostics
    for file in emit(outcome.stacks[0]):
        path = root / file.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(file.render())
    (project_file,) = root.rglob("infrastructure/Pulumi.yaml")
    return project_file.parent


def _operations(before: list[Registration], after: list[Registration], tables: Effects) -> dict[tuple[str, str], str]:
    """Return the engine's operation on each component: created, destroyed, replaced, or changed."""
    old, new = (_by_component(listed) for listed in (before, after))
    operations: dict[tuple[str, str], str] = {}
    for key in {**old, **new}:
        if key not in old or key not in new:
            operations[key] = "created" if key in new else "destroyed"
        elif old[key] != new[key]:
            kind = tables.part(key[0]).type
            fixed = tables.resources.get(kind, frozenset())
            mains = [name for name in old[key].keys() & new[key].keys() if name[0] == kind]
            paths = {path for name in mains for path in differing(old[key][name], new[key][name])}
            replaced = any(
                path == prefix or path.startswith((f"{prefix}.", f"{prefix}[")) for path in paths for prefix in fixed
            )
            operations[key] = "replaced" if replaced else "changed"
    return operations


def _by_component(listed: list[Registration]) -> dict[tuple[str, str], dict[tuple[str, str], object]]:
    """Group resource inputs, keyed by type and name, by their outermost component."""
    parents = {f"{resource['type']}::{resource['name']}": resource for resource in listed}
    groups: dict[tuple[str, str], dict[tuple[str, str], object]] = {}
    for resource in listed:
        top = resource
        while "Stack::" not in str(top["parent"]) and top["parent"]:
            kind, _, title = str(top["parent"]).rpartition("::")
            top = parents[f"{kind.rpartition('$')[2]}::{title}"]
        if str(top["type"]).startswith("modelyard:"):
            _, provider, component = str(top["type"]).split(":")
            group = groups.setdefault((f"{provider}.{component}", str(top["name"])), {})
            group[str(resource["type"]), str(resource["name"])] = resource["inputs"]
    return groups


def _fits(predicted: Consequence | None, how: str) -> bool:
    """Return whether an operation fits the prediction. Mocks show no changed outputs and no moves between regions."""
    if predicted is None:
        return how == "changed"
    allowed = {
        Effect.CREATED: {"created"},
        Effect.DESTROYED: {"destroyed", "changed"},
        Effect.IN_PLACE: {"changed"},
        Effect.ROLLING: {"changed", "replaced", "created", "destroyed"},
        Effect.REPLACED: {"replaced", "changed"},
        Effect.REFUSED: {"replaced", "changed", "destroyed"},
        Effect.LEFT: {"destroyed"},
    }
    return how in allowed[predicted.effect]


def _must_show(consequence: Consequence) -> bool:
    """Return whether mocks must show the effect, i.e. an argument itself differs, not just what it refers to."""
    return (
        bool(consequence.paths)
        and not consequence.item.kind.endswith((".Account", ".Project"))
        and consequence.effect is not Effect.REPLACED
    )
