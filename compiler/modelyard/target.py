"""What a target is: a catalog from kind to lowering, its checks, and its name. Mostly data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from modelyard.diagnostics.base import Diagnostic
from modelyard.diagnostics.target import cannot_make
from modelyard.plan import Hardwarer, Kind, Plan, Resource
from modelyard.stack import Stack


@dataclass(frozen=True, slots=True)
class Component:
    """This kind is made here; `what` says as what, in the platform's words, for docs/targets.md."""

    what: str


@dataclass(frozen=True, slots=True)
class NotYet:
    """modelyard cannot do this here yet; the reason becomes the diagnostic."""

    reason: str


@dataclass(frozen=True, slots=True)
class Impossible:
    """The platform cannot do this; the reason becomes the diagnostic and names the nearest thing that it can."""

    reason: str


Entry: TypeAlias = Component | NotYet | Impossible
Catalog: TypeAlias = Mapping[Kind, Entry]


def check_catalog(plan: Plan, catalogs: Mapping[str, Catalog]) -> Iterator[Diagnostic]:
    """Kinds of the plan that their placement cannot make: each told once, where the spec asked for it first.

    `catalogs` are by placement. A kind that a catalog does not hold is a mistake of ours and raises KeyError.
    """
    asked: dict[tuple[str, Kind], Resource] = {}
    for resource in plan.resources:
        asked.setdefault((resource.placement, resource.kind), resource)
    for (placement, kind), resource in asked.items():
        entry = catalogs[placement][kind]
        if not isinstance(entry, Component):
            yield cannot_make(plan.system.key(*resource.origin), kind.value, placement, entry.reason)


@dataclass(frozen=True, slots=True)
class Target:
    """A provider that modelyard emits for."""

    name: str
    catalog: Catalog
    choose: Hardwarer
    check: Callable[[Plan, str], Iterable[Diagnostic]]  # plan, placement: what this platform cannot honour
    lower: Callable[[Plan, str], Stack]  # plan, placement; total once check found no error
