"""Machines of the plan: what was chosen for a workload, what was passed over and why, and the pools that it makes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from modelyard.plan.kinds import Kind
from modelyard.records import field, record
from modelyard.spec import Accelerator, ComputeClass, Taint, TargetSpec


@record
class Candidate:
    """A machine that was considered for a compute class; price is per hour, None where nobody declared one."""

    machine: str
    price_hourly: float | None
    why: str


@record
class NodeGroup:
    """Machines that a node pool is made of: any of `machines` does, and the first is what its price is of.

    All offer the same number of the same accelerator, and none less of anything than the first.
    """

    machines: tuple[str, ...]  # instance types of the provider
    spot: bool
    accelerator: Accelerator | None  # what one machine offers, not what a Pod asks for
    price_hourly: float | None
    arch: str = "amd64"  # amd64 arm64


@record
class Fallback:
    """Machines that Pods may run on, where those that they prefer are gone: by their labels."""

    machine: str
    selector: tuple[tuple[str, str], ...]


@record
class PassedOver:
    """An alternative of a class's `accelerators`, by its position there, that no Pod of the class will get, and why."""

    position: int
    accelerator: Accelerator
    why: str


@record
class Smaller:
    """A much cheaper machine that a Pod just misses, and what the Pod may ask for to fit on it."""

    machine: str
    price_hourly: float
    cpu_millis: int
    memory_bytes: int


@record
class Hardware:
    """What one Pod of a compute class asks for on its placement, and the machine that was chosen for it."""

    compute: str  # class name
    cpu_millis: int
    memory_bytes: int
    disk_bytes: int | None
    accelerator: Accelerator | None
    machine: str  # how the target calls it: an instance type, or `capacity[0]`
    spot: bool
    selector: tuple[tuple[str, str], ...]
    tolerations: tuple[Taint, ...]
    price_hourly: float | None
    considered: tuple[Candidate, ...]  # the choice first, then the next best
    accelerator_resource: str = ""  # what Pods ask for it by: such as nvidia.com/gpu
    groups: tuple[NodeGroup, ...] = ()  # made for it and tried in this order, if machines are made
    elastic: bool = False  # any machine that is big enough is made when it is needed
    passed_over: tuple[PassedOver, ...] = ()
    smaller: Smaller | None = None
    fallback: Fallback | None = None  # where its Pods go when what was chosen is taken away or full


class Hardwarer(Protocol):
    """Chooses a machine for a compute class, or says in words why none fits (naming the nearest)."""

    def __call__(self, compute: ComputeClass, target: TargetSpec) -> Hardware | str: ...


@record
class Offer:
    """What the planner asks of a target: its machines, the add-ons that resources of a kind need there, the kinds that
    stand apart from its cluster, and the class of gateways that its add-ons bring.

    Where the cluster is there anyway, nothing stands apart from it, and the classes that it has are its own.
    """

    choose: Hardwarer
    addons: Mapping[Kind, tuple[str, ...]] = field(default_factory=dict[Kind, tuple[str, ...]])
    apart: frozenset[Kind] = frozenset()
    gateway_class: str = ""


@record
class NodePool:
    """Machines for one compute class, on a placement whose machines are made: what its Pods select and tolerate."""

    compute: str  # class name
    hardware: Hardware

    @property
    def groups(self) -> tuple[NodeGroup, ...]:
        """In the order in which they are tried; none where the class is elastic."""
        return self.hardware.groups

    @property
    def elastic(self) -> bool:
        """Whether any machine that is big enough will do, the cheapest at that time."""
        return self.hardware.elastic
