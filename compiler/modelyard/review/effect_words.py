"""Summarize the resources a change affects, e.g. "the network, node groups a and b, 12 identities"."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from modelyard.diagnostics.base import joined
from modelyard.effects import Effects, Part
from modelyard.review.effects import Consequence
from modelyard.review.lowered import Item

_MOST_NAMES: Final = 3
_MOST_GROUPS: Final = 8
_RANKS: Final = {"data": 0, "everything": 1, "requests": 2, "machines": 3, "access": 4, "": 5}


def enumerated_resources(affected: Iterable[Consequence], effects: Effects) -> str:
    """Name the resources, starting with those that hold data. Returns "" if there is nothing to name."""
    return joined(texts_of(affected, effects))


def texts_of(affected: Iterable[Consequence], effects: Effects) -> list[str]:
    """Return a string for each group of like resources, and just a total count for those after the eighth group."""
    groups: dict[tuple[int, str], tuple[Part, list[Item]]] = {}
    for consequence in affected:
        part = effects.part(consequence.item.kind)
        if part.word:
            groups.setdefault((_RANKS[part.holds], part.word), (part, []))[1].append(consequence.item)
    ordered = [groups[key] for key in sorted(groups)]
    hidden = sum(len(items) for _, items in ordered[_MOST_GROUPS:])
    texts = [_group(part, items) for part, items in ordered[:_MOST_GROUPS]]
    return [*texts, *([f"{hidden} more"] if hidden else [])]


def _group(part: Part, items: Sequence[Item]) -> str:
    """Name the resources in a group if there are only a few, otherwise count them."""
    if not part.named:
        count = len({item.name for item in items})
        return f"the {part.word}" if count == 1 or part.word == part.words else f"{count} {part.words}"
    names = list(dict.fromkeys(_name(item) for item in items))
    if len(names) > _MOST_NAMES:
        return f"{len(names)} {part.words}"
    return f"{part.word if len(names) == 1 else part.words} {joined(names)}"


def _name(item: Item) -> str:
    """Return a resource's own name without its namespace."""
    return item.name.rpartition("/")[2]


def is_of_workload(consequence: Consequence) -> bool:
    """Return whether a resource is a Kubernetes object that belongs to a workload."""
    return "." in consequence.item.workload and "/" in consequence.item.kind


def owners(affected: Iterable[Consequence], effects: Effects, intro: str = "") -> str:
    """Name the workloads that own affected objects, introduced by `intro`, followed by all other resources."""
    known: dict[str, None] = {}
    remaining: list[Consequence] = []
    for consequence in affected:
        if is_of_workload(consequence):
            known[consequence.item.workload] = None
        else:
            remaining.append(consequence)
    addresses = sorted(known)
    texts = [f"{len(addresses)} workloads"] if len(addresses) > _MOST_GROUPS else addresses
    if texts and intro:
        texts = [f"{intro}{joined(texts)}"]
    return joined([*texts, *texts_of(remaining, effects)])


def reasons(affected: Iterable[Consequence], effects: Effects) -> str:
    """Return the distinct reasons that the effects tables give for the affected resource types."""
    parts: list[Part] = [effects.part(consequence.item.kind) for consequence in affected]
    return "; ".join(dict.fromkeys(part.because for part in parts if part.because))
