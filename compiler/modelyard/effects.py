"""How `pulumi up` handles changed resources, using tables that targets provide for `modelyard diff`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, Final, TypeAlias, TypeVar

from modelyard.records import field, record

_T = TypeVar("_T")

MOVED: Final = "!"
"""Used instead of a property for an argument, such as a project, whose change always recreates the resource."""


class Fate(StrEnum):
    """What `pulumi up` does to a changed resource, from harmless to harmful."""

    IN_PLACE = "in place"
    ROLLING = "rolling"
    REPLACED = "replaced"

    @property
    def rank(self) -> int:
        """Return the fate's rank; the most harmful fate ranks last."""
        return list(Fate).index(self)


@record
class Refusal:
    """A change that a provider refuses: another value at a path, or only a smaller one, for the given reason.

    With `when`, this only applies to a resource that had the value `when[1]` at the path `when[0]`.
    """

    path: str
    because: str
    less: bool = False
    when: tuple[str, ...] = ()


@record
class Part:
    """How changes to a component, or to a kind of Kubernetes object, take effect.

    `word` and `words` are the singular and plural used in messages; a part without a word is never mentioned. If the
    part is `named`, its name is shown. `holds` says what is lost with the part: data, everything (as in a cluster),
    requests to an endpoint, machines, access, or nothing of importance.

    `arguments` maps a component's arguments to properties of its main resource, whose `type` is in the resource table.
    For a Kubernetes object, arguments and properties are the same. A dotted argument such as
    `cluster.project.project_id` follows references: it is an argument of the `project` of the `cluster`. A change to a
    path in `rolls`, but not in `quiet`, replaces Pods or nodes one by one. With the value `stops[1]` at the path
    `stops[0]`, they stop before others start. Numbers in `grows` can only grow, for the given reason, and `refuses`
    lists other changes that are not possible. Items removed from the list `items` are deleted. `spreads` gives the
    fates of dependent parts if an argument changes. The replacement for a part with a `successor` is created first, and
    parts with the same `pool` replace each other.
    `because` explains what a rolling change means. A `wide` part is at cluster scope.
    """

    word: str
    words: str
    type: str = ""
    named: bool = False
    holds: str = ""  # data everything requests machines access
    protected: bool = False
    arguments: Mapping[str, str] = field(default_factory=dict[str, str])
    rolls: tuple[str, ...] = ()
    quiet: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    grows: Mapping[str, str] = field(default_factory=dict[str, str])
    refuses: tuple[Refusal, ...] = ()
    items: str = ""
    spreads: Mapping[str, Mapping[str, Fate]] = field(default_factory=dict[str, Mapping[str, Fate]])
    successor: bool = False
    pool: str = ""
    because: str = ""
    wide: bool = False


@record
class Effects:
    """A provider's tables.

    `parts` is keyed by component, such as `aws.Network`, or by kind, such as `apps/v1/Deployment`. `resources` lists,
    by type, the properties whose change replaces a resource; `*` stands for all of them.
    """

    parts: Mapping[str, Part] = field(default_factory=dict[str, Part])
    resources: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])

    def part(self, kind: str) -> Part:
        """Return how changes to a component or kind of object take effect. Those not listed change in place."""
        return self.parts.get(kind, _unknown(kind))

    def joined(self, other: Effects) -> Effects:
        """Return these tables with those of another provider, whose components and types have other names."""
        return Effects({**other.parts, **self.parts}, {**other.resources, **self.resources})

    def fate(self, kind: str, path: str) -> Fate:
        """Return how a change at a path, such as `cidr` or `spec.template.spec`, affects a component or object."""
        part = self.part(kind)
        if self._replaces(part, path):
            return Fate.REPLACED
        rolls = any(_is_below(path, pattern) for pattern in part.rolls)
        quiet = any(path == pattern or path.endswith(f".{pattern}") or f".{pattern}." in path for pattern in part.quiet)
        return Fate.ROLLING if rolls and not quiet else Fate.IN_PLACE

    def _replaces(self, part: Part, path: str) -> bool:
        entry = (entry_at(part.arguments, path) or "") if part.arguments else path
        if entry == MOVED:
            return True
        fixed = self.resources.get(part.type, frozenset())
        return bool(entry) and ("*" in fixed or any(_is_below(entry, field) for field in fixed))


Table: TypeAlias = Callable[[], Effects]


def no_effects() -> Effects:
    """Return empty tables, for providers that create nothing with Pulumi."""
    return Effects()


def read_effects(files: Iterable[str]) -> Effects:
    """Merge the tables in the given JSON files. Later files override earlier ones."""
    parts: dict[str, Part] = {}
    resources: dict[str, frozenset[str]] = {}
    for name in files:
        with open(name, encoding="utf-8") as file:
            content = json.load(file)
        parts |= {kind: _part(kind, entry) for kind, entry in content["parts"].items()}
        resources |= {kind: frozenset(fixed) for kind, fixed in content["resources"].items()}
    return Effects(parts, resources)


def _part(kind: str, entry: dict[str, Any]) -> Part:
    spreads = {
        name: {other: Fate(fate) for other, fate in fates.items()} for name, fates in entry.pop("spreads", {}).items()
    }
    lists = {name: tuple(entry.pop(name, ())) for name in ("rolls", "quiet", "stops")}
    refuses = tuple(_refusal(**refusal) for refusal in entry.pop("refuses", ()))
    fields: dict[str, Any] = {"type": kind, "spreads": spreads, "refuses": refuses, **lists, **entry}
    return Part(**fields)


def _refusal(path: str, because: str, when: Iterable[str] = (), *, less: bool = False) -> Refusal:
    return Refusal(path, because, less, tuple(when))


def _unknown(kind: str) -> Part:
    word = kind.rpartition("/")[2].rpartition(".")[2]
    return Part(word, f"{word} objects", type=kind, named=True)


def entry_at(table: Mapping[str, _T], path: str) -> _T | None:
    """Return the entry for a path, falling back to its container, e.g. `machines` for `machines[*]`."""
    while path and path not in table:
        path = path[: max(path.rfind("."), path.rfind("["), 0)]
    return table.get(path)


def _is_below(path: str, above: str) -> bool:
    return path == above or path.startswith((f"{above}.", f"{above}["))
