"""What a target is: a catalog from kind to lowering, its checks, and its name. Mostly data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from modelyard.diagnostics import Diagnostic
from modelyard.plan import Hardware, Kind, Plan
from modelyard.spec import ComputeClass, TargetSpec
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


class Hardwarer(Protocol):
    """Chooses a machine for a compute class, or says in words why none fits (naming the nearest)."""

    def __call__(self, compute: ComputeClass, target: TargetSpec) -> Hardware | str: ...


@dataclass(frozen=True, slots=True)
class Target:
    """A provider that modelyard emits for."""

    name: str
    catalog: Catalog
    choose: Hardwarer
    check: Callable[[Plan, str], Iterable[Diagnostic]]  # plan, placement: what this platform cannot honour
    lower: Callable[[Plan, str], Stack]  # plan, placement; total once check found no error
