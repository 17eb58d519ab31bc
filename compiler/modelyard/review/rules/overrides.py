"""Rules for overrides: JSON Patches for emitted objects, judged by the fields that they change."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Final, TypeAlias

from modelyard.flow_text import flow
from modelyard.load.scalars import plain_value
from modelyard.review.changes import Change
from modelyard.review.rules.base import DANGER, NOTE, REVIEW, Rule, Verdict, moves
from modelyard.review.sides import Sides
from modelyard.same import is_same
from modelyard.source import Json
from modelyard.spec import Override, System

Operation: TypeAlias = Mapping[str, Json]
"""An operation in a JSON Patch (RFC 6902)."""

_LONGEST_VALUE: Final = 400
_SAFEGUARDS: Final = frozenset(
    {"NetworkPolicy", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding", "Secret", "ServiceAccount"}
)
"""Kinds of Kubernetes objects in which every field affects who may do what."""

_ORDINARY: Final = frozenset(
    {
        *("affinity", "nodeSelector", "priorityClassName", "resources", "tolerations", "topologySpreadConstraints"),
        *("idleTimeoutSeconds", "maxReplicas", "minReplicas", "replicas", "terminationGracePeriodSeconds"),
    }
)
"""Names of fields that determine only where a workload runs, with how many replicas, and at what size."""

_UNCHECKED: Final = "modelyard does not check what overrides set, such as images, commands, identities or alerts"


def _override(system: System, name: str) -> Override | None:
    return next((override for override in system.overrides if override.name == name), None)


def _gained(change: Change, sides: Sides) -> tuple[str, tuple[Operation, ...]]:
    """Return the new override's object as `KIND/NAME`, and the operations that weren't in the old override."""
    old, new = (_override(system, change.path[1]) for system in (sides.before, sides.after))
    if new is None:
        return "", ()
    is_for_same = old is not None and (old.target, old.kind, old.object) == (new.target, new.kind, new.object)
    known = old.patch if old is not None and is_for_same else ()
    gained = (operation for operation in new.patch if not any(is_same(operation, other) for other in known))
    return f"{new.kind}/{new.object}", tuple(gained)


def _lost(change: Change, sides: Sides) -> tuple[str, tuple[Operation, ...]]:
    return _gained(change, Sides(sides.after, sides.before))


def _verdict(change: Change, sides: Sides) -> Verdict:
    code = "R903" if change.entry and change.removed else "R901"
    if change.path[2:] == ("reason",):
        return code, NOTE
    if any(not _is_ordinary(*pair) for pair in _each(*_gained(change, sides))):
        return code, DANGER
    return code, DANGER if any(_protects(*pair) for pair in _each(*_lost(change, sides))) else REVIEW


def _each(target: str, operations: tuple[Operation, ...]) -> tuple[tuple[str, Operation], ...]:
    return tuple((target, operation) for operation in operations)


def _is_ordinary(target: str, operation: Operation) -> bool:
    """Return whether an operation can only change labels, annotations, or a workload's placement and size.

    Returns False for unknown fields, which may contain an image, a command, an identity or an address.
    """
    if operation.get("op") == "test":
        return True
    places = [str(operation[key]).split("/") for key in ("path", "from") if key in operation]
    return target.partition("/")[0] not in _SAFEGUARDS and all(map(_is_ordinary_place, places))


def _is_ordinary_place(steps: list[str]) -> bool:
    described = any(step == "metadata" and after in {"annotations", "labels"} for step, after in pairwise(steps))
    return described or (steps[1:2] == ["spec"] and not _ORDINARY.isdisjoint(steps))  # keys in `data` can have any name


def _protects(target: str, operation: Operation) -> bool:
    """Return whether an operation may have hardened an object beyond what modelyard emits."""
    return target.partition("/")[0] in _SAFEGUARDS or "securityContext" in str(operation.get("path"))


def _says(change: Change, sides: Sides) -> str:
    override = f"override {change.path[1]}"
    if not change.entry and change.path[2:] != ("patch",):
        return f"{override}: {change.path[-1]} is {moves(change)}"
    parts = [
        f"{verb} {'; '.join(f'{target}: {_worded(operation)}' for operation in operations)}"
        for verb, (target, operations) in (("sets", _gained(change, sides)), ("no longer sets", _lost(change, sides)))
        if operations
    ]
    what = " and ".join(parts) or "applies its operations in a different order"
    return f"{override} is {moves(change)}: it {what}" if change.entry else f"{override} {what}"


def _worded(operation: Operation) -> str:
    """Describe an operation using its full path, so that shortening can't hide anything."""
    text = f"{operation.get('op')} {operation.get('path')}"
    if "from" in operation:
        return f"{text} from {operation['from']}"
    if "value" not in operation:
        return text
    value = _value_text(operation["value"])
    if len(value) > _LONGEST_VALUE:
        value = f"{value[:_LONGEST_VALUE]}… ({len(value)} characters)"
    return f"{text} = {value}"


def _value_text(value: Json) -> str:
    """Write a value as a spec would, with quotes only around strings that would otherwise be numbers or keywords."""
    return value if isinstance(value, str) and isinstance(plain_value(value), str) else flow(value)


def _why(change: Change, sides: Sides) -> str:
    return _UNCHECKED if _verdict(change, sides)[1] is DANGER and not change.removed else ""


RULES: Final[tuple[Rule, ...]] = (Rule(("overrides",), _verdict, _says, _why),)

ENTRIES: Final[tuple[Rule, ...]] = (Rule(("overrides", "*"), _verdict, _says, _why),)
"""The rules for overrides that are new or removed."""
