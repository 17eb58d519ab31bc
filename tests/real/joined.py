"""Joins real previews with the effects that `modelyard diff` expects."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from modelyard.inputs import Given
from modelyard.review.effects import PROTECTED, Consequence, Effect
from modelyard.review.preview_findings import (
    ProjectChange,
    follows,
    is_provider,
    preview_findings,
    project_changes,
    shown_in,
)
from modelyard.review.previews import Preview, read_previews
from modelyard.review.sides import Sides
from modelyard.stages import Outcome
from modelyard_targets import TARGETS
from tests.narrowing import present

_SHOWN: Final[Mapping[Effect, frozenset[Effect]]] = {
    Effect.CREATED: frozenset({Effect.CREATED}),
    Effect.IN_PLACE: frozenset({Effect.IN_PLACE}),
    Effect.ROLLING: frozenset({Effect.IN_PLACE, Effect.REPLACED}),
    Effect.REPLACED: frozenset({Effect.REPLACED}),
    Effect.DESTROYED: frozenset({Effect.DESTROYED}),
    Effect.REFUSED: frozenset({Effect.REPLACED, Effect.DESTROYED}),
}
"""What a preview shows for an effect. A rollout is an update, or a replacement whose successor comes first."""


def changes_in(preview: str) -> dict[str, str]:
    """Return the operation on each changed resource, by class and logical name such as `NodeGroup system`."""
    operations: dict[str, str] = {}
    for step in json.loads(preview)["steps"]:
        kind = str(step["urn"]).split("::")[2].rpartition("$")[2]
        if step["op"] not in ("same", "read", "refresh") and not kind.startswith("modelyard:"):
            operations[f"{kind.rpartition(':')[2]} {step['urn'].rpartition('::')[2]}"] = step["op"]
    return operations


def errors_in(preview: str) -> str:
    """Return the errors at which a preview ended."""
    found: list[dict[str, Any]] = json.loads(preview).get("diagnostics") or []
    return "\n".join(str(one["message"]) for one in found if one["severity"] == "error")


def disagreements(before: Outcome, after: Outcome, text: str) -> list[str]:
    """Return where the effects of a change and a preview of one of its projects differ."""
    (preview,), problems = read_previews([Given("preview.json", text)])
    assert problems == ()
    sides = Sides(present(before.system), present(after.system))
    change = project_changes(before, after, TARGETS)[preview.project]
    found = [one.message for one in preview_findings(sides, before, after, TARGETS, [preview]) if one.code != "R527"]
    return [*_differences(preview, change), *(one for one in found if not _is_refusal(one, change))]


def _differences(preview: Preview, change: ProjectChange) -> Iterator[str]:
    shown = shown_in(preview, change)
    for key, one in change.expected.items():
        seen = shown[key].effect if key in shown else None
        is_unknown = seen is None and bool(preview.errors)  # after an error, the engine plans no more steps
        if not is_unknown and not is_provider(one.item, change) and seen not in _expected(one):
            yield f"{key[1]} {key[2]}: {one.effect.value} ({', '.join(one.paths)}), but in the preview {seen}"
    for key, one in shown.items():
        if key not in change.expected and not (one.effect is Effect.IN_PLACE and follows(one.item, change)):
            yield f"{key[1]} {key[2]}: nothing, but in the preview {one.effect.value}"


def _expected(one: Consequence) -> frozenset[Effect]:
    """Return what a preview may show for an effect.

    Without a changed argument, it follows from another resource, and what a preview shows of that depends on which
    outputs it knows. An item of a list, such as an address that gets alerts, may be a resource of its own.
    """
    if not one.paths:
        return frozenset(Effect)
    if one.effect is Effect.IN_PLACE and any("[" in path for path in one.paths):
        return frozenset({Effect.IN_PLACE, Effect.CREATED, Effect.DESTROYED})
    if one.effect is Effect.REFUSED and one.why != PROTECTED:
        return frozenset({Effect.IN_PLACE})
    return _SHOWN[one.effect]


def _is_refusal(message: str, change: ProjectChange) -> bool:
    """Return whether a preview fails as expected."""
    return " fails: " in message and any(one.effect is Effect.REFUSED for one in change.expected.values())
