"""Compares previews by Pulumi's engine with the effects expected by `modelyard diff`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from modelyard.effects import MOVED
from modelyard.inputs import InputFile
from modelyard.review.effects import PROTECTED, Consequence, Effect
from modelyard.review.lowered import Key
from modelyard.review.preview_findings import (
    ProjectChange,
    consequences_in,
    follows,
    is_provider,
    is_spared,
    item_of,
    preview_findings,
    project_changes,
)
from modelyard.review.previews import Preview, read_previews
from modelyard.review.sides import Sides
from modelyard.stages import Outcome
from modelyard_targets import TARGETS
from testbed.pulumi.hosted import Host
from testbed.pulumi.stack import PulumiStack
from tests.compiler.cli.commands import COMMAND
from tests.narrowing import present

_OF_PREVIEWS: Final = frozenset({"R524", "R525", "R526", "R527"})
_ANEW: Final = frozenset({Effect.CREATED, Effect.DESTROYED})
_SHOWN: Final[Mapping[Effect, frozenset[Effect | None]]] = {
    Effect.CREATED: frozenset({Effect.CREATED}),
    Effect.IN_PLACE: frozenset({Effect.IN_PLACE}),
    Effect.ROLLING: frozenset({Effect.IN_PLACE, Effect.REPLACED}),
    Effect.REPLACED: frozenset({Effect.REPLACED}),
    Effect.DESTROYED: frozenset({Effect.DESTROYED}),
    Effect.REFUSED: frozenset({Effect.REPLACED, Effect.DESTROYED}),
}
"""The operations that a preview may show for each expected effect.

A rollout is an update, or a replacement whose successor comes first.
"""


def changes_in(preview: str) -> dict[str, str]:
    """Return the operation on each changed resource by type and logical name, e.g. `NodeGroup system`."""
    operations: dict[str, str] = {}
    for step in json.loads(preview)["steps"]:
        kind = str(step["urn"]).split("::")[2].rpartition("$")[2]
        if step["op"] not in ("same", "read", "refresh") and not kind.startswith("modelyard:"):
            operations[f"{kind.rpartition(':')[2]} {step['urn'].rpartition('::')[2]}"] = step["op"]
    return operations


def errors_in(preview: str) -> str:
    """Return the errors at which a preview ended."""
    diagnostics: list[dict[str, Any]] = json.loads(preview).get("diagnostics") or []
    return "\n".join(str(diagnostic["message"]) for diagnostic in diagnostics if diagnostic["severity"] == "error")


@dataclass(frozen=True, slots=True)
class Deployed:
    """A deployed stack for previewing changes, with functions that compile a spec and write its project."""

    stack: PulumiStack
    runs: Host
    compiled: Callable[[str], Outcome]
    folder: Callable[[str], Path]

    def preview(self, before: str, after: str) -> str:
        """Return a preview of a change to the deployed spec, asserting the effects `modelyard diff` expects."""
        self.stack.replace(self.folder(after))
        text = self.runs.preview(self.stack)
        problems = disagreements(self.compiled(before), self.compiled(after), text)
        assert not problems, problems
        return text


def reported(before: str, after: str, preview: str, folder: Path) -> list[str]:
    """Return the code, level and message of each preview finding from `modelyard diff --preview`."""
    old, new, file = paths = [folder / name for name in ("before.yaml", "after.yaml", "preview.json")]
    for path, text in zip(paths, (before, after, preview), strict=True):
        path.write_text(text, encoding="utf-8")
    arguments = ["diff", str(old), str(new), "--preview", str(file), "--format", "json"]
    result = subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False)
    assert result.returncode in {0, 1}, result.stderr
    findings = json.loads(result.stdout)["findings"]
    return [
        f"{finding['code']} {finding['level']}: {finding['message']}"
        for finding in findings
        if finding["code"] in _OF_PREVIEWS
    ]


def disagreements(before: Outcome, after: Outcome, text: str) -> list[str]:
    """Return how a change's expected effects differ from a preview of one of the system's projects."""
    (preview,), problems = read_previews([InputFile("preview.json", text)])
    assert problems == ()
    sides = Sides(present(before.system), present(after.system))
    change = project_changes(before, after, TARGETS)[preview.project]
    messages = [
        entry.message for entry in preview_findings(sides, before, after, TARGETS, [preview]) if entry.code != "R527"
    ]
    return [*_differences(preview, change), *(entry for entry in messages if not _is_refusal(entry, change))]


def _differences(preview: Preview, change: ProjectChange) -> Iterator[str]:
    effects, raw = _preview_effects(preview, change), consequences_in(preview, change)
    for key, expected in change.expected.items():
        seen = effects.get(key)
        is_unknown = (preview.errors and _is_unknown(expected, seen)) or is_spared(expected, raw, change)
        if not is_unknown and not is_provider(expected.item, change) and seen not in _expected(expected):
            yield f"{key[1]} {key[2]}: {expected.effect.value} ({', '.join(expected.paths)}), but in the preview {seen}"
    for key, seen in effects.items():
        item = change.items.get(key)
        if key not in change.expected and not (seen is Effect.IN_PLACE and item is not None and follows(item, change)):
            yield f"{key[1]} {key[2]}: nothing, but in the preview {seen.value}"


def _is_unknown(consequence: Consequence, seen: Effect | None) -> bool:
    """Return whether errors may explain why a preview shows no effect, or an in-place update instead of a refusal."""
    return seen is None or (consequence.effect is Effect.REFUSED and seen is Effect.IN_PLACE)


def _preview_effects(preview: Preview, change: ProjectChange) -> dict[Key, Effect]:
    """Return a preview's effect on each of our resources, based on the steps for it and its main resources.

    If the table says that a resource can't move, although its main resource could, another resource in it is replaced,
    such as the subnetwork of a network.
    """
    result = {key: entry.effect for key, entry in consequences_in(preview, change).items()}
    for key, effects in _of_main_ones(preview, change).items():
        if result.get(key) is Effect.IN_PLACE and (Effect.REPLACED in effects or effects >= _ANEW):
            result[key] = Effect.REPLACED
    return result


def _of_main_ones(preview: Preview, change: ProjectChange) -> dict[Key, set[Effect]]:
    by_key: dict[Key, set[Effect]] = {}
    for step in preview.steps:
        key, item = item_of(step, change)
        part, consequence = change.effects.part(item.kind), change.expected.get(key)
        can_move = consequence is None or all(part.arguments.get(path) != MOVED for path in _all(consequence))
        if step.urn.type == part.type or not can_move:
            by_key.setdefault(key, set()).add(step.effect)
    return by_key


def _all(consequence: Consequence) -> tuple[str, ...]:
    """Return the arguments that differ, or all references if the effect merely follows from another resource's."""
    return consequence.paths or tuple(consequence.item.needs)


def _expected(consequence: Consequence) -> frozenset[Effect | None]:
    """Return the effects a preview may show for an expected effect. None means that it shows no effect.

    A resource that refers to a replaced one may turn out to be unchanged, and nodes may follow their cluster's version
    without Pulumi. A list item, such as an address that gets alerts, may be a separate resource.
    """
    if consequence.in_turn:
        return frozenset({Effect.CREATED, Effect.DESTROYED})
    if not consequence.paths and consequence.effect in {Effect.IN_PLACE, Effect.ROLLING}:
        return frozenset({None, Effect.IN_PLACE})
    if consequence.effect is Effect.IN_PLACE and any("[" in path for path in consequence.paths):
        return frozenset({Effect.IN_PLACE, Effect.CREATED, Effect.DESTROYED, Effect.REPLACED})
    if consequence.effect is Effect.REFUSED and consequence.why != PROTECTED:
        return frozenset({Effect.IN_PLACE})
    return _SHOWN[consequence.effect]


def _is_refusal(message: str, change: ProjectChange) -> bool:
    """Return whether a preview fails because of a change that is expected to be refused."""
    return " fails: " in message and any(
        consequence.effect is Effect.REFUSED for consequence in change.expected.values()
    )
